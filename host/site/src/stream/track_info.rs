//! Facts about a track, its segments and their parts, wherever their bytes come from.

use std::ops::Range;

use super::micros::Micros;

/// The media that a track carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrackKind {
    /// Video and audio.
    Muxed,
    /// Video alone.
    Video,
    /// Audio alone.
    Audio,
}

/// Place and size of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentInfo {
    /// Its begin on the time axis of the stream.
    pub start: Micros,
    /// Its duration.
    pub duration: Micros,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Place and bytes of a part of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartInfo {
    /// Its begin on the time axis of the stream.
    pub start: Micros,
    /// Its duration.
    pub duration: Micros,
    /// Its bytes within the segment.
    pub bytes: Range<u64>,
    /// A viewer can begin with it.
    pub independent: bool,
}

impl SegmentInfo {
    /// Returns the end of the segment on the time axis of the stream, when an encoder has finished it.
    pub(crate) const fn end(&self) -> Micros {
        self.start.saturating_add(self.duration)
    }
}

impl PartInfo {
    /// Returns the end of the part on the time axis of the stream, when an encoder has finished it.
    pub(crate) const fn end(&self) -> Micros {
        self.start.saturating_add(self.duration)
    }
}
