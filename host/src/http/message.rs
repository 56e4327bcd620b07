//! A request before it is put on the wire and a reply after it was taken off. Neither can be printed: headers and
//! bodies hold secrets.

use std::rc::Rc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HOST, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use hyper::http::uri::{Authority, PathAndQuery};
use hyper::{Method, StatusCode, Uri};

use super::body;
use super::origin::Origin;

/// What is handed to hyper.
pub(super) type Message = hyper::Request<Full<Bytes>>;

/// Which HTTP version to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// HTTP/2 if the server picks it during the TLS handshake (ALPN), else HTTP/1.1.
    #[default]
    Negotiate,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2: over TLS by ALPN, in clear with prior knowledge.
    Http2,
}

/// One request. Keep a clone if redirects are to be followed; all parts are cheap to clone but the headers.
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
    pub headers: HeaderMap,
    /// The content; none if empty.
    pub body: Bytes,
    /// Which version to speak.
    pub version: Version,
    /// Whether the reply's content is kept.
    pub keep_body: bool,
    /// Whether to send `accept-encoding` (unless it is among the headers) and to decode the kept content.
    pub decode: bool,
}

/// A reply, complete to the last byte.
pub struct Reply {
    /// The status, never informational but 101.
    pub status: StatusCode,
    /// The version spoken.
    pub version: hyper::Version,
    /// The header section.
    pub headers: HeaderMap,
    /// The content, decoded if that was asked; empty unless it was to be kept. It may share a connection's read
    /// buffer, so let go of it before long.
    pub body: Bytes,
}

/// Puts method, headers and content in their final shape. Where it goes is added by [`address`], once it is known which
/// version the connection speaks.
pub(super) fn compose(request: Request) -> Message {
    let payload = !request.body.is_empty() || has_payload(&request.method);
    let length = request.body.len();
    let mut message = Message::new(Full::new(request.body));
    let mut headers = request.headers;
    headers.remove(TRANSFER_ENCODING);
    if payload {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    } else {
        headers.remove(CONTENT_LENGTH);
    }
    if request.decode && !headers.contains_key(ACCEPT_ENCODING) {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(body::ACCEPTED));
    }
    *message.method_mut() = request.method;
    *message.headers_mut() = headers;
    message
}

/// Methods whose content has a meaning, so that its absence is stated as well (RFC 9110 section 8.6).
fn has_payload(method: &Method) -> bool {
    [Method::POST, Method::PUT, Method::PATCH].contains(method)
}

/// Says where the message goes, in the form of the version. May be applied again for a connection of another version.
pub(super) fn address(message: &mut Message, origin: &Origin, target: &PathAndQuery, http2: bool) {
    if http2 {
        let host = message.headers_mut().remove(HOST);
        let authority = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
        *message.uri_mut() = origin.absolute(authority, target.clone());
        return;
    }
    let given = message.uri().authority().and_then(|given| HeaderValue::from_str(given.as_str()).ok());
    if !message.headers().contains_key(HOST) {
        message.headers_mut().insert(HOST, given.unwrap_or_else(|| origin.host_field().clone()));
    }
    *message.uri_mut() = Uri::from(target.clone());
}
