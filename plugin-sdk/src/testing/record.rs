//! Records of what an action did, for a test to check.

use std::time::Duration;

use crate::bindings::socket_types::Address;
use crate::http::{Options, Version};
use crate::{Failure, UserId};

/// A step that has run.
#[derive(Clone, Debug)]
pub struct Run {
    /// The failure of the task; `None` if it passed. The detail is empty if the host found the failure.
    pub failure: Option<Failure>,
    /// The requests sent, in order.
    pub requests: Vec<SentRequest>,
    /// Fields that every later request of the user carries, in the order first set.
    pub user_headers: Vec<(String, String)>,
    /// The user's variables at the end, in the order first set.
    pub variables: Vec<(String, String)>,
    /// Every connection of the session so far, in the order of their connects.
    pub connections: Vec<Connection>,
    /// Values added to metrics, in order, under the names of the metrics: times in nanoseconds, a rate's as 0 or 1.
    pub metrics: Vec<(String, f64)>,
    /// Operations given up before they completed, in order.
    pub given_up: Vec<GivenUp>,
    /// The exchanges that count in rows of their own, in the order sent.
    pub transfers: Vec<TransferRecord>,
    /// Lines logged, without their level.
    pub log: Vec<String>,
    /// The virtual time that the run took.
    pub elapsed: Duration,
}

impl Run {
    /// Returns `true` if the step has passed.
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }

    /// Returns a variable of the user at the end.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the values added to a metric, in order.
    pub fn metric(&self, name: &str) -> Vec<f64> {
        self.metrics.iter().filter(|(known, _)| known == name).map(|(_, value)| *value).collect()
    }
}

/// A connection, and the bytes that the action sent over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The user who owns it.
    pub user: UserId,
    /// The host as the action gave it.
    pub host: String,
    /// The port as the action gave it.
    pub port: u16,
    /// `true` with TLS, from the beginning or by now.
    pub tls: bool,
    /// All bytes that the action has sent.
    pub written: Vec<u8>,
    /// `true` while the action's side is open.
    pub open: bool,
}

impl Connection {
    /// Records a connection that is being established.
    pub(super) fn new(user: UserId, address: &Address) -> Self {
        let (host, tls) = (address.host.clone(), address.tls.is_some());
        Self { user, host, port: address.port, tls, written: Vec::new(), open: false }
    }
}

/// An exchange that counts in a row below the step's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferRecord {
    /// The URL as the action gave it.
    pub url: String,
    /// The row: that of the request, or the one that the action named when it left the exchange.
    pub row: String,
    /// `true` if the action has left it in flight.
    pub is_left: bool,
}

/// The lifetime of tasks that a step has declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeclaredLifetime {
    /// The time for which a task lasts by design.
    pub lasts: Option<Duration>,
    /// The most exchanges at once to one host.
    pub connections: Option<u16>,
}

/// The kind of an operation that an action gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GivenUp {
    /// A request in flight.
    Exchange,
    /// A sleep, or the time limit of a future that was in time.
    Sleep,
    /// A wait for the end of the user's time.
    Ending,
    /// A connect.
    Connect,
    /// A read, which has taken no bytes.
    Read,
    /// A write, which closes the socket.
    Write,
    /// A TLS handshake, which closes the socket.
    Secure,
}

/// A request as it was sent, every template rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentRequest {
    /// The method, in upper case.
    pub method: String,
    /// The URL as the action gave it: neither resolved nor encoded.
    pub url: String,
    /// The parameters that the host would append to the URL.
    pub query: Vec<(String, String)>,
    /// The request's own fields.
    pub headers: Vec<(String, String)>,
    /// The fields that the user carried by then; the request's own win over them.
    pub user_headers: Vec<(String, String)>,
    /// The content.
    pub body: SentBody,
    /// The credentials for the `authorization` field.
    pub credentials: Option<SentCredentials>,
    /// Options for sending it.
    pub options: Options,
}

/// The content of a request.
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

/// Credentials for an `authorization` field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SentCredentials {
    /// User name and password.
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
