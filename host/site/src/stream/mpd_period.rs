//! The periods of a DASH manifest: a stream in one piece, or in pieces of one duration whose segments go on.

use std::ops::Range;

use super::micros::Micros;
use super::recording::Recording;
use super::request::StreamRequest;
use super::track::Track;

/// The kind of stream that a manifest describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presentation {
    /// A movie.
    Recorded,
    /// A live stream of complete segments, at a position.
    Live(Micros),
    /// A live stream whose segments can be requested while they are made, at a position.
    LowLatency(Micros),
}

/// A period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MpdPeriod {
    /// Its number, from 0.
    pub number: u64,
    /// Its begin on the axis of the stream.
    pub start: Micros,
    /// Its end.
    end: Micros,
}

impl MpdPeriod {
    /// Returns the periods that a manifest has to list: one without end, unless the stream has periods.
    pub(crate) fn all(request: &StreamRequest<'_>, presentation: Presentation) -> Vec<Self> {
        let length = request.spec.period;
        if length == 0 {
            return vec![Self { number: 0, start: 0, end: Micros::MAX }];
        }
        let (begin, end) = match presentation {
            Presentation::Recorded => (0, recorded_end(request).saturating_sub(1)),
            Presentation::Live(position) | Presentation::LowLatency(position) => {
                (position.saturating_sub(request.spec.window), position)
            }
        };
        let numbers = begin / length..=end / length;
        numbers.map(|number| Self { number, start: number * length, end: (number + 1) * length }).collect()
    }

    /// Returns the numbers of the segments that begin in the period.
    pub(crate) fn numbers(&self, track: &Track) -> Range<u64> {
        let end = if self.end == Micros::MAX { u64::MAX } else { track.number_from(self.end) };
        track.number_from(self.start)..end
    }
}

/// Returns the end of the longest track of a movie.
pub(crate) fn recorded_end(request: &StreamRequest<'_>) -> Micros {
    let ends = request.tracks().into_iter().map(|track| Recording::new(track, &request.spec).end());
    ends.max().unwrap_or_default()
}
