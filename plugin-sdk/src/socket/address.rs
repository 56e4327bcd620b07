//! Where a socket leads to.

use crate::bindings::socket_types as raw;

/// A host and a port, in clear or with TLS. The script must grant the plugin that host.
#[derive(Clone, Debug)]
pub struct Address(pub(super) raw::Address);

impl Address {
    /// In clear. The host is a name or an address; an IPv6 address with or without brackets.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self(raw::Address { host: host.into(), port, tls: None })
    }

    /// With TLS.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.0.tls = Some(tls.0);
        self
    }
}

/// How TLS is spoken. Certificates are checked as for HTTP.
#[derive(Clone, Debug)]
pub struct Tls(raw::TlsOptions);

impl Tls {
    /// For the address's own host, with no protocol offered.
    pub fn new() -> Self {
        Self(raw::TlsOptions { server_name: None, alpn: Vec::new() })
    }

    /// Another name that the certificate must be for, and that the server is told (SNI).
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.0.server_name = Some(name.into());
        self
    }

    /// Offers a protocol (ALPN), after those offered so far: 16 at most, each of 1 to 255 bytes. Which one the server
    /// picked says [`Socket::protocol`](super::Socket::protocol).
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
