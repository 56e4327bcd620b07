//! Pages that break the rules of HTTP or TCP, each in one way.

use hyper::header::{CONTENT_LENGTH, HeaderValue};

use super::outcome::{Outcome, Reply};
use super::plain;
use super::route::Route;
use super::wire::Fate;

/// Misbehaves as the route's name says.
pub fn now(route: Route) -> Outcome {
    match route {
        Route::Reset => Outcome::Nothing(Fate::Reset),
        Route::Malformed => Outcome::Nothing(Fate::Garble),
        Route::Truncated => truncated().into(),
        Route::Endless => plain::endless().into(),
        _ => Outcome::Nothing(Fate::Close),
    }
}

/// Says 1024 bytes, sends 512.
fn truncated() -> Reply {
    let mut reply = plain::truncated(512);
    reply.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("1024"));
    reply
}
