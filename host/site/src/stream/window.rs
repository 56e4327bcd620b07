//! The segments of a live stream that exist at a time. Everything follows from the clock: there is no encoder and no
//! state, so all viewers see the same stream, also at two sites.

use super::micros::Micros;
use super::track::{SegmentInfo, Track};

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
}

/// Returns `true` while a segment can be requested: from its end on, and, after it has left the playlist, for its own
/// duration and that of the playlist (RFC 8216, section 6.2.2).
pub(crate) fn is_available(segment: &SegmentInfo, position: Micros, length: Micros) -> bool {
    segment.end() <= position && position < segment.end() + 2 * length + segment.duration
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::micros::SECOND;
    use crate::stream::spec::StreamSpec;

    fn track() -> Track {
        Track::find(&StreamSpec::default(), "800k").unwrap()
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
    fn a_segment_stays_for_its_duration_and_that_of_the_playlist() {
        let segment = track().segment(5);
        let available = |seconds: u64| is_available(&segment, seconds * SECOND, 12 * SECOND);
        assert_eq!([available(23), available(24), available(51), available(52)], [false, true, true, false]);
    }
}
