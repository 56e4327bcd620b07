//! A request for a part of a stream: the path taken apart, and the time.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{DATE, HOST, HeaderValue};
use hyper::http::uri::Authority;

use super::choices::Addressing;
use super::filler_track::FillerTrack;
use super::micros::{Micros, SECOND};
use super::refusal::Refusal;
use super::spec::StreamSpec;
use super::timestamp::HttpDate;
use super::track::Track;
use crate::body::BodySource;
use crate::page_outcome::{PageReply, with_media_type};
use crate::page_request::PageRequest;
use crate::route::Route;

/// A request whose route is one of a stream's.
pub(crate) struct StreamRequest<'a> {
    /// The whole request.
    pub page: &'a PageRequest<'a>,
    /// The options of the channel or movie.
    pub spec: StreamSpec,
    /// Name of the track; empty in requests for the whole stream.
    pub track: &'a str,
    /// Name of the file.
    pub file: &'a str,
    /// Wall-clock time, since the Unix epoch.
    pub wall: Micros,
}

impl<'a> StreamRequest<'a> {
    /// Takes the path of a request apart.
    ///
    /// # Errors
    /// The options of the channel are wrong.
    pub(crate) fn parse(page: &'a PageRequest<'a>) -> Result<Self, Refusal> {
        let (channel, rest) = page.path_rest().split_once('/').unwrap_or_default();
        let (track, file) = rest.rsplit_once('/').unwrap_or(("", rest));
        let spec = StreamSpec::parse(channel, page.shared.media.as_ref()).map_err(Refusal::bad_request)?;
        if spec.keys.is_some() && !page.parts.uri.path().starts_with("/vod/") {
            return Err(Refusal::bad_request("`keys` is for movies in HLS"));
        }
        let wall = page.shared.timer.epoch() + page.shared.timer.now();
        let wall = wall.as_secs().saturating_mul(SECOND).saturating_add(u64::from(wall.subsec_micros()));
        Ok(Self { page, spec, track, file, wall })
    }

    /// Returns a reply with a playlist or manifest. Its `date` is of the site's clock, which may be virtual: players
    /// compare it with the times in manifests.
    pub(crate) fn manifest(&self, media_type: &'static str, text: String) -> PageReply {
        let mut reply = with_media_type(StatusCode::OK, media_type, BodySource::whole(text));
        if let Ok(date) = HeaderValue::try_from(HttpDate(self.wall).to_string()) {
            reply.headers_mut().insert(DATE, date);
        }
        reply
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
        self.wall.checked_sub(self.spec.start).ok_or(Refusal::not_found("the stream has not begun"))
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
            return Ok(name);
        }
        let number = track.number_at(name);
        let begins = track.segment(number).start == name;
        begins.then_some(number).ok_or(Refusal::not_found("no segment begins at that time"))
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
