//! Building of playlists by readers: what they give one by one is packed here.

use std::ops::Range;
use std::rc::Rc;

use super::listed::{Entry, NO_WALL, NONE, PartEntry, SegmentList};
use super::stretch::{Segments, Stretch};
use super::template::{Run, Template, Times};
use super::text::{TextBuilder, TextSpan};
use super::{ByteRange, FileReference, Playlist, Report, Schedule, Segment};
use crate::micros::Micros;

/// The longest duration of a segment, an hour: what claims more is cut.
const LONGEST: Micros = 3_600_000_000;

/// A playlist that a reader is building: stretches in order, and the segments and parts of each in order.
#[derive(Debug, Default)]
pub struct PlaylistBuilder {
    pub(super) text: TextBuilder,
    pub(super) bases: Vec<Box<[TextSpan]>>,
    pub(super) stretches: Vec<Stretch>,
    pub(super) inits: Vec<FileReference>,
    pub(super) keys: Vec<FileReference>,
    parts: Vec<PartEntry>,
    hint: Option<FileReference>,
    /// The stretch that lists its segments, until the next begins.
    open: Option<OpenStretch>,
    last_url: Option<LastUrl>,
}

/// The stretch to which segments are added.
#[derive(Debug)]
struct OpenStretch {
    spec: StretchSpec,
    entries: Vec<Entry>,
    ranges: Vec<Option<ByteRange>>,
    /// The time since its start at which the next segment begins.
    end: Micros,
    open_part: u32,
}

/// The reference of the segment before: consecutive ranges of one file share their text.
#[derive(Debug)]
struct LastUrl {
    url: String,
    span: TextSpan,
}

/// The properties of a stretch: of a media playlist of HLS, or of a period of DASH.
#[derive(Debug, Clone, Default)]
pub struct StretchSpec {
    /// The number of its first segment; a number that the stretch before has already is raised to the next free one.
    pub number: u64,
    /// The time at which it starts.
    pub start: Micros,
    /// The time at which it ends, if that is known.
    pub end: Option<Micros>,
    /// The index of the base of its references, from [`PlaylistBuilder::base`].
    pub base: u16,
    /// The initialization segment of a template.
    pub init: Option<u16>,
    /// The number of its discontinuity sequence, for a template.
    pub discontinuity: u32,
    /// `availabilityTimeOffset`; `Micros::MAX` for `INF`.
    pub ahead: Micros,
    /// `true` for `availabilityTimeComplete="false"`.
    pub is_chunked: bool,
}

/// The files that hold behind copied segments, by their indices in the new playlist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopiedFiles {
    /// The initialization segment.
    pub init: Option<u16>,
    /// The key.
    pub key: Option<u16>,
    /// The reference of the last segment.
    pub reference: Option<String>,
}

/// A template of DASH.
#[derive(Debug, Clone)]
pub struct TemplateSpec<'a> {
    /// The `media` attribute, with `$RepresentationID$` and `$Bandwidth$` already filled in.
    pub media: &'a str,
    /// Ticks per second.
    pub timescale: u64,
    /// `presentationTimeOffset`, in ticks.
    pub offset: i64,
    /// The `$Number$` of the first segment.
    pub start_number: u64,
    /// The constant duration of its segments, in ticks; 0 if `runs` give the durations.
    pub duration: u64,
    /// The runs of its `SegmentTimeline`, in order. The representations of an adaptation set share them.
    pub runs: Rc<[Run]>,
}

/// A segment to be added.
#[derive(Debug, Clone, Copy)]
pub struct SegmentSpec<'a> {
    /// The reference, as it is written.
    pub url: &'a str,
    /// Its duration; an hour at most.
    pub duration: Micros,
    /// Its bytes; `None` for the whole file.
    pub range: Option<ByteRange>,
    /// The wall clock of its first frame.
    pub wall: Option<Micros>,
    /// The number of its discontinuity sequence.
    pub discontinuity: u32,
    /// The index of its initialization segment.
    pub init: Option<u16>,
    /// The index of its key.
    pub key: Option<u16>,
    /// `true` if it must not be requested.
    pub is_gap: bool,
}

/// A part to be added; it belongs to the next segment that is.
#[derive(Debug, Clone, Copy)]
pub struct PartSpec<'a> {
    /// The reference, as it is written.
    pub url: &'a str,
    /// Its duration; an hour at most.
    pub duration: Micros,
    /// Its bytes; `None` for the whole file.
    pub range: Option<ByteRange>,
    /// `true` if playback can begin with it.
    pub is_independent: bool,
    /// `true` if it must not be requested.
    pub is_gap: bool,
}

impl PlaylistBuilder {
    /// Adds a base: absolute URLs, of which the first that works is used. Returns its index.
    pub fn base<'a>(&mut self, alternatives: impl IntoIterator<Item = &'a str>) -> u16 {
        let spans = alternatives.into_iter().map(|url| self.text.push(url)).collect();
        self.bases.push(spans);
        index(self.bases.len())
    }

    /// Adds an initialization segment, unless it is the last that was added. Returns its index.
    pub fn init(&mut self, base: u16, url: &str, range: Option<ByteRange>) -> u16 {
        let url = self.text.push(url);
        self.inits.push(FileReference { base, url, range });
        index(self.inits.len())
    }

    /// Adds a key. Returns its index.
    pub fn key(&mut self, base: u16, url: &str) -> u16 {
        let url = self.text.push(url);
        self.keys.push(FileReference { base, url, range: None });
        index(self.keys.len())
    }

    /// Sets the part that comes next.
    pub fn hint(&mut self, base: u16, url: &str, range: Option<ByteRange>) {
        let url = self.text.push(url);
        self.hint = Some(FileReference { base, url, range });
    }

    /// Begins a stretch whose segments are listed with [`Self::segment`].
    pub fn list(&mut self, spec: StretchSpec) {
        self.close();
        self.open = Some(OpenStretch { spec, entries: Vec::new(), ranges: Vec::new(), end: 0, open_part: 0 });
    }

    /// Adds a stretch whose segments a template describes. A template without a duration and without runs is empty.
    pub fn template(&mut self, spec: StretchSpec, template: TemplateSpec<'_>) {
        self.close();
        let has_segments = |run: &Run| run.count > 0 && run.duration > 0;
        let times = match template.duration {
            0 if template.runs.iter().all(has_segments) => Times::Runs(template.runs),
            0 => Times::Runs(template.runs.iter().copied().filter(has_segments).collect()),
            duration => Times::Constant(duration),
        };
        let media = self.text.push(template.media);
        let TemplateSpec { timescale, offset, start_number, .. } = template;
        let template = Template { media, timescale: timescale.max(1), offset, start_number, times };
        self.push(spec, Segments::Template(template));
    }

    /// Adds a segment to the list that was begun last.
    pub fn segment(&mut self, segment: SegmentSpec<'_>) {
        let url = self.url(segment.url);
        let first_part = self.first_part();
        let Some(open) = &mut self.open else { return };
        let duration = segment.duration.clamp(1, LONGEST);
        if segment.range.is_some() || !open.ranges.is_empty() {
            open.ranges.resize(open.entries.len(), None);
            open.ranges.push(segment.range);
        }
        open.entries.push(Entry {
            start: open.end,
            wall: segment.wall.unwrap_or(NO_WALL),
            url,
            duration: narrow(duration),
            discontinuity: segment.discontinuity,
            first_part,
            init: segment.init.unwrap_or(NONE),
            key: segment.key.unwrap_or(NONE),
            is_gap: segment.is_gap,
        });
        open.end = open.end.saturating_add(duration);
        open.open_part = narrow(self.parts.len());
    }

    /// Leaves a gap in the list that was begun last: the next segment starts this much later.
    pub fn gap(&mut self, length: Micros) {
        if let Some(open) = &mut self.open {
            open.end = open.end.saturating_add(length.max(0));
        }
    }

    /// Adds a part of the segment that comes next.
    pub fn part(&mut self, part: PartSpec<'_>) {
        let url = self.url(part.url);
        let range = part.range.unwrap_or(ByteRange { start: 0, length: 0 });
        self.parts.push(PartEntry {
            url,
            start: range.start,
            length: range.length,
            duration: narrow(part.duration.clamp(1, LONGEST)),
            is_independent: part.is_independent,
            is_gap: part.is_gap,
        });
    }

    /// Copies listed segments of another playlist to the list that was begun last. Returns `None` if that playlist does
    /// not have all of them.
    pub fn copy(&mut self, from: &Playlist, numbers: Range<u64>) -> Option<CopiedFiles> {
        let all = from.numbers();
        if numbers.start < all.start || numbers.end > all.end || numbers.is_empty() {
            return None;
        }
        let (mut copied, mut init, mut key) = (CopiedFiles::default(), None, None);
        for number in numbers {
            let segment = from.segment(number)?;
            let reference = from.reference(number)?;
            if segment.init != init {
                init = segment.init;
                let located = init.and_then(|init| from.inits.get(usize::from(init)));
                copied.init = located.map(|it| self.init(it.base, from.text.get(it.url), it.range));
            }
            if segment.key != key {
                key = segment.key;
                let located = key.and_then(|key| from.keys.get(usize::from(key)));
                copied.key = located.map(|it| self.key(it.base, from.text.get(it.url)));
            }
            let Segment { duration, range, wall, discontinuity, is_gap, .. } = segment;
            let CopiedFiles { init, key, .. } = copied;
            self.segment(SegmentSpec { url: &reference, duration, range, wall, discontinuity, init, key, is_gap });
            copied.reference = Some(reference.into_owned());
        }
        Some(copied)
    }

    /// Returns the playlist.
    #[must_use]
    pub fn build(mut self, schedule: Schedule, reports: Vec<Report>) -> Playlist {
        self.close();
        Playlist {
            text: self.text.build(),
            bases: self.bases.into(),
            stretches: self.stretches.into(),
            inits: self.inits.into(),
            keys: self.keys.into(),
            parts: self.parts.into(),
            hint: self.hint,
            reports: reports.into(),
            schedule,
        }
    }

    fn first_part(&self) -> u32 {
        self.open.as_ref().map_or(0, |open| open.open_part)
    }

    fn url(&mut self, url: &str) -> TextSpan {
        if let Some(last) = self.last_url.as_ref().filter(|last| last.url == url) {
            return last.span;
        }
        let span = self.text.push(url);
        self.last_url = Some(LastUrl { url: url.to_owned(), span });
        span
    }

    fn close(&mut self) {
        if let Some(OpenStretch { spec, mut entries, ranges, open_part, .. }) = self.open.take() {
            date(&mut entries);
            let listed = SegmentList { entries: entries.into(), ranges: ranges.into(), open_part };
            self.push(spec, Segments::Listed(listed));
        }
    }

    fn push(&mut self, spec: StretchSpec, segments: Segments) {
        let StretchSpec { number, start, end, base, init, discontinuity, ahead, is_chunked } = spec;
        let end = end.unwrap_or(Micros::MAX);
        self.add(Stretch { number, start, end, ahead, base, init, discontinuity, is_chunked, segments });
    }

    /// Adds a stretch; a number that the one before has already is raised to the next free one.
    pub(super) fn add(&mut self, stretch: Stretch) {
        let number = stretch.number.max(self.stretches.last().map_or(0, Stretch::end_number));
        self.stretches.push(Stretch { number, ..stretch });
    }
}

/// Returns the index of the last of this many; the first 65,535 have one of their own.
fn index(count: usize) -> u16 {
    u16::try_from(count - 1).unwrap_or(NONE).min(NONE - 1)
}

fn narrow<T: TryInto<u32>>(number: T) -> u32 {
    number.try_into().unwrap_or(u32::MAX)
}

/// Gives a wall clock to the segments around those that have one.
fn date(entries: &mut [Entry]) {
    let Some(dated) = entries.iter().position(|entry| entry.wall != NO_WALL) else { return };
    let Entry { wall, start, .. } = entries[dated];
    let mut origin = wall.saturating_sub(start);
    for entry in entries {
        if entry.wall == NO_WALL {
            entry.wall = origin.saturating_add(entry.start);
        } else {
            origin = entry.wall.saturating_sub(entry.start);
        }
    }
}
