//! HTTP exchanges on the current user's own connections. The host times and records them; a plugin decides whether the
//! reply is acceptable.
//!
//! A [`Request`] is prepared in [`Action::configure`](crate::Action::configure), and its templates are rendered again
//! each time it is sent; a [`DynamicRequest`] is decided while the task runs, at a higher cost. A [`Stream`] sends and
//! receives its content in pieces; a [`Transfer`] counts in a row of its own, and can be looked at while it is under
//! way and left; an [`Upgrade`] ends in a [`Socket`](crate::socket::Socket).

mod dynamic;
mod exchange;
mod request;
mod stream;
mod transfer;
mod upgrade;

pub use dynamic::DynamicRequest;
pub use exchange::{Exchange, Reply};
pub use request::{Body, Credentials, Request, RequestBuilder};
pub use stream::{Head, Read, Stream, Write};
pub use transfer::{ReportRow, Transfer, TransferProgress, TransferReply, TransferTimes};
pub use upgrade::{Switched, Upgrade};

use crate::bindings::http_types as raw;

/// A version of HTTP to speak.
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

/// Options for sending a request and treating its reply. By default no redirect is followed, no compression is asked
/// for, and the body is counted but not kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The version of HTTP to speak.
    pub version: Version,
    /// The number of redirects to follow, 0 to 20. Each is an exchange of its own in the report; the reply is that of
    /// the last one.
    pub max_redirects: u8,
    /// `true` to ask for compressed replies. One that comes unasked is decoded as well.
    pub compression: bool,
    /// `true` if the action will call [`Reply::body`]. If not, the body is discarded as it arrives.
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
