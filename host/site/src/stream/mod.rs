//! The streaming origin: live and recorded streams that a viewer can play in every way that players do, revealed by the
//! site's clock. Nothing is encoded and nothing is kept per viewer: playlists, sizes and what exists at a time are
//! computed from the name of a channel and the clock.
//!
//! | file | contents |
//! |---|---|
//! | `spec`, `ladder` | the options in the name of a channel |
//! | `request`, `refusal` | a request taken apart, and the reply to one that cannot be served |
//! | `track`, `filler` | segments of a rendition: place, size, bytes |
//! | `window` | the segments that exist at a time |
//! | `hls`, `live` | playlists |
//! | `micros`, `timestamp` | times and their forms |

mod filler;
mod hls;
mod ladder;
mod live;
mod micros;
mod refusal;
mod request;
mod spec;
mod timestamp;
mod track;
mod window;

use hyper::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue};

use crate::page_outcome::{PageOutcome, PageReply};
use crate::page_request::PageRequest;
use crate::route::Route;
use refusal::Refusal;
use request::StreamRequest;

/// Serves a route of a stream.
pub(crate) fn answer(page: &PageRequest<'_>) -> PageOutcome {
    let mut outcome = reply(page).map_or_else(PageOutcome::from, PageOutcome::from);
    if let PageOutcome::Reply(reply) = &mut outcome {
        // A page with a player may come from another site.
        let fields = reply.headers_mut();
        fields.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        fields.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("date, content-length, content-range"));
    }
    outcome
}

fn reply(page: &PageRequest<'_>) -> Result<PageReply, Refusal> {
    let request = StreamRequest::parse(page)?;
    match page.route {
        Route::LiveMaster => Ok(hls::master(&request)),
        Route::LiveMedia => live::media(&request),
        Route::LiveInit => hls::init(&request),
        Route::LiveSegment => live::segment(&request),
        _ => Err(Refusal::not_found("no such stream")),
    }
}
