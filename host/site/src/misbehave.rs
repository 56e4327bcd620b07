//! Pages that break the rules of HTTP or TCP, each in one way.

use hyper::header::{CONTENT_LENGTH, HeaderValue};

use super::abortable_stream::AbortMode;
use super::exact;
use super::page_outcome::{PageOutcome, PageReply};
use super::route::Route;

/// Misbehaves in the way that the route names.
pub(crate) fn misbehave(route: Route) -> PageOutcome {
    match route {
        Route::Reset => PageOutcome::Abort(AbortMode::Reset),
        Route::Malformed => PageOutcome::Abort(AbortMode::Garble),
        Route::Truncated => truncated().into(),
        Route::Endless => exact::endless().into(),
        _ => PageOutcome::Abort(AbortMode::Close),
    }
}

/// Announces 1024 bytes, sends 512.
fn truncated() -> PageReply {
    let mut reply = exact::truncated(512);
    reply.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("1024"));
    reply
}
