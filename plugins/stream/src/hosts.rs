//! `hosts:` that may be fetched from besides those of the manifests.

use stampede_plugin::http::Request;
use stampede_plugin::{ConfigError, Template};

/// Grants hosts to the plugin: a built-in plugin may connect to the hosts of its requests, so each is named in a
/// request that is never sent.
pub(crate) fn grant(hosts: &[String]) -> Result<(), ConfigError> {
    for (index, host) in hosts.iter().enumerate() {
        for scheme in ["http", "https"] {
            request(scheme, host).map_err(|error| error.at(format!("/hosts/{index}")))?;
        }
    }
    Ok(())
}

fn request(scheme: &str, host: &str) -> Result<(), ConfigError> {
    if host.is_empty() || host.contains(['/', '?', '#', '@', '\\', '*', '{']) {
        let error = ConfigError::new(format!("`{host}` is not a host"));
        return Err(error.help("write it as `cdn.site` or `cdn.site:8443`"));
    }
    Request::get(Template::compile(&format!("{scheme}://{host}/"))?).prepare().map(drop)
}
