//! What an action did, for a test to look at.

use std::time::Duration;

use crate::bindings::socket_types::Address;
use crate::http::{Options, Version};
use crate::{Failure, UserId};

/// A step that has run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Why the task failed; `None` if it passed. The detail is empty where the host would know it.
    pub failure: Option<Failure>,
    /// What was sent, in order.
    pub requests: Vec<SentRequest>,
    /// Fields that every later request of the user carries, in the order first set.
    pub user_headers: Vec<(String, String)>,
    /// The user's variables at the end, in the order first set.
    pub variables: Vec<(String, String)>,
    /// Every connection of the session so far, in the order begun.
    pub connections: Vec<Connection>,
    /// Values added to metrics, in order, under the names of the metrics: times in nanoseconds, a rate's as 0 or 1.
    pub metrics: Vec<(String, f64)>,
    /// What was given up before it was done, in order.
    pub given_up: Vec<GivenUp>,
    /// Lines logged, without their level.
    pub log: Vec<String>,
    /// How long it took in virtual time.
    pub elapsed: Duration,
}

impl Run {
    /// Whether everything was as the step wants it.
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }

    /// A variable of the user at the end.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The values added to a metric, in order.
    pub fn metric(&self, name: &str) -> Vec<f64> {
        self.metrics.iter().filter(|(known, _)| known == name).map(|(_, value)| *value).collect()
    }
}

/// A connection, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Whose it is.
    pub user: UserId,
    /// As the action gave it.
    pub host: String,
    /// As the action gave it.
    pub port: u16,
    /// Whether with TLS.
    pub tls: bool,
    /// All that the action has sent.
    pub written: Vec<u8>,
    /// Whether the action's side is open.
    pub open: bool,
}

impl Connection {
    /// One that is being made.
    pub(super) fn new(user: UserId, address: &Address) -> Self {
        let (host, tls) = (address.host.clone(), address.tls.is_some());
        Self { user, host, port: address.port, tls, written: Vec::new(), open: false }
    }
}

/// What an action no longer waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GivenUp {
    /// A request on its way.
    Exchange,
    /// A sleep, or the time limit of something that was in time.
    Sleep,
    /// A connect.
    Connect,
    /// A read, which has taken nothing.
    Read,
    /// A write, with which the socket is closed.
    Write,
}

/// A request as it left, every template rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentRequest {
    /// In upper case.
    pub method: String,
    /// As the action gave it: neither resolved nor encoded.
    pub url: String,
    /// What would be appended to the URL.
    pub query: Vec<(String, String)>,
    /// The request's own fields.
    pub headers: Vec<(String, String)>,
    /// The fields that the user carried by then; the request's own win over them.
    pub user_headers: Vec<(String, String)>,
    /// What followed the header section.
    pub body: SentBody,
    /// What the `authorization` field would be made of.
    pub credentials: Option<SentCredentials>,
    /// How it was sent.
    pub options: Options,
}

/// What followed the header section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SentBody {
    /// Nothing.
    None,
    /// Text without a `content-type`.
    Text(String),
    /// Text as `application/json`.
    Json(String),
    /// Names and values of a form, not yet encoded.
    Form(Vec<(String, String)>),
    /// The contents of the file with this path.
    File(String),
    /// The bytes of a dynamic request.
    Bytes(Vec<u8>),
}

/// What the `authorization` field would be made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SentCredentials {
    /// User name, password.
    Basic(String, String),
    /// The token.
    Bearer(String),
}

impl From<crate::bindings::http_types::RequestOptions> for Options {
    fn from(raw: crate::bindings::http_types::RequestOptions) -> Self {
        use crate::bindings::http_types::Version as Raw;
        let version = match raw.version {
            Raw::Negotiate => Version::Negotiate,
            Raw::Http1 => Version::Http1,
            Raw::Http2 => Version::Http2,
        };
        Self { version, max_redirects: raw.max_redirects, compression: raw.compression, keep_body: raw.keep_body }
    }
}
