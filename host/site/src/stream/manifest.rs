//! Replies with a playlist or manifest.

use hyper::StatusCode;
use hyper::header::{DATE, HeaderValue};

use super::access;
use super::request::StreamRequest;
use super::timestamp::HttpDate;
use crate::body::BodySource;
use crate::page_outcome::{PageReply, with_media_type};

/// Returns a reply with a playlist or manifest. Its `date` is of the site's clock, which may be virtual: players
/// compare it with the times in manifests.
pub(crate) fn reply(request: &StreamRequest<'_>, media_type: &'static str, text: String) -> PageReply {
    let text = access::with_token(request, text);
    let mut reply = with_media_type(StatusCode::OK, media_type, BodySource::whole(text));
    access::add_cookies(request, &mut reply);
    if let Ok(date) = HeaderValue::try_from(HttpDate(request.wall).to_string()) {
        reply.headers_mut().insert(DATE, date);
    }
    reply
}
