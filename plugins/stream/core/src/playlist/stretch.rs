//! A stretch: consecutive segments that are described in one way. A media playlist of HLS is one stretch; each period
//! of a DASH manifest is one.

use std::borrow::Cow;
use std::ops::Range;

use super::listed::{Entry, SegmentList};
use super::template::{Template, Times, fill};
use super::text::Text;
use super::{Availability, ByteRange, Segment};
use crate::micros::Micros;

/// Consecutive segments that are described in one way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stretch {
    /// The number of its first segment.
    pub(super) number: u64,
    /// The time at which it starts.
    pub(super) start: Micros,
    /// The time at which it ends; `Micros::MAX` if that is not known.
    pub(super) end: Micros,
    /// The time by which a segment can be requested before its end (`availabilityTimeOffset`).
    pub(super) ahead: Micros,
    pub(super) base: u16,
    pub(super) init: Option<u16>,
    pub(super) discontinuity: u32,
    pub(super) is_chunked: bool,
    pub(super) segments: Segments,
}

/// The ways to describe segments.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Segments {
    Listed(SegmentList),
    Template(Template),
}

impl Stretch {
    /// Returns the number behind its last segment; `u64::MAX` if it has no end.
    pub(super) fn end_number(&self) -> u64 {
        let count = match &self.segments {
            Segments::Listed(listed) => listed.entries.len() as u64,
            Segments::Template(template) => {
                let length = self.end.saturating_sub(self.start);
                match self.end {
                    Micros::MAX => template.count(),
                    _ if length <= 0 => 0,
                    _ => template.count_before(length),
                }
            }
        };
        self.number.saturating_add(count)
    }

    pub(super) fn segment(&self, number: u64, availability: Option<&Availability>) -> Option<Segment> {
        let index = number.checked_sub(self.number).filter(|_| number < self.end_number())?;
        let mut segment = match &self.segments {
            Segments::Listed(listed) => listed.segment(usize::try_from(index).ok()?)?,
            Segments::Template(template) => {
                let ticks = template.ticks(index)?;
                let start = template.micros(ticks.time);
                let end = template.micros(ticks.time.saturating_add_unsigned(ticks.duration));
                // The last segment of a period is cut where the period ends.
                let end = end.min(self.end.saturating_sub(self.start));
                self.templated(start, end.saturating_sub(start))
            }
        };
        segment.number = number;
        segment.start = segment.start.saturating_add(self.start);
        if let Some(availability) = availability {
            segment.wall = segment.wall.or(Some(availability.start.saturating_add(segment.start)));
            if self.is_by_clock() {
                let end = segment.start.saturating_add(segment.duration).saturating_add(availability.start);
                segment.available_at = Some(end.saturating_sub(self.ahead));
            }
        }
        Some(segment)
    }

    /// Returns the number of the segment with the frame at a time, or of the next.
    pub(super) fn number_at(&self, time: Micros) -> Option<u64> {
        if time >= self.end {
            return None;
        }
        let time = time.max(self.start).saturating_sub(self.start);
        let index = match &self.segments {
            Segments::Listed(listed) => listed.index_at(time)? as u64,
            Segments::Template(template) => template.index_at(time)?,
        };
        let number = self.number.saturating_add(index);
        (number < self.end_number()).then_some(number)
    }

    /// Returns the number behind the last segment that can be requested when this much presentation time has passed.
    pub(super) fn available(&self, elapsed: Micros) -> u64 {
        let Some(complete) = elapsed.checked_add(self.ahead.max(0)) else { return self.end_number() };
        if !self.is_by_clock() {
            // A period that has not begun is announced, and has no media yet.
            return if complete < self.start { self.number } else { self.end_number() };
        }
        let Some(since) = complete.checked_sub(self.start).filter(|since| *since > 0) else { return self.number };
        let Segments::Template(template) = &self.segments else { return self.end_number() };
        // The segment with the frame at this instant is not complete; those before it are.
        let count = template.index_at(since).unwrap_or(u64::MAX);
        self.number.saturating_add(count).min(self.end_number())
    }

    /// Returns the reference of a segment.
    pub(super) fn reference<'a>(&self, number: u64, text: &'a Text) -> Option<Cow<'a, str>> {
        let index = number.checked_sub(self.number)?;
        match &self.segments {
            Segments::Listed(listed) => {
                let entry = listed.entries.get(usize::try_from(index).ok()?)?;
                Some(Cow::Borrowed(text.get(entry.url)))
            }
            Segments::Template(template) => {
                let time = template.ticks(index)?.time;
                Some(Cow::Owned(fill(text.get(template.media), template.start_number.saturating_add(index), time)))
            }
        }
    }

    pub(super) fn range(&self, number: u64) -> Option<ByteRange> {
        let Segments::Listed(listed) = &self.segments else { return None };
        let index = usize::try_from(number.checked_sub(self.number)?).ok()?;
        listed.ranges.get(index).copied().flatten()
    }

    /// Returns the indices of the parts of a segment, among all parts of the playlist.
    pub(super) fn parts(&self, number: u64, count: usize) -> Option<Range<usize>> {
        let Segments::Listed(listed) = &self.segments else { return None };
        listed.parts(usize::try_from(number.checked_sub(self.number)?).ok()?, count)
    }

    pub(super) fn memory(&self) -> usize {
        size_of::<Self>()
            + match &self.segments {
                Segments::Listed(listed) => {
                    listed.entries.len() * size_of::<Entry>() + listed.ranges.len() * size_of::<Option<ByteRange>>()
                }
                Segments::Template(template) => match &template.times {
                    Times::Constant(_) => 0,
                    Times::Runs(runs) => size_of_val(&**runs),
                },
            }
    }

    /// Returns `true` if the clock says which segments exist, and not the manifest: they have no end, or a constant
    /// duration.
    fn is_by_clock(&self) -> bool {
        match &self.segments {
            Segments::Listed(_) => false,
            Segments::Template(template) => match &template.times {
                Times::Constant(_) => true,
                Times::Runs(_) => template.count() == u64::MAX,
            },
        }
    }

    fn templated(&self, start: Micros, duration: Micros) -> Segment {
        Segment {
            number: 0,
            start,
            duration: duration.max(1),
            wall: None,
            available_at: None,
            discontinuity: self.discontinuity,
            init: self.init,
            key: None,
            range: None,
            is_gap: false,
            is_chunked: self.is_chunked,
        }
    }
}
