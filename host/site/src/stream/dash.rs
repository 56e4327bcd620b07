//! DASH: manifests and segments, recorded and live. Segments of a low-latency stream arrive part by part, as they are
//! made.

use hyper::StatusCode;

use super::choices::{Addressing, Container};
use super::hls;
use super::manifest;
use super::mpd;
use super::mpd_period::Presentation;
use super::refusal::Refusal;
use super::request::StreamRequest;
use super::timestamp::IsoTime;
use super::track::Track;
use super::window::has_left;
use crate::body::{BodySource, PacedPiece, PacedPieces};
use crate::page_outcome::{PageReply, with_media_type};

/// Media type of manifests.
const MANIFEST: &str = "application/dash+xml";

/// Serves the manifest of a movie.
///
/// # Errors
/// The options are not for DASH.
pub(crate) fn recorded_manifest(request: &StreamRequest<'_>) -> Result<PageReply, Refusal> {
    manifest_of(request, Presentation::Recorded)
}

/// Serves the manifest of a live stream. A stream that has not begun has one, with its beginning.
///
/// # Errors
/// The options are not for live DASH.
pub(crate) fn live_manifest(request: &StreamRequest<'_>) -> Result<PageReply, Refusal> {
    manifest_of(request, Presentation::Live(request.position().unwrap_or_default()))
}

/// Serves the manifest of a live stream in parts.
///
/// # Errors
/// The options are not for live DASH.
pub(crate) fn low_latency_manifest(request: &StreamRequest<'_>) -> Result<PageReply, Refusal> {
    manifest_of(request, Presentation::LowLatency(request.position().unwrap_or_default()))
}

fn manifest_of(request: &StreamRequest<'_>, presentation: Presentation) -> Result<PageReply, Refusal> {
    if request.spec.container == Container::TransportStream {
        return Err(Refusal::bad_request("DASH is served in `container=fmp4` only"));
    }
    if request.spec.addressing == Addressing::Base && presentation != Presentation::Recorded {
        return Err(Refusal::bad_request("`index=base` is for movies"));
    }
    if request.spec.addressing == Addressing::Base && request.spec.period != 0 {
        return Err(Refusal::bad_request("`index=base` is for movies of one period"));
    }
    Ok(manifest::reply(request, MANIFEST, mpd::text(request, presentation)))
}

/// Serves a segment of a low-latency stream: a complete one at once, the one in progress part by part.
///
/// # Errors
/// The segment does not exist at the time.
pub(crate) fn low_latency_segment(request: &StreamRequest<'_>) -> Result<PageReply, Refusal> {
    let track = request.track()?;
    let number = request.segment_number(&track)?;
    let (segment, position) = (track.segment(number), request.position()?);
    let never_ends = request.is_frozen() && position < segment.end();
    if position < segment.start || never_ends || has_left(&segment, position, request.spec.window) {
        return Err(Refusal::not_found("the segment does not exist at this time"));
    }
    let body = if segment.end() <= position { track.segment_body(number) } else { paced(request, &track, number) };
    Ok(hls::media(&track, body))
}

/// Returns the parts of a segment, each when it is complete.
fn paced(request: &StreamRequest<'_>, track: &Track, number: u64) -> BodySource {
    let track = track.clone();
    let (epoch, start) = (request.page.shared.timer.epoch(), request.spec.start);
    let pieces = (0..track.part_count(number)).filter_map(move |index| {
        let part = track.part(number, index)?;
        let due = std::time::Duration::from_micros(start.saturating_add(part.end())).saturating_sub(epoch);
        let slices = track.segment_slice(number, &part.bytes).into_iter();
        Some(slices.map(move |content| PacedPiece { due, content }))
    });
    BodySource::Paced(PacedPieces::new(request.page.shared, pieces.flatten()))
}

/// Serves the time of the site's clock.
pub(crate) fn time(request: &StreamRequest<'_>) -> PageReply {
    with_media_type(StatusCode::OK, "text/plain", BodySource::whole(IsoTime(request.wall).to_string()))
}
