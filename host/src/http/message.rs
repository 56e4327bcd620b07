//! A request before it is put on the wire and a reply after it was taken off. Neither can be printed: headers and
//! bodies hold secrets.

use std::rc::Rc;

use bytes::Bytes;
use hyper::http::uri::PathAndQuery;
use hyper::{Method, StatusCode};

use super::body::Allowance;
use super::body_channel::BodyChannel;
use super::fields::Fields;
use super::header_section::HeaderSection;
use crate::net::{Origin, Version};

/// One request; cheap to clone.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where it goes. Requests that share the `Rc` find their connection faster.
    pub origin: Rc<Origin>,
    /// Path and query.
    pub target: PathAndQuery,
    /// All fields but those of the message's framing, which are set when it is sent. A `host` or `cookie` given here
    /// wins over the origin's own and over the user's cookies.
    pub headers: Fields,
    /// The content; none if empty.
    pub body: Bytes,
    /// Which version to speak.
    pub version: Version,
    /// What the reply's content is kept within; `None` if it is not kept.
    pub keep_body: Option<Allowance>,
    /// Whether to send `accept-encoding` (unless it is among the headers) and to decode the kept content.
    pub decode: bool,
    /// Where content goes and comes from in pieces, if it does.
    pub flow: Option<Rc<BodyChannel>>,
}

/// A reply, complete to the last byte.
pub struct Reply {
    /// The status, never informational but 101.
    pub status: StatusCode,
    /// The version spoken.
    pub version: hyper::Version,
    /// The header section.
    pub headers: HeaderSection,
    /// The content, decoded if that was asked; empty unless it was to be kept.
    pub body: Bytes,
}

impl Reply {
    /// Bytes of it that are kept.
    pub fn held(&self) -> usize {
        self.headers.size() + self.body.len()
    }
}

/// Methods whose content has a meaning, so that its absence is stated as well (RFC 9110 section 8.6).
pub(super) fn has_payload(method: &Method) -> bool {
    [Method::POST, Method::PUT, Method::PATCH].contains(method)
}
