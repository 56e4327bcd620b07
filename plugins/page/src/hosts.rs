//! `hosts:` whose resources are fetched besides those of the page's own origin.

use stampede_plugin::http::Request;
use stampede_plugin::{ConfigError, Template};
use url::Url;

/// Hosts, each with a port or with the default ports of both schemes.
pub(crate) struct Hosts(Vec<(String, Option<u16>)>);

impl Hosts {
    /// Checks hosts, and grants them to the plugin: a built-in plugin may connect to the hosts of its requests, so each
    /// is named in a request that is never sent.
    pub(crate) fn new(texts: &[String]) -> Result<Self, ConfigError> {
        let hosts = texts
            .iter()
            .enumerate()
            .map(|(index, text)| host(text).map_err(|error| error.at(format!("/hosts/{index}"))));
        hosts.collect::<Result<_, _>>().map(Self)
    }

    /// Returns `true` if resources of this URL's host are fetched.
    pub(crate) fn include(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        self.0.iter().any(|(host, wanted)| {
            url.host_str() == Some(host) && (*wanted == port || wanted.is_none() && url.port().is_none())
        })
    }
}

fn host(text: &str) -> Result<(String, Option<u16>), ConfigError> {
    let wrong =
        || ConfigError::new(format!("`{text}` is not a host")).help("write it as `cdn.site` or `cdn.site:8443`");
    if text.contains(['/', '?', '#', '@', '\\', '*', '{']) {
        return Err(wrong());
    }
    // A scheme with another default port, so that a port that was typed is kept.
    let url = Url::parse(&format!("ftp://{text}/")).map_err(|_| wrong())?;
    let port = url.port().or_else(|| text.ends_with(":21").then_some(21));
    let Ok(Some(name)) = Url::parse(&format!("http://{text}/")).map(|url| url.host_str().map(str::to_owned)) else {
        return Err(wrong());
    };
    for scheme in ["http", "https"] {
        Request::get(Template::compile(&format!("{scheme}://{text}/"))?).prepare()?;
    }
    Ok((name, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_may_have_a_port() {
        let hosts = Hosts(vec![("cdn.site".into(), None), ("img.site".into(), Some(80)), ("[::1]".into(), Some(81))]);
        for (url, included) in [
            ("https://cdn.site/a", true),
            ("http://cdn.site/a", true),
            ("http://cdn.site:8080/a", false),
            ("http://img.site/a", true),
            ("https://img.site/a", false),
            ("http://[::1]:81/", true),
            ("http://site/", false),
        ] {
            assert_eq!(hosts.include(&Url::parse(url).expect(url)), included, "{url}");
        }
    }
}
