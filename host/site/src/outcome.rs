//! What a page decides, and the usual ways to say it.

use std::time::Duration;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::{Response, StatusCode};
use serde::Serialize;

use super::body::Source;
use super::wire::Fate;

/// A reply whose body is not counted yet.
pub type Reply = Response<Source>;

/// What becomes of a request.
pub enum Outcome {
    /// It is answered at once.
    Reply(Reply),
    /// It is answered so long after it was received.
    After(Duration, Reply),
    /// It is answered with 101, and the connection becomes a WebSocket.
    WebSocket(Reply),
    /// It gets no reply; this happens to the connection (HTTP/1) or the stream is reset (HTTP/2).
    Nothing(Fate),
}

impl From<Reply> for Outcome {
    fn from(reply: Reply) -> Self {
        Self::Reply(reply)
    }
}

/// A status and nothing else.
pub fn empty(status: StatusCode) -> Reply {
    with(status, Source::whole(Bytes::new()))
}

/// A status and a body without a type.
pub fn with(status: StatusCode, body: Source) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    reply
}

/// A status and a body of that media type.
pub fn typed(status: StatusCode, media_type: &'static str, body: Source) -> Reply {
    let mut reply = with(status, body);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    reply
}

/// Text that is JSON already.
pub fn json(status: StatusCode, text: impl Into<Bytes>) -> Reply {
    typed(status, "application/json", Source::whole(text))
}

/// 200 and a value as JSON.
pub fn serialized(value: &impl Serialize) -> Reply {
    match serde_json::to_vec(value) {
        Ok(text) => json(StatusCode::OK, text),
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// A status of failure, and why, as JSON.
pub fn refuse(status: StatusCode, why: &str) -> Reply {
    json(status, serde_json::json!({ "error": why }).to_string())
}

/// 400 and why.
pub fn bad(why: &str) -> Outcome {
    refuse(StatusCode::BAD_REQUEST, why).into()
}

/// 302 to that location, or 400 if it cannot stand in a header section.
pub fn found(location: &str) -> Outcome {
    let Ok(value) = HeaderValue::from_str(location) else {
        return bad("the location holds characters that a header field cannot");
    };
    let mut reply = empty(StatusCode::FOUND);
    reply.headers_mut().insert(LOCATION, value);
    reply.into()
}
