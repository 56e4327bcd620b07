//! `address:` a host and a port.

use stampede_plugin::http::Request;
use stampede_plugin::socket::{Address, Tls};
use stampede_plugin::{ConfigError, Failure, Task, Template};

/// The address of a step.
pub(crate) struct Endpoint {
    text: Template,
    tls: bool,
}

impl Endpoint {
    /// Checks an address, except for parts that are rendered later.
    pub(crate) fn new(text: &str, tls: bool) -> Result<Self, ConfigError> {
        let template = Template::compile(text)?;
        let wrong = || {
            let wrong = ConfigError::new(format!("`{text}` is not an address"));
            wrong.help("write a host and a port, such as `site:6379` or `[::1]:6379`")
        };
        if !text.contains("{{") && split(text).is_none() {
            return Err(wrong());
        }
        // A built-in plugin may connect to the hosts of its requests. This one sends none, so it prepares one to name
        // the host.
        Request::get(Template::compile(&format!("http://{text}/"))?).prepare().map_err(|_| wrong())?;
        Ok(Self { text: template, tls })
    }

    /// Renders the address for the task's user.
    pub(crate) fn render(&self, task: &Task) -> Result<Target, Failure> {
        let text = self.text.render(task);
        let Some((host, port)) = split(&text) else {
            return Err(Failure::check(format!("`{text}` is not an address")));
        };
        let address = Address::new(host, port);
        let address = if self.tls { address.tls(Tls::new()) } else { address };
        Ok(Target { name: format!("{}{text}", if self.tls { "tls " } else { "" }), address })
    }
}

/// An address, and the name under which its connection is kept.
pub(crate) struct Target {
    /// The rendered text, after `tls ` with TLS.
    pub name: String,
    /// The address.
    pub address: Address,
}

/// Splits a text into host and port; an IPv6 address is in brackets.
fn split(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let is_one = !host.is_empty() && (!host.contains(':') || host.starts_with('[') && host.ends_with(']'));
    let is_one = is_one && !host.contains(['/', '?', '#', '@', '\\']);
    let port = port.parse().ok().filter(|port| *port > 0)?;
    is_one.then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for (text, parts) in [
            ("site:6379", Some(("site", 6379))),
            ("[::1]:80", Some(("[::1]", 80))),
            ("10.0.0.1:65535", Some(("10.0.0.1", 65535))),
            ("::1:80", None),
            ("site", None),
            (":80", None),
            ("site:0", None),
            ("site:65536", None),
            ("http://site:80", None),
            ("site/a:80", None),
            ("user@site:80", None),
        ] {
            assert_eq!(split(text), parts, "{text}");
        }
    }
}
