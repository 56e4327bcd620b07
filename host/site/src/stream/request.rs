//! A request for a part of a stream: the path taken apart, and the time.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::HOST;
use hyper::http::uri::Authority;

use super::choices::Addressing;
use super::faults::StreamClock;
use super::filler_track::FillerTrack;
use super::micros::{Micros, SECOND};
use super::refusal::Refusal;
use super::spec::StreamSpec;
use super::track::Track;
use crate::page_outcome::{PageOutcome, error_reply};
use crate::page_request::PageRequest;
use crate::route::Route;

/// A kind of thing that a viewer asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// The master playlist or the manifest, with which a viewer begins; or the clock.
    Entry,
    /// The playlist of a track.
    Playlist,
    /// Media, or a key to them.
    Media,
}

/// A request whose route is one of a stream's.
pub(crate) struct StreamRequest<'a> {
    /// The whole request.
    pub page: &'a PageRequest<'a>,
    /// The channel or movie with its options, as in the path.
    pub channel: &'a str,
    /// The options. The begin of the stream is that at the time.
    pub spec: StreamSpec,
    /// Name of the track; empty in requests for the whole stream.
    pub track: &'a str,
    /// Name of the file.
    pub file: &'a str,
    /// Wall-clock time, since the Unix epoch.
    pub wall: Micros,
    /// The clock of the stream.
    clock: StreamClock,
}

impl<'a> StreamRequest<'a> {
    /// Takes the path of a request apart.
    ///
    /// # Errors
    /// The options of the channel are wrong.
    pub(crate) fn parse(page: &'a PageRequest<'a>) -> Result<Self, Refusal> {
        let (channel, rest) = page.path_rest().split_once('/').unwrap_or_default();
        let (track, file) = rest.rsplit_once('/').unwrap_or(("", rest));
        let mut spec = StreamSpec::parse(channel, page.shared.media.as_ref()).map_err(Refusal::bad_request)?;
        if spec.keys.is_some() && !page.parts.uri.path().starts_with("/vod/") {
            return Err(Refusal::bad_request("`keys` is for movies in HLS"));
        }
        if spec.faults.skew != 0 && !page.parts.uri.path().starts_with("/live/") {
            return Err(Refusal::bad_request("`skew` is for live HLS without parts"));
        }
        let site_start = page.shared.timer.epoch();
        let wall = micros(site_start + page.shared.timer.now());
        let clock = spec.faults.clock(spec.start, micros(site_start), wall);
        spec.start = clock.start;
        Ok(Self { page, channel, spec, track, file, wall, clock })
    }

    /// Returns the track that the path names.
    ///
    /// # Errors
    /// The stream has no such track.
    pub(crate) fn track(&self) -> Result<Track, Refusal> {
        let track = match &self.page.shared.media {
            Some(media) => media.find(self.track).map(|track| Track::Media(Arc::clone(track))),
            None => FillerTrack::find(&self.spec, self.track).map(Track::Filler),
        };
        track.ok_or(Refusal::not_found("no such track"))
    }

    /// Returns all tracks: qualities in ascending order, then audio if it is apart.
    pub(crate) fn tracks(&self) -> Vec<Track> {
        match &self.page.shared.media {
            Some(media) => media.tracks.iter().map(|track| Track::Media(Arc::clone(track))).collect(),
            None => FillerTrack::all(&self.spec).into_iter().map(Track::Filler).collect(),
        }
    }

    /// Returns the time on the axis of the stream.
    ///
    /// # Errors
    /// The stream has not begun.
    pub(crate) fn position(&self) -> Result<Micros, Refusal> {
        self.clock.wall.checked_sub(self.spec.start).ok_or(Refusal::not_found("the stream has not begun"))
    }

    /// Returns the wall-clock time of the last change of the stream.
    pub(crate) fn published(&self) -> Micros {
        self.clock.wall
    }

    /// Returns `true` if the stream does not go on.
    pub(crate) fn is_frozen(&self) -> bool {
        self.clock.is_frozen
    }

    /// Returns the outcome of a request for something that exists from a position on: to wait for it. A stream that
    /// does not go on makes its viewers wait for three target durations, and then answers 503 (RFC 8216bis, section
    /// 6.2.5.2).
    pub(crate) fn wait_until(&self, position: Micros, target: Micros) -> PageOutcome {
        if self.is_frozen() {
            let reply = error_reply(StatusCode::SERVICE_UNAVAILABLE, "the stream does not go on");
            return PageOutcome::Delayed(Duration::from_micros(3 * target), reply);
        }
        PageOutcome::Again(self.timer_time(position))
    }

    /// Returns the kind of what is asked for.
    pub(crate) fn resource(&self) -> Resource {
        match self.page.route {
            Route::LiveMaster | Route::LowLatencyMaster | Route::VodMaster => Resource::Entry,
            Route::DashVodManifest | Route::DashLiveManifest | Route::DashLowLatencyManifest => Resource::Entry,
            Route::DashTime => Resource::Entry,
            Route::LiveMedia | Route::LowLatencyMedia | Route::VodMedia => Resource::Playlist,
            _ => Resource::Media,
        }
    }

    /// Returns the number of the segment that is asked for, or a part of which is.
    pub(crate) fn named_segment(&self) -> Option<u64> {
        match self.page.route {
            Route::LowLatencyPart => self.file.split('.').next()?.parse().ok(),
            Route::LiveSegment | Route::LowLatencySegment | Route::VodSegment => self.numbered_segment(),
            Route::DashVodSegment | Route::DashLiveSegment | Route::DashLowLatencySegment => self.numbered_segment(),
            _ => None,
        }
    }

    fn numbered_segment(&self) -> Option<u64> {
        self.segment_number(&self.track().ok()?).ok()
    }

    /// Converts a time on the axis of the stream to one of the site's timer.
    pub(crate) fn timer_time(&self, position: Micros) -> Duration {
        let wall = Duration::from_micros(self.spec.start.saturating_add(position));
        wall.saturating_sub(self.page.shared.timer.epoch())
    }

    /// Returns the number of the segment that the file's name tells: by its number, or by its begin if the manifest has
    /// times.
    ///
    /// # Errors
    /// The file is not named as a segment of that track.
    pub(crate) fn segment_number(&self, track: &Track) -> Result<u64, Refusal> {
        let name = self.file.strip_suffix(track.container().extension()).and_then(|name| name.parse().ok());
        let name = name.ok_or(Refusal::not_found("no such file"))?;
        if !self.has_times() {
            let number = u64::checked_sub(name, self.name_offset(track));
            return number.ok_or(Refusal::not_found("the segments begin with a higher number"));
        }
        let number = track.number_at(name);
        let begins = track.segment(number).start == name;
        begins.then_some(number).ok_or(Refusal::not_found("no segment begins at that time"))
    }

    /// Returns by how much the numbers in the names of a track's segments are higher than those of the segments.
    pub(crate) fn name_offset(&self, track: &Track) -> u64 {
        match self.spec.faults.skew {
            0 => 0,
            skew => skew * self.tracks().iter().take_while(|other| other.name() != track.name()).count() as u64,
        }
    }

    /// Returns `true` if the names of segments are times.
    fn has_times(&self) -> bool {
        let is_dash =
            matches!(self.page.route, Route::DashVodSegment | Route::DashLiveSegment | Route::DashLowLatencySegment);
        is_dash && self.spec.addressing == Addressing::Timeline
    }

    /// Returns scheme and authority of the site as the client knows it; empty if it does not say.
    pub(crate) fn origin(&self) -> String {
        let authority = self.page.parts.uri.authority().map(Authority::as_str);
        authority.or(self.page.header(HOST.as_str())).map(|host| format!("http://{host}")).unwrap_or_default()
    }
}

fn micros(wall: Duration) -> Micros {
    wall.as_secs().saturating_mul(SECOND).saturating_add(u64::from(wall.subsec_micros()))
}
