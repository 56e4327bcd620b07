//! The playlist of a rung: its segments by number and by time. It is compact, because a recording of two hours has
//! thousands of segments, and it is only asked through methods, because a DASH template needs no list at all: its
//! segments are arithmetic. URLs are formed when a segment is fetched.

mod builder;
mod join;
mod listed;
mod stretch;
mod template;
#[cfg(test)]
mod tests;
mod text;

use std::borrow::Cow;
use std::ops::Range;

pub use builder::{CopiedFiles, PartSpec, PlaylistBuilder, SegmentSpec, StretchSpec, TemplateSpec};
pub use template::{Run, fill_identifiers};

use crate::micros::Micros;
use crate::reference::resolve;
use listed::PartEntry;
use stretch::Stretch;
use text::{Text, TextSpan};

/// A range of bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ByteRange {
    /// The offset of the first byte.
    pub start: u64,
    /// The number of bytes; `u64::MAX` for all that follow.
    pub length: u64,
}

/// The playlist of a rung.
#[derive(Debug, Clone, PartialEq)]
pub struct Playlist {
    text: Text,
    /// For each base, absolute URLs of which the first that works is used.
    bases: Box<[Box<[TextSpan]>]>,
    /// In the order of their numbers and times; never empty.
    stretches: Box<[Stretch]>,
    inits: Box<[FileReference]>,
    keys: Box<[FileReference]>,
    parts: Box<[PartEntry]>,
    hint: Option<FileReference>,
    reports: Box<[Report]>,
    schedule: Schedule,
}

/// A file that a playlist names besides its segments, with the base of its reference.
#[derive(Debug, Clone, Copy, PartialEq)]
struct FileReference {
    base: u16,
    url: TextSpan,
    range: Option<ByteRange>,
}

/// The rules by which a playlist changes and is played.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Schedule {
    /// The longest segment: `EXT-X-TARGETDURATION`, `maxSegmentDuration`, or the longest that is listed.
    pub target: Micros,
    /// `true` if the playlist never changes again, and has all of its segments. Those of a DASH manifest of type
    /// `dynamic` come by the clock until `numbers().end`, even if it is not refreshed any more.
    pub ended: bool,
    /// The distance to the end that a player keeps (`HOLD-BACK`).
    pub hold_back: Option<Micros>,
    /// The longest part of a segment (`EXT-X-PART-INF`).
    pub part_target: Option<Micros>,
    /// The distance to the end that a player of parts keeps (`PART-HOLD-BACK`).
    pub part_hold_back: Option<Micros>,
    /// `true` if the server holds a request for a playlist until it has what is asked for (`CAN-BLOCK-RELOAD`).
    pub can_block: bool,
    /// The distance to the end beyond which the server can skip segments (`CAN-SKIP-UNTIL`).
    pub skip_until: Option<Micros>,
    /// The time to begin at, by `EXT-X-START`; counts from the end if negative.
    pub start: Option<Micros>,
    /// The availability of segments by the wall clock, in a DASH manifest of type `dynamic`.
    pub availability: Option<Availability>,
}

/// The availability of segments by the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Availability {
    /// The instant of the wall clock of presentation time 0.
    pub start: Micros,
    /// The time for which segments stay; `None` if they stay for ever.
    pub depth: Option<Micros>,
}

/// A segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Its number: the media sequence number of HLS. In DASH, numbers count through all periods, and a refreshed
    /// manifest may number the same segment differently, so there it is found again by its time.
    pub number: u64,
    /// The time of its first frame: since the playlist's first segment in HLS, presentation time in DASH.
    pub start: Micros,
    /// Its duration, positive.
    pub duration: Micros,
    /// The instant of the wall clock of its first frame, if it is known (`EXT-X-PROGRAM-DATE-TIME`, or by
    /// `availabilityStartTime`).
    pub wall: Option<Micros>,
    /// The instant of the wall clock from which it can be requested; `None` if it can be already.
    pub available_at: Option<Micros>,
    /// The number of its discontinuity sequence; in DASH, of its period.
    pub discontinuity: u32,
    /// The initialization segment that it needs, for [`Playlist::init`].
    pub init: Option<u16>,
    /// The key that it needs, for [`Playlist::key`].
    pub key: Option<u16>,
    /// Its bytes; `None` for the whole file.
    pub range: Option<ByteRange>,
    /// `true` if it must not be requested (`EXT-X-GAP`).
    pub is_gap: bool,
    /// `true` if it can be requested before it is complete, and then comes as it is made.
    pub is_chunked: bool,
}

/// A part of a segment (`EXT-X-PART`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Its duration, positive.
    pub duration: Micros,
    /// Its bytes; `None` for the whole file.
    pub range: Option<ByteRange>,
    /// `true` if playback can begin with it.
    pub is_independent: bool,
    /// `true` if it must not be requested.
    pub is_gap: bool,
}

/// A file to be fetched, by its absolute URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Resource {
    /// The absolute URL.
    pub url: String,
    /// Its bytes; `None` for the whole file.
    pub range: Option<ByteRange>,
}

/// The end of another rendition's playlist (`EXT-X-RENDITION-REPORT`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The absolute URL of that playlist.
    pub url: Box<str>,
    /// The number of its last segment, if it is given.
    pub last_number: Option<u64>,
    /// The index of the last part of that segment, if it is given.
    pub last_part: Option<u32>,
}

impl Schedule {
    /// Returns `true` if the playlist is of a live stream: it changes, or the clock tells which segments exist.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.ended || self.availability.is_some()
    }
}

impl Playlist {
    /// Returns the rules by which it changes and is played.
    #[must_use]
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Returns the segment with a number, if the playlist has it.
    #[must_use]
    pub fn segment(&self, number: u64) -> Option<Segment> {
        self.stretch(number)?.segment(number, self.schedule.availability.as_ref())
    }

    /// Returns the numbers of all segments; the end is `u64::MAX` if they have none.
    #[must_use]
    pub fn numbers(&self) -> Range<u64> {
        let first = self.stretches.first().map_or(0, |stretch| stretch.number);
        first..self.stretches.last().map_or(first, Stretch::end_number)
    }

    /// Returns the numbers of the segments that can be requested at an instant of the wall clock.
    #[must_use]
    pub fn window(&self, wall: Micros) -> Range<u64> {
        let all = self.numbers();
        let Some(availability) = &self.schedule.availability else { return all };
        let elapsed = wall.saturating_sub(availability.start);
        let is_available = |stretch: &&Stretch| stretch.available(elapsed) > stretch.number;
        let newest = self.stretches.iter().rev().find(is_available);
        let end = newest.map_or(all.start, |stretch| stretch.available(elapsed));
        let oldest = availability.depth.map(|depth| elapsed.saturating_sub(depth));
        let start = oldest.and_then(|time| self.number_at(time)).unwrap_or(all.start);
        start.min(end)..end
    }

    /// Returns the number of the segment with the frame at a time; between segments it is that of the next. `None`
    /// after the last.
    #[must_use]
    pub fn number_at(&self, time: Micros) -> Option<u64> {
        self.stretches.iter().find_map(|stretch| stretch.number_at(time))
    }

    /// Returns the time at which the media ends that exists at an instant of the wall clock, its parts included. A
    /// segment that can be requested before it is made ends at that instant.
    #[must_use]
    pub fn end(&self, wall: Micros) -> Micros {
        let window = self.window(wall);
        let elapsed = self.schedule.availability.map(|availability| wall.saturating_sub(availability.start));
        let current = elapsed.and_then(|elapsed| self.segment(self.number_at(elapsed)?));
        let current = current.filter(|current| current.available_at.is_some() && window.contains(&current.number));
        let newest = || self.segment(window.end.checked_sub(1).filter(|last| window.contains(last))?);
        let end = match current.or_else(newest) {
            None => 0,
            Some(Segment { start, duration, available_at, .. }) => {
                let made = elapsed.filter(|_| available_at.is_some()).map_or(Micros::MAX, |elapsed| elapsed.max(start));
                start.saturating_add(duration).min(made)
            }
        };
        let open = self.open_parts().iter().map(|part| Micros::from(part.duration)).sum::<Micros>();
        end.saturating_add(open)
    }

    /// Returns the absolute URL and the bytes of a segment. `base` counts the bases that failed before.
    #[must_use]
    pub fn resource(&self, number: u64, base: usize) -> Option<Resource> {
        let stretch = self.stretch(number)?;
        let reference = stretch.reference(number, &self.text)?;
        Some(Resource { url: resolve(self.base(stretch.base, base), &reference), range: stretch.range(number) })
    }

    /// Returns the absolute URL and the bytes of an initialization segment.
    #[must_use]
    pub fn init(&self, index: u16, base: usize) -> Option<Resource> {
        self.inits.get(usize::from(index)).map(|init| self.locate(init, base))
    }

    /// Returns the absolute URL of a key.
    #[must_use]
    pub fn key(&self, index: u16) -> Option<Resource> {
        self.keys.get(usize::from(index)).map(|key| self.locate(key, 0))
    }

    /// Returns the number of parts of a segment. The segment after the last may have some, too: it is being made.
    #[must_use]
    pub fn part_count(&self, number: u64) -> usize {
        self.part_entries(number).len()
    }

    /// Returns a part of a segment.
    #[must_use]
    pub fn part(&self, number: u64, index: usize) -> Option<Part> {
        self.part_entries(number).get(index).map(PartEntry::part)
    }

    /// Returns the absolute URL and the bytes of a part.
    #[must_use]
    pub fn part_resource(&self, number: u64, index: usize) -> Option<Resource> {
        let part = self.part_entries(number).get(index)?;
        Some(Resource { url: resolve(self.base(0, 0), self.text.get(part.url)), range: part.range() })
    }

    /// Returns the next part, which the server answers as soon as it is made (`EXT-X-PRELOAD-HINT`). A hint with a
    /// start and no length is not one, since its end is not known.
    #[must_use]
    pub fn hint(&self) -> Option<Resource> {
        self.hint.as_ref().map(|hint| self.locate(hint, 0))
    }

    /// Returns what the server reports of other renditions.
    #[must_use]
    pub fn reports(&self) -> &[Report] {
        &self.reports
    }

    /// Returns the number of bases that a segment has.
    #[must_use]
    pub fn base_count(&self, number: u64) -> usize {
        self.stretch(number).and_then(|stretch| self.bases.get(usize::from(stretch.base))).map_or(1, |list| list.len())
    }

    /// Returns the memory that it takes, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        let stretches: usize = self.stretches.iter().map(Stretch::memory).sum();
        size_of::<Self>() + self.text.len() + stretches + self.parts.len() * size_of::<PartEntry>()
    }

    fn stretch(&self, number: u64) -> Option<&Stretch> {
        let after = self.stretches.partition_point(|stretch| stretch.number <= number);
        self.stretches.get(after.checked_sub(1)?)
    }

    /// Returns the reference of a segment as it is written, or filled in.
    fn reference(&self, number: u64) -> Option<Cow<'_, str>> {
        self.stretch(number)?.reference(number, &self.text)
    }

    fn base(&self, index: u16, failed: usize) -> &str {
        let list = self.bases.get(usize::from(index)).map_or(&[][..], |list| list);
        list.get(failed % list.len().max(1)).map_or("", |base| self.text.get(*base))
    }

    fn locate(&self, located: &FileReference, failed: usize) -> Resource {
        Resource { url: resolve(self.base(located.base, failed), self.text.get(located.url)), range: located.range }
    }

    /// Returns the parts of a segment; only HLS has parts, in its one stretch.
    fn part_entries(&self, number: u64) -> &[PartEntry] {
        let range = self.stretches.first().and_then(|stretch| stretch.parts(number, self.parts.len()));
        range.and_then(|range| self.parts.get(range)).unwrap_or_default()
    }

    fn open_parts(&self) -> &[PartEntry] {
        if self.parts.is_empty() { &[] } else { self.part_entries(self.numbers().end) }
    }
}
