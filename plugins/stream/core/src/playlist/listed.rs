//! Segments that a manifest lists one by one, 48 bytes each.

use std::ops::Range;

use super::text::TextSpan;
use super::{ByteRange, Part, Segment};
use crate::micros::Micros;

/// The index of a file that does not exist.
pub(super) const NONE: u16 = u16::MAX;

/// The wall clock of a segment without one.
pub(super) const NO_WALL: Micros = Micros::MIN;

/// A listed segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Entry {
    /// Since the start of the stretch.
    pub(super) start: Micros,
    /// The wall clock of its first frame, or [`NO_WALL`].
    pub(super) wall: Micros,
    pub(super) url: TextSpan,
    /// In microseconds: an hour at most.
    pub(super) duration: u32,
    pub(super) discontinuity: u32,
    /// The index of its first part.
    pub(super) first_part: u32,
    /// An index, or [`NONE`].
    pub(super) init: u16,
    /// An index, or [`NONE`].
    pub(super) key: u16,
    pub(super) is_gap: bool,
}

const _: () = assert!(size_of::<Entry>() <= 48);

/// A list of segments.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SegmentList {
    pub(super) entries: Box<[Entry]>,
    /// The bytes of each segment; empty if all segments are whole files.
    pub(super) ranges: Box<[Option<ByteRange>]>,
    /// The index of the first part behind the last segment.
    pub(super) open_part: u32,
}

impl SegmentList {
    pub(super) fn segment(&self, index: usize) -> Option<Segment> {
        let entry = self.entries.get(index)?;
        Some(Segment {
            number: 0,
            start: entry.start,
            duration: Micros::from(entry.duration),
            wall: (entry.wall != NO_WALL).then_some(entry.wall),
            available_at: None,
            discontinuity: entry.discontinuity,
            init: (entry.init != NONE).then_some(entry.init),
            key: (entry.key != NONE).then_some(entry.key),
            range: self.ranges.get(index).copied().flatten(),
            is_gap: entry.is_gap,
            is_chunked: false,
        })
    }

    /// Returns the index of the first segment that ends after a time.
    pub(super) fn index_at(&self, time: Micros) -> Option<usize> {
        let index = self.entries.partition_point(|entry| entry.start.saturating_add(entry.duration.into()) <= time);
        (index < self.entries.len()).then_some(index)
    }

    /// Returns the indices of the parts of a segment, or of the one after the last.
    pub(super) fn parts(&self, index: usize, count: usize) -> Option<Range<usize>> {
        let first = |index: usize| match self.entries.get(index) {
            Some(entry) => Some(entry.first_part as usize),
            None => (index == self.entries.len()).then_some(self.open_part as usize),
        };
        Some(first(index)?..first(index + 1).unwrap_or(count))
    }
}

/// A part of a segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PartEntry {
    pub(super) url: TextSpan,
    pub(super) start: u64,
    /// 0 for the whole file.
    pub(super) length: u64,
    /// In microseconds.
    pub(super) duration: u32,
    pub(super) is_independent: bool,
    pub(super) is_gap: bool,
}

impl PartEntry {
    pub(super) fn range(&self) -> Option<ByteRange> {
        (self.length != 0).then_some(ByteRange { start: self.start, length: self.length })
    }

    pub(super) fn part(&self) -> Part {
        Part {
            duration: Micros::from(self.duration),
            range: self.range(),
            is_independent: self.is_independent,
            is_gap: self.is_gap,
        }
    }
}
