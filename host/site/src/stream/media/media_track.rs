//! A recorded track that begins again when it has ended. The times in its fragments go on, so that a player does not
//! notice.

use std::ops::Range;

use bytes::Bytes;

use super::fragment::Fragment;
use super::init_section::InitSection;
use crate::stream::byte_range::overlap;
use crate::stream::ladder::FrameSize;
use crate::stream::micros::{Micros, SECOND};
use crate::stream::track_info::{PartInfo, SegmentInfo, TrackKind};

/// A track of a folder.
pub(crate) struct MediaTrack {
    name: String,
    init: Bytes,
    section: InitSection,
    /// Time at which the recording begins, in ticks.
    begin: u64,
    /// Duration of the recording.
    length: Micros,
    segments: Vec<MediaSegment>,
}

/// A segment of a recording.
struct MediaSegment {
    /// Its begin, from that of the recording.
    start: Micros,
    duration: Micros,
    bytes: u64,
    fragments: Vec<PlacedFragment>,
}

/// A fragment in its segment.
struct PlacedFragment {
    /// Its begin, from that of the recording.
    start: Micros,
    duration: Micros,
    /// Its bytes in the segment.
    bytes: Range<u64>,
    fragment: Fragment,
}

/// A segment in the endless list.
struct LoopPlace {
    /// Number of times that the recording was played before.
    round: u64,
    /// Place of the segment in the recording.
    index: usize,
}

/// A recorded track as it was read.
pub(crate) struct RecordedTrack {
    /// Name of the folder.
    pub name: String,
    /// The initialization section.
    pub init: Bytes,
    /// Its description of the track.
    pub section: InitSection,
    /// Fragments of every segment, neither of which is empty, in the order of their times.
    pub segments: Vec<Vec<Fragment>>,
}

impl RecordedTrack {
    /// Returns the time of the first fragment.
    pub(crate) fn begin(&self) -> Micros {
        let first = self.segments.first().and_then(|fragments| fragments.first());
        micros_of(first.map_or(0, |fragment| fragment.time), self.section.timescale)
    }

    /// Returns the end of the last fragment.
    pub(crate) fn end(&self) -> Micros {
        let last = self.segments.last().and_then(|fragments| fragments.last());
        micros_of(last.map_or(0, |fragment| fragment.time + fragment.duration), self.section.timescale)
    }
}

impl MediaTrack {
    /// Places a track on a time axis that begins at `begin` and has `length`. Segments that begin after its end are
    /// left out; the last one ends there, so that the next round follows without a gap.
    pub(crate) fn place(track: RecordedTrack, begin: Micros, length: Micros) -> Self {
        let RecordedTrack { name, init, section, segments } = track;
        let start_of = |fragment: &Fragment| micros_of(fragment.time, section.timescale).saturating_sub(begin);
        let mut starts: Vec<_> = segments.iter().map(|fragments| fragments.first().map_or(0, start_of)).collect();
        starts.retain(|start| *start < length);
        if let Some(first) = starts.first_mut() {
            *first = 0;
        }
        let ends = starts.iter().skip(1).copied().chain([length]);
        let places = starts.iter().copied().zip(ends);
        let segments =
            places.zip(segments).map(|((start, end), fragments)| MediaSegment::place(fragments, start..end, start_of));
        let segments = segments.collect();
        let begin = ticks_of(begin, section.timescale);
        Self { name, init, begin, length, segments, section }
    }

    /// Returns the name of its folder.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns video or audio.
    pub(crate) fn kind(&self) -> TrackKind {
        self.section.kind
    }

    /// Returns the codec as in RFC 6381.
    pub(crate) fn codecs(&self) -> &str {
        &self.section.codecs
    }

    /// Returns the size of the picture.
    pub(crate) fn frame_size(&self) -> Option<FrameSize> {
        self.section.frame_size
    }

    /// Returns the initialization section.
    pub(crate) fn init(&self) -> &Bytes {
        &self.init
    }

    /// Returns some bytes of the initialization section.
    pub(crate) fn init_slice(&self, range: &Range<u64>) -> Bytes {
        slice(&self.init, range)
    }

    /// Returns the bit rate of the segment that has the highest one.
    pub(crate) fn bandwidth(&self) -> u64 {
        let rates = self.segments.iter().map(|segment| segment.bytes * 8 * SECOND / segment.duration.max(1));
        rates.max().unwrap_or_default()
    }

    /// Returns the longest duration of a segment.
    pub(crate) fn longest_segment(&self) -> Micros {
        self.segments.iter().map(|segment| segment.duration).max().unwrap_or_default()
    }

    /// Returns the mean duration of a segment.
    pub(crate) fn mean_segment(&self) -> Micros {
        self.length / (self.segments.len() as u64).max(1)
    }

    /// Returns `true` if every segment begins about when it would if all had the mean duration.
    pub(crate) fn is_even(&self) -> bool {
        let mean = self.mean_segment();
        let places = (0..).zip(&self.segments);
        places.into_iter().all(|(index, segment)| segment.start.abs_diff(index * mean) <= mean / 2)
    }

    /// Returns the longest duration of a fragment.
    pub(crate) fn longest_part(&self) -> Micros {
        let fragments = self.segments.iter().flat_map(|segment| &segment.fragments);
        fragments.map(|fragment| fragment.duration).max().unwrap_or_default()
    }

    /// Returns place and size of a segment.
    pub(crate) fn segment(&self, number: u64) -> SegmentInfo {
        let LoopPlace { round, index } = self.loop_place(number);
        let segment = &self.segments[index];
        let start = round.saturating_mul(self.length).saturating_add(segment.start);
        SegmentInfo { start, duration: segment.duration, bytes: segment.bytes }
    }

    /// Returns the number of the segment that holds a time.
    pub(crate) fn number_at(&self, position: Micros) -> u64 {
        let (round, within) = (position / self.length, position % self.length);
        let begun = self.segments.partition_point(|segment| segment.start <= within);
        round * self.segments.len() as u64 + begun.saturating_sub(1) as u64
    }

    /// Returns the number of fragments of a segment.
    pub(crate) fn part_count(&self, number: u64) -> u64 {
        self.segments[self.loop_place(number).index].fragments.len() as u64
    }

    /// Returns place and bytes of a fragment of a segment.
    pub(crate) fn part(&self, number: u64, index: u64) -> Option<PartInfo> {
        let place = self.loop_place(number);
        let fragment = self.segments[place.index].fragments.get(usize::try_from(index).ok()?)?;
        Some(PartInfo {
            start: place.round.saturating_mul(self.length).saturating_add(fragment.start),
            duration: fragment.duration,
            bytes: fragment.bytes.clone(),
            independent: fragment.fragment.independent,
        })
    }

    /// Returns the number of fragments of a segment that are complete at a position within it.
    pub(crate) fn parts_until(&self, number: u64, position: Micros) -> u64 {
        let LoopPlace { round, index } = self.loop_place(number);
        let within = position.saturating_sub(round.saturating_mul(self.length));
        let fragments = &self.segments[index].fragments;
        fragments.partition_point(|fragment| fragment.start + fragment.duration <= within) as u64
    }

    /// Returns some bytes of a segment. Only the heads of fragments are copied.
    pub(crate) fn segment_slice(&self, number: u64, range: &Range<u64>) -> Vec<Bytes> {
        let LoopPlace { round, index } = self.loop_place(number);
        let shift = ticks_of(round.saturating_mul(self.length), self.section.timescale);
        let mut pieces = Vec::new();
        for PlacedFragment { bytes, fragment, .. } in &self.segments[index].fragments {
            let samples = bytes.start + fragment.head_size();
            if let Some(part) = overlap(&(bytes.start..samples), range) {
                let time = fragment.time.saturating_sub(self.begin).saturating_add(shift);
                pieces.push(slice(&fragment.head_at(time), &part));
            }
            if let Some(part) = overlap(&(samples..bytes.end), range) {
                pieces.push(slice(&fragment.samples, &part));
            }
        }
        pieces
    }

    fn loop_place(&self, number: u64) -> LoopPlace {
        let count = self.segments.len() as u64;
        LoopPlace { round: number / count, index: (number % count) as usize }
    }
}

impl MediaSegment {
    /// Places fragments one after another, the last one up to the end of the segment.
    fn place(fragments: Vec<Fragment>, place: Range<Micros>, start_of: impl Fn(&Fragment) -> Micros) -> Self {
        let mut starts: Vec<_> = fragments.iter().map(start_of).collect();
        starts[0] = place.start;
        let mut bytes = 0;
        let mut placed = Vec::with_capacity(fragments.len());
        for (index, fragment) in fragments.into_iter().enumerate() {
            let start = starts[index].min(place.end);
            let end = starts.get(index + 1).map_or(place.end, |next| *next).min(place.end);
            let range = bytes..bytes + fragment.size();
            bytes = range.end;
            placed.push(PlacedFragment { start, duration: end.saturating_sub(start), bytes: range, fragment });
        }
        Self { start: place.start, duration: place.end - place.start, bytes, fragments: placed }
    }
}

fn slice(bytes: &Bytes, range: &Range<u64>) -> Bytes {
    let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    bytes.slice(within(range.start)..within(range.end))
}

/// Converts ticks to microseconds.
fn micros_of(ticks: u64, timescale: u32) -> Micros {
    let micros = u128::from(ticks) * u128::from(SECOND) / u128::from(timescale.max(1));
    u64::try_from(micros).unwrap_or(u64::MAX)
}

/// Converts microseconds to ticks.
fn ticks_of(micros: Micros, timescale: u32) -> u64 {
    let ticks = u128::from(micros) * u128::from(timescale) / u128::from(SECOND);
    u64::try_from(ticks).unwrap_or(u64::MAX)
}
