//! Addresses of peers, and options of TLS.

use crate::bindings::socket_types as raw;

/// A host and a port, in clear or with TLS. The script must grant the plugin that host.
#[derive(Clone, Debug)]
pub struct Address(pub(super) raw::Address);

impl Address {
    /// Creates an address in clear. The host is a name or an address; an IPv6 address with or without brackets.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self(raw::Address { host: host.into(), port, tls: None })
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
pub struct Tls(raw::TlsOptions);

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
