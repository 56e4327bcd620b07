//! A recorded stream: the first segments of a track, all of which exist at any time.

use std::ops::Range;

use super::hls;
use super::micros::Micros;
use super::refusal::Refusal;
use super::request::StreamRequest;
use super::spec::StreamSpec;
use super::track::Track;
use crate::page_outcome::PageReply;

/// A recorded track.
#[derive(Clone)]
pub(crate) struct Recording {
    /// The track.
    pub track: Track,
    /// Number of segments.
    pub count: u64,
}

impl Recording {
    /// Records the first segments of a track, whole ones, for the length of the movie.
    pub(crate) fn new(track: Track, spec: &StreamSpec) -> Self {
        let count = track.number_from(spec.length).max(1);
        Self { track, count }
    }

    /// Returns the recorded track that the path names.
    ///
    /// # Errors
    /// The stream has no such track.
    pub(crate) fn of(request: &StreamRequest<'_>) -> Result<Self, Refusal> {
        Ok(Self::new(request.track()?, &request.spec))
    }

    /// Returns the numbers of the segments.
    pub(crate) fn numbers(&self) -> Range<u64> {
        0..self.count
    }

    /// Returns the end of the last segment.
    pub(crate) fn end(&self) -> Micros {
        self.track.segment(self.count).start
    }
}

/// Serves a segment.
///
/// # Errors
/// The movie has no such segment.
pub(crate) fn segment(request: &StreamRequest<'_>) -> Result<PageReply, Refusal> {
    let recording = Recording::of(request)?;
    let number = request.segment_number(&recording.track)?;
    if number >= recording.count {
        return Err(Refusal::not_found("the movie has no such segment"));
    }
    Ok(hls::media(&recording.track, recording.track.segment_body(number)))
}
