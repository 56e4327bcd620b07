//! The versions of HTTP that a connection is opened for.

/// The HTTP version to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// HTTP/2 if the server picks it during the TLS handshake (ALPN), otherwise HTTP/1.1.
    #[default]
    Negotiate,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2: over TLS by ALPN, in clear text with prior knowledge.
    Http2,
}
