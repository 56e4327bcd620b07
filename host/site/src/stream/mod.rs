//! The streaming origin: live and recorded streams that a viewer can play in every way that players do, revealed by the
//! site's clock. Nothing is encoded and nothing is kept per viewer: playlists, sizes and what exists at a time are
//! computed from the name of a channel and the clock.
//!
//! | file | contents |
//! |---|---|
//! | `spec`, `choices`, `ladder` | the options in the name of a channel |
//! | `request`, `refusal` | a request taken apart, and the reply to one that cannot be served |
//! | `track`, `track_info` | segments of a rendition: place, size, bytes |
//! | `filler_track`, `filler` | tracks of filler |
//! | `media` | tracks of real media, from a folder |
//! | `window` | the segments that exist at a time |
//! | `hls`, `live`, `low_latency`, `vod` | playlists |
//! | `manifest` | replies with a playlist or manifest |
//! | `dash`, `mpd`, `mpd_period`, `segment_timeline` | DASH: segments as they are made, and manifests |
//! | `recording`, `whole_file`, `byte_range` | movies, and movies as one file |
//! | `directives` | the part of a query that asks for the next playlist |
//! | `faults`, `access`, `damage` | misbehaviour on demand: clocks, tokens and cookies, broken segments |
//! | `micros`, `timestamp` | times and their forms |

mod access;
mod byte_range;
mod choices;
mod damage;
mod dash;
mod directives;
mod faults;
mod filler;
mod filler_track;
mod hls;
mod ladder;
mod live;
mod low_latency;
mod manifest;
pub(crate) mod media;
mod micros;
mod mpd;
mod mpd_period;
mod recording;
mod refusal;
mod request;
mod segment_timeline;
mod spec;
mod timestamp;
mod track;
mod track_info;
mod vod;
mod whole_file;
mod window;

use hyper::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue};

use crate::page_outcome::PageOutcome;
use crate::page_request::PageRequest;
use crate::route::Route;
use refusal::Refusal;
use request::{Resource, StreamRequest};

/// Serves a route of a stream.
pub(crate) fn answer(page: &PageRequest<'_>) -> PageOutcome {
    let mut outcome = outcome(page).unwrap_or_else(PageOutcome::from);
    if let PageOutcome::Reply(reply) | PageOutcome::Delayed(_, reply) = &mut outcome {
        // A page with a player may come from another site.
        let fields = reply.headers_mut();
        fields.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        fields.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("date, content-length, content-range"));
    }
    outcome
}

fn outcome(page: &PageRequest<'_>) -> Result<PageOutcome, Refusal> {
    let request = StreamRequest::parse(page)?;
    access::check(&request)?;
    let entry = request.resource() == Resource::Entry;
    if let Some(reply) = entry.then(|| access::redirect(&request)).flatten() {
        return Ok(reply.into());
    }
    damage::apply(&request, serve(&request)?)
}

fn serve(request: &StreamRequest<'_>) -> Result<PageOutcome, Refusal> {
    Ok(match request.page.route {
        Route::LiveMaster | Route::LowLatencyMaster => hls::master(request).into(),
        Route::LiveInit | Route::LowLatencyInit => hls::init(request)?.into(),
        Route::LiveSegment | Route::LowLatencySegment => live::segment(request)?.into(),
        Route::LiveMedia => live::media(request)?.into(),
        Route::LowLatencyMedia => low_latency::media(request)?,
        Route::LowLatencyPart => low_latency::part(request)?,
        Route::VodMaster => hls::master(request).into(),
        Route::VodMedia => vod::media(request)?.into(),
        Route::VodInit => hls::init(request)?.into(),
        Route::VodSegment => recording::segment(request)?.into(),
        Route::VodFile => whole_file::file(request)?.into(),
        Route::VodKey => vod::key(request)?.into(),
        Route::DashVodManifest => dash::recorded_manifest(request)?.into(),
        Route::DashLiveManifest => dash::live_manifest(request)?.into(),
        Route::DashLowLatencyManifest => dash::low_latency_manifest(request)?.into(),
        Route::DashVodInit | Route::DashLiveInit | Route::DashLowLatencyInit => hls::init(request)?.into(),
        Route::DashVodSegment => recording::segment(request)?.into(),
        Route::DashVodFile => whole_file::file(request)?.into(),
        Route::DashLiveSegment => live::segment(request)?.into(),
        Route::DashLowLatencySegment => dash::low_latency_segment(request)?.into(),
        Route::DashTime => dash::time(request).into(),
        _ => return Err(Refusal::not_found("no such stream")),
    })
}
