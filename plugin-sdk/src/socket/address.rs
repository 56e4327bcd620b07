//! Addresses of peers, and options of TLS.

use crate::ConfigError;
use crate::bindings::socket_types as raw;

/// A host and a port, in clear or with TLS. The script must grant the plugin that host.
#[derive(Clone, Debug)]
pub struct Address(pub(super) raw::Address);

impl Address {
    /// Creates an address in clear. The host is a name or an address; an IPv6 address with or without brackets.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self(raw::Address { host: host.into(), port, tls: None })
    }

    /// Parses `HOST:PORT`, such as `mail.site:25` or `[::1]:25`, or a host alone if there is a default port.
    ///
    /// # Errors
    /// It is neither; the error is about the step, so name the parameter with [`ConfigError::at`].
    pub fn parse(text: &str, default_port: Option<u16>) -> Result<Self, ConfigError> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port.parse().ok()),
            _ => (text, default_port),
        };
        match port.filter(|port| *port > 0) {
            Some(port) if !host.is_empty() && !host.contains(char::is_whitespace) => Ok(Self::new(host, port)),
            _ => Err(ConfigError::new(format!("expected `HOST:PORT`, got `{text}`"))),
        }
    }

    /// Adds TLS.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.0.tls = Some(tls.0);
        self
    }
}

/// Options of a TLS connection. Certificates are checked as for HTTP.
#[derive(Clone, Debug)]
pub struct Tls(pub(super) raw::TlsOptions);

impl Tls {
    /// Creates options for the address's own host, with no protocol offered.
    pub fn new() -> Self {
        Self(raw::TlsOptions { server_name: None, alpn: Vec::new() })
    }

    /// Sets another name that the certificate must be for, and that the server is sent (SNI).
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.0.server_name = Some(name.into());
        self
    }

    /// Offers a protocol (ALPN), after those offered so far: 16 at most, each of 1 to 255 bytes.
    /// [`Socket::protocol`](super::Socket::protocol) returns the one that the server picked.
    #[must_use]
    pub fn offer(mut self, protocol: impl Into<String>) -> Self {
        self.0.alpn.push(protocol.into());
        self
    }
}

impl Default for Tls {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        let parsed = |text: &str, default| Address::parse(text, default).map(|to| (to.0.host, to.0.port)).ok();
        let to = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(parsed("mail.site:25", None), to("mail.site", 25));
        assert_eq!((parsed("[::1]:25", None), parsed("::1", Some(9))), (to("[::1]", 25), to("::1", 9)));
        assert_eq!(
            (parsed("mail.site", Some(25)), parsed("mail.site:26", Some(25))),
            (to("mail.site", 25), to("mail.site", 26))
        );
        for wrong in ["mail.site", ":25", "mail.site:0", "mail.site:65536", "mail.site:x", "a b:25", ""] {
            assert_eq!(parsed(wrong, None), None, "{wrong}");
        }
        let error = Address::parse("mail.site", None).expect_err("no port");
        assert_eq!(error.message, "expected `HOST:PORT`, got `mail.site`");
    }
}
