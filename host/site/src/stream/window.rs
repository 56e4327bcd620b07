//! The segments of a live stream that exist at a time. Everything follows from the clock: there is no encoder and no
//! state, so all viewers see the same stream, also at two sites.

use std::ops::Range;

use super::micros::Micros;
use super::track::Track;
use super::track_info::SegmentInfo;

/// The segments that a live playlist lists, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LiveWindow {
    /// The first listed segment.
    pub first: u64,
    /// The segment after the last listed one: the one in progress.
    pub end: u64,
}

impl LiveWindow {
    /// Returns the complete segments of the last `length` before a position.
    pub(crate) fn at(track: &Track, position: Micros, length: Micros) -> Self {
        let end = track.number_at(position);
        let first = track.number_from(track.segment(end).start.saturating_sub(length));
        Self { first, end }
    }

    /// Returns the numbers of the listed segments.
    pub(crate) fn numbers(&self) -> Range<u64> {
        self.first..self.end
    }
}

/// Place of a low-latency stream at a time: the complete parts of the segment in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LiveEdge {
    /// The segment in progress.
    pub number: u64,
    /// Number of its parts that are complete.
    pub parts: u64,
}

impl LiveEdge {
    /// Returns the edge at a position.
    pub(crate) fn at(track: &Track, position: Micros) -> Self {
        let number = track.number_at(position);
        Self { number, parts: track.parts_until(number, position) }
    }

    /// Returns the end of the last complete part.
    pub(crate) fn end(&self, track: &Track) -> Micros {
        track.part(self.number, self.parts).map_or(track.segment(self.number).start, |part| part.start)
    }

    /// Returns the last complete part.
    pub(crate) fn last_part(&self, track: &Track) -> Option<PartName> {
        match (self.parts.checked_sub(1), self.number.checked_sub(1)) {
            (Some(index), _) => Some(PartName { number: self.number, index }),
            (None, Some(number)) => Some(PartName { number, index: track.part_count(number) - 1 }),
            (None, None) => None,
        }
    }
}

/// A part, by the numbers in its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PartName {
    /// Number of its segment.
    pub number: u64,
    /// Its place in the segment, from 0.
    pub index: u64,
}

/// Returns `true` once a segment cannot be requested any more: when it has left the playlist, and after that its own
/// duration and that of the playlist have passed (RFC 8216, section 6.2.2).
pub(crate) fn has_left(segment: &SegmentInfo, position: Micros, length: Micros) -> bool {
    position >= segment.end().saturating_add(2 * length + segment.duration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::filler_track::FillerTrack;
    use crate::stream::micros::SECOND;
    use crate::stream::spec::StreamSpec;

    fn track() -> Track {
        Track::Filler(FillerTrack::find(&StreamSpec::default(), "800k").unwrap())
    }

    #[test]
    fn the_window_slides_by_whole_segments() {
        let at = |seconds| {
            let LiveWindow { first, end } = LiveWindow::at(&track(), seconds * SECOND, 12 * SECOND);
            (first, end)
        };
        assert_eq!(
            [at(0), at(3), at(4), at(12), at(15), at(16), at(20)],
            [(0, 0), (0, 0), (0, 1), (0, 3), (0, 3), (1, 4), (2, 5)]
        );
    }

    #[test]
    fn a_window_begins_with_a_whole_segment() {
        assert_eq!((track().number_from(8 * SECOND), track().number_from(8 * SECOND + 1)), (2, 3));
    }

    #[test]
    fn a_segment_stays_for_its_duration_and_that_of_the_playlist() {
        let segment = track().segment(5);
        let left = |seconds: u64| has_left(&segment, seconds * SECOND, 12 * SECOND);
        assert_eq!([left(24), left(51), left(52)], [false, false, true]);
    }

    #[test]
    fn the_edge_moves_by_parts() {
        let edge = |milliseconds: u64| LiveEdge::at(&track(), milliseconds * 1_000);
        assert_eq!(edge(499), LiveEdge { number: 0, parts: 0 });
        assert_eq!(edge(500), LiveEdge { number: 0, parts: 1 });
        assert_eq!(edge(3_999), LiveEdge { number: 0, parts: 7 });
        assert_eq!(edge(4_000), LiveEdge { number: 1, parts: 0 });
        assert_eq!(edge(499).last_part(&track()), None);
        assert_eq!(edge(500).last_part(&track()), Some(PartName { number: 0, index: 0 }));
        assert_eq!(edge(4_000).last_part(&track()), Some(PartName { number: 0, index: 7 }));
        assert_eq!([edge(499).end(&track()), edge(4_600).end(&track())], [0, 4_500_000]);
    }
}
