//! The outcome of a page, and functions for the usual ones.

use std::time::Duration;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::{Response, StatusCode};
use serde::Serialize;

use super::abortable_stream::AbortMode;
use super::body::BodySource;

/// A reply whose body is not counted yet.
pub(crate) type PageReply = Response<BodySource>;

/// The outcome of a request.
pub(crate) enum PageOutcome {
    /// The request is answered at once.
    Reply(PageReply),
    /// The request is answered this long after it was received.
    Delayed(Duration, PageReply),
    /// The page is asked again at this time of the site's timer: what the request is for does not exist yet.
    Again(Duration),
    /// The request is answered with 101, and the connection becomes a WebSocket.
    WebSocket(PageReply),
    /// The request gets no reply; the connection ends in this way (HTTP/1), or the stream is reset (HTTP/2).
    Abort(AbortMode),
}

impl From<PageReply> for PageOutcome {
    fn from(reply: PageReply) -> Self {
        Self::Reply(reply)
    }
}

/// Returns a reply with a status only.
pub(crate) fn empty(status: StatusCode) -> PageReply {
    with_body(status, BodySource::whole(Bytes::new()))
}

/// Returns a reply with a status and a body without a media type.
pub(crate) fn with_body(status: StatusCode, body: BodySource) -> PageReply {
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    reply
}

/// Returns a reply with a status and a body of that media type.
pub(crate) fn with_media_type(status: StatusCode, media_type: &'static str, body: BodySource) -> PageReply {
    let mut reply = with_body(status, body);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    reply
}

/// Returns a reply with a text that is JSON already.
pub(crate) fn json(status: StatusCode, text: impl Into<Bytes>) -> PageReply {
    with_media_type(status, "application/json", BodySource::whole(text))
}

/// Returns 200 with a value as JSON.
pub(crate) fn json_value(value: &impl Serialize) -> PageReply {
    match serde_json::to_vec(value) {
        Ok(text) => json(StatusCode::OK, text),
        Err(error) => error_reply(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// Returns a status of failure with a message as JSON.
pub(crate) fn error_reply(status: StatusCode, why: &str) -> PageReply {
    json(status, serde_json::json!({ "error": why }).to_string())
}

/// Returns 400 with a message.
pub(crate) fn bad_request(why: &str) -> PageOutcome {
    error_reply(StatusCode::BAD_REQUEST, why).into()
}

/// Returns 302 to a location, or 400 if the location is not valid in a header section.
pub(crate) fn redirect_found(location: &str) -> PageOutcome {
    let Ok(value) = HeaderValue::from_str(location) else {
        return bad_request("the location holds characters that a header field cannot");
    };
    let mut reply = empty(StatusCode::FOUND);
    reply.headers_mut().insert(LOCATION, value);
    reply.into()
}
