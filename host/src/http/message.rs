//! A request before it is written to the wire and a reply after it was read. Neither implements `Debug`: headers and
//! bodies hold secrets.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::uri::PathAndQuery;
use hyper::{Method, StatusCode};
use url::Url;

use super::allowance::Allowance;
use super::body::{self, DecodeError};
use super::body_budget::BudgetPart;
use super::body_channel::BodyChannel;
use super::fields::Fields;
use super::header_section::HeaderSection;
use super::passage::TimedLink;
use crate::metrics::trace::TraceContext;
use crate::net::{Origin, Version};

/// One request; cheap to clone.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The origin that it goes to. Requests that share the `Rc` find their connection faster.
    pub origin: Rc<Origin>,
    /// Path and query.
    pub target: PathAndQuery,
    /// All fields but those of the message's framing, which are set when it is sent. A `host` given here wins over that
    /// of the origin, a `cookie` over the user's cookies, and a `user-agent` over the program's; an empty one is not
    /// sent.
    pub headers: Fields,
    /// The content; empty if there is none.
    pub body: Bytes,
    /// The version to speak.
    pub version: Version,
    /// The allowance that the reply's content is kept within; `None` if the content is not kept.
    pub keep_body: Option<Allowance>,
    /// The most bytes of content to keep if only a condition wants them: content that is longer, or cannot be decoded,
    /// is dropped, and does not fail the exchange. `None` if the content is needed.
    pub optional_body: Option<usize>,
    /// True to send `accept-encoding` (unless it is among the headers). Kept content is decoded in any case; if it was
    /// asked for, content that cannot be decoded is a failure.
    pub decode: bool,
    /// The time at which kept content is decoded.
    pub decoding: Decoding,
    /// True to take the fingerprint of kept content.
    pub takes_fingerprint: bool,
    /// The user's cookies as they were sent, if there were any.
    pub(crate) sent_cookie: RefCell<Option<HeaderValue>>,
    /// Channel for content that is sent and received in pieces; `None` for an ordinary exchange.
    pub channel: Option<Rc<BodyChannel>>,
}

/// The time at which the content of a reply is decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decoding {
    /// As soon as it is complete.
    #[default]
    AtOnce,
    /// Whenever it is asked for.
    OnDemand,
    /// Never: it stays as it was transferred.
    Never,
}

impl Request {
    /// Returns where the request goes.
    pub fn destination(&self) -> RequestTarget {
        RequestTarget { origin: Rc::clone(&self.origin), path: self.target.clone() }
    }
}

/// A request as it goes out on one connection.
pub(super) struct OutgoingRequest<'a> {
    /// The request.
    pub request: &'a Request,
    /// The user's cookies for its target; a `cookie` among the request's own headers wins.
    pub cookie: Option<HeaderValue>,
    /// The `user-agent`, if it has none of its own.
    pub user_agent: Option<&'static str>,
    /// True when the connection is closed after it. Over HTTP/2 this has no effect.
    pub is_last: bool,
    /// Its place in a trace, which it carries unless it has a `traceparent` of its own.
    pub trace: Option<TraceContext>,
    /// The link that its reply comes over, if its user has one.
    pub link: Option<&'a TimedLink>,
}

/// The field that carries the place of a request in a trace (W3C Trace Context).
pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The destination of a request: the origin to connect to, and the path and query to ask it for.
#[derive(Clone, Debug)]
pub struct RequestTarget {
    /// The origin to connect to.
    pub origin: Rc<Origin>,
    /// Path and query.
    pub path: PathAndQuery,
}

impl RequestTarget {
    /// Returns the target as a URL.
    pub fn url(&self) -> Option<Url> {
        self.origin.url(&self.path)
    }
}

/// A reply, complete to the last byte.
pub struct Reply {
    /// The status, never informational except 101.
    pub status: StatusCode,
    /// The version spoken.
    pub version: hyper::Version,
    /// The header section.
    pub headers: HeaderSection,
    /// The content, decoded if it can be and is not to be on demand; empty unless it was to be kept.
    pub body: Bytes,
    /// The fingerprint of the content as it was transferred; 0 if none was taken.
    pub fingerprint: u64,
    /// The beginning of content that is not kept, as it was transferred, to be shown if the exchange fails.
    pub excerpt: Bytes,
    /// True when the content could not be decoded.
    pub is_encoded: bool,
    /// True when the content is decoded on demand.
    pub is_deferred: bool,
    /// The part of the memory for contents that its own takes.
    pub(crate) held: BudgetPart,
}

impl Reply {
    /// Returns the content, decoded now to at most `limit` bytes if that was left to be done on demand. Content that
    /// cannot be decoded is returned as it was transferred, and none of content that is longer than the limit.
    pub fn content(&self, limit: usize) -> Bytes {
        if !self.is_deferred {
            return self.body.clone();
        }
        match body::decode(&self.headers, self.body.clone(), limit) {
            Ok(decoded) => decoded,
            Err(DecodeError::Undecodable(_)) => self.body.clone(),
            Err(DecodeError::TooLarge(_)) => Bytes::new(),
        }
    }

    /// Returns the codings that its content is still in, as the peer names them; `None` if it is in none.
    pub fn codings_left(&self) -> Option<String> {
        let names = || body::codings(&self.headers).map(|name| String::from_utf8_lossy(name).into_owned());
        self.is_encoded.then(|| names().collect::<Vec<_>>().join(", "))
    }

    /// Returns the bytes of it that are kept.
    pub fn held_bytes(&self) -> usize {
        self.headers.size() + self.body.len()
    }
}

/// Returns `true` for methods whose content has a meaning, so that its absence is stated as well (RFC 9110 section
/// 8.6).
pub(super) fn has_payload(method: &Method) -> bool {
    [Method::POST, Method::PUT, Method::PATCH].contains(method)
}
