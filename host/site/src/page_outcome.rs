//! What a page decides, and the usual ways to say it.

use std::time::Duration;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::{Response, StatusCode};
use serde::Serialize;

use super::abortable_stream::AbortMode;
use super::body::BodySource;

/// A reply whose body is not counted yet.
pub type PageReply = Response<BodySource>;

/// What becomes of a request.
pub enum PageOutcome {
    /// It is answered at once.
    Reply(PageReply),
    /// It is answered so long after it was received.
    Delayed(Duration, PageReply),
    /// It is answered with 101, and the connection becomes a WebSocket.
    WebSocket(PageReply),
    /// It gets no reply; this happens to the connection (HTTP/1) or the stream is reset (HTTP/2).
    Abort(AbortMode),
}

impl From<PageReply> for PageOutcome {
    fn from(reply: PageReply) -> Self {
        Self::Reply(reply)
    }
}

/// A status and nothing else.
pub fn empty(status: StatusCode) -> PageReply {
    with_body(status, BodySource::whole(Bytes::new()))
}

/// A status and a body without a type.
pub fn with_body(status: StatusCode, body: BodySource) -> PageReply {
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    reply
}

/// A status and a body of that media type.
pub fn with_media_type(status: StatusCode, media_type: &'static str, body: BodySource) -> PageReply {
    let mut reply = with_body(status, body);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    reply
}

/// Text that is JSON already.
pub fn json(status: StatusCode, text: impl Into<Bytes>) -> PageReply {
    with_media_type(status, "application/json", BodySource::whole(text))
}

/// 200 and a value as JSON.
pub fn json_value(value: &impl Serialize) -> PageReply {
    match serde_json::to_vec(value) {
        Ok(text) => json(StatusCode::OK, text),
        Err(error) => error_reply(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// A status of failure, and why, as JSON.
pub fn error_reply(status: StatusCode, why: &str) -> PageReply {
    json(status, serde_json::json!({ "error": why }).to_string())
}

/// 400 and why.
pub fn bad_request(why: &str) -> PageOutcome {
    error_reply(StatusCode::BAD_REQUEST, why).into()
}

/// 302 to that location, or 400 if it cannot stand in a header section.
pub fn redirect_found(location: &str) -> PageOutcome {
    let Ok(value) = HeaderValue::from_str(location) else {
        return bad_request("the location holds characters that a header field cannot");
    };
    let mut reply = empty(StatusCode::FOUND);
    reply.headers_mut().insert(LOCATION, value);
    reply.into()
}
