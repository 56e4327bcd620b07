//! The catalogue of movies, and starting to stream one.

use hyper::StatusCode;
use hyper::header::{HeaderValue, LOCATION};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::page_outcome::{PageOutcome, bad_request, error_reply, json};
use super::page_request::PageRequest;
use super::{auth, hash};

/// All characters except those that RFC 3986 calls unreserved.
const PATH_SEGMENT_SET: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Body of a request to `/api/v1/stream/start`.
#[derive(Deserialize)]
struct StreamStartBody {
    movie_id: String,
}

/// Serves `/api/v1/catalog?page=N`; the first page if N is absent.
pub(crate) fn page(ask: &PageRequest<'_>) -> PageOutcome {
    let page = ask.query_number("page", 1).ok().and_then(|number| ask.shared.catalog.page(number));
    page.map_or_else(|| bad_request("`page` is not a number from 1 to 1000"), |text| json(StatusCode::OK, text).into())
}

/// Serves `/api/v1/stream/start`. Any movie id that is not empty is accepted.
pub(crate) fn start_stream(ask: &PageRequest<'_>) -> PageOutcome {
    if !auth::is_signed_in(ask) {
        return auth::unauthorized().into();
    }
    match serde_json::from_slice(&ask.body) {
        Ok(StreamStartBody { movie_id }) if !movie_id.is_empty() => started(&movie_id),
        _ => error_reply(StatusCode::UNPROCESSABLE_ENTITY, "the body is not JSON with a `movie_id`").into(),
    }
}

fn started(movie: &str) -> PageOutcome {
    let session = hash::hash_bytes(movie.as_bytes());
    let playlist = format!("/hls/{}/master.m3u8", utf8_percent_encode(movie, PATH_SEGMENT_SET));
    // A percent-encoded path needs no escapes in JSON.
    let mut reply = json(StatusCode::CREATED, format!(r#"{{"session":"{session:016x}","playlist":"{playlist}"}}"#));
    if let Ok(location) = HeaderValue::try_from(playlist) {
        reply.headers_mut().insert(LOCATION, location);
    }
    reply.into()
}
