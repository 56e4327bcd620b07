//! The catalogue of movies, and starting to stream one.

use hyper::StatusCode;
use hyper::header::{HeaderValue, LOCATION};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::ask::Ask;
use super::outcome::{Outcome, bad, json, refuse};
use super::{auth, hash};

/// All but what RFC 3986 calls unreserved.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What `/api/v1/stream/start` wants.
#[derive(Deserialize)]
struct Start {
    movie_id: String,
}

/// `/api/v1/catalog?page=N`; the first page if N is absent.
pub fn page(ask: &Ask<'_>) -> Outcome {
    let page = ask.number("page", 1).ok().and_then(|number| ask.shared.catalog.page(number));
    page.map_or_else(|| bad("`page` is not a number from 1 to 1000"), |text| json(StatusCode::OK, text).into())
}

/// `/api/v1/stream/start`. Any movie id will do that is not empty.
pub fn start_stream(ask: &Ask<'_>) -> Outcome {
    if !auth::signed_in(ask) {
        return auth::unauthorized().into();
    }
    match serde_json::from_slice(&ask.body) {
        Ok(Start { movie_id }) if !movie_id.is_empty() => started(&movie_id),
        _ => refuse(StatusCode::UNPROCESSABLE_ENTITY, "the body is not JSON with a `movie_id`").into(),
    }
}

fn started(movie: &str) -> Outcome {
    let session = hash::digest(movie.as_bytes());
    let playlist = format!("/hls/{}/master.m3u8", utf8_percent_encode(movie, SEGMENT));
    // An escaped path needs no escapes in JSON.
    let mut reply = json(StatusCode::CREATED, format!(r#"{{"session":"{session:016x}","playlist":"{playlist}"}}"#));
    if let Ok(location) = HeaderValue::try_from(playlist) {
        reply.headers_mut().insert(LOCATION, location);
    }
    reply.into()
}
