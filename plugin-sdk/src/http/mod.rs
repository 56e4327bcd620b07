//! HTTP exchanges on the current user's own connections. The host times and records them; a plugin decides whether the
//! reply is right.
//!
//! A [`Request`] is prepared in [`Action::configure`](crate::Action::configure), and what differs from one to the next
//! is in its templates; a [`DynamicRequest`] is put together while the task runs, at a higher price. A [`Stream`] has its
//! content in pieces, as they come and go; an [`Upgrade`] ends in a [`Socket`](crate::socket::Socket).

mod dynamic;
mod exchange;
mod request;
mod stream;
mod upgrade;

pub use dynamic::DynamicRequest;
pub use exchange::{Exchange, Reply};
pub use request::{Body, Credentials, Request, RequestBuilder};
pub use stream::{Head, Read, Stream, Write};
pub use upgrade::{Switched, Upgrade};

use crate::bindings::http_types as raw;

/// Which version of HTTP to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// HTTP/2 if the server picks it during the TLS handshake, else HTTP/1.1.
    #[default]
    Negotiate,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2; without TLS, with prior knowledge.
    Http2,
}

/// How a request is sent and its reply treated. The default is what a browser would call plain: no redirects, no
/// compression, and the body is counted but not kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Which version of HTTP to speak.
    pub version: Version,
    /// How many redirects are followed, 0 to 20. Each is an exchange of its own in the report; the reply is the last
    /// one's.
    pub max_redirects: u8,
    /// Whether to ask for compressed replies.
    pub compression: bool,
    /// Whether [`Reply::body`] will be asked for. If not, the body is thrown away as it arrives.
    pub keep_body: bool,
}

impl Options {
    fn into_raw(self) -> raw::RequestOptions {
        raw::RequestOptions {
            version: match self.version {
                Version::Negotiate => raw::Version::Negotiate,
                Version::Http1 => raw::Version::Http1,
                Version::Http2 => raw::Version::Http2,
            },
            max_redirects: self.max_redirects,
            compression: self.compression,
            keep_body: self.keep_body,
        }
    }
}
