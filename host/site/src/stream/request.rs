//! A request for a part of a stream: the path taken apart, and the time.

use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{DATE, HeaderValue};

use super::micros::{Micros, SECOND};
use super::refusal::Refusal;
use super::spec::StreamSpec;
use super::timestamp::HttpDate;
use super::track::Track;
use crate::body::BodySource;
use crate::page_outcome::{PageReply, with_media_type};
use crate::page_request::PageRequest;

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
        let spec = StreamSpec::parse(channel).map_err(Refusal::bad_request)?;
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
        Track::find(&self.spec, self.track).ok_or(Refusal::not_found("no such track"))
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

    /// Returns the number in the name of a segment.
    ///
    /// # Errors
    /// The file is not named as a segment of that track.
    pub(crate) fn segment_number(&self, track: &Track) -> Result<u64, Refusal> {
        let number = self.file.strip_suffix(track.container().extension()).and_then(|number| number.parse().ok());
        number.ok_or(Refusal::not_found("no such file"))
    }
}
