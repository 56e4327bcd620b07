//! The segments and parts of a media playlist, with the tags that hold from a segment on.

use std::ops::Range;

use viewer_core::{ByteRange, Micros, PartSpec, Playlist, PlaylistBuilder, SegmentSpec};

use super::lines::{Attributes, LineKind, lines};
use super::variables::Variables;
use crate::PlaylistContext;
use crate::instant::{read_instant, seconds};
use crate::note::{ManifestError, Warning};

/// The reader of segments.
pub(super) struct SegmentReader<'b> {
    builder: &'b mut PlaylistBuilder,
    variables: Variables,
    discontinuity: u32,
    init: Option<Known>,
    key: Option<Known>,
    /// The tags that stand before the next reference.
    next: Next,
    /// The end of the range before, where a range without an offset begins.
    last_range: LastRange,
    last_part: LastRange,
    longest: Micros,
    count: usize,
    warnings: Vec<Warning>,
}

/// A file that holds for all segments until the next tag.
struct Known {
    index: u16,
    /// The tag's value, so that the same tag again adds no file.
    value: String,
}

/// The tags of the next segment.
#[derive(Default)]
struct Next {
    /// `Some(None)` for a duration that is not a positive number.
    duration: Option<Option<Micros>>,
    range: Option<Piece>,
    wall: Option<Micros>,
    is_gap: bool,
    /// The duration of its parts.
    parts: Micros,
}

/// A value `n[@o]`.
#[derive(Clone, Copy)]
struct Piece {
    length: u64,
    start: Option<u64>,
}

/// A range of bytes that was read last, and its file.
#[derive(Default)]
struct LastRange {
    url: String,
    end: u64,
}

impl<'b> SegmentReader<'b> {
    pub(super) fn new(builder: &'b mut PlaylistBuilder, discontinuity: u32) -> Self {
        Self {
            builder,
            variables: Variables::default(),
            discontinuity,
            init: None,
            key: None,
            next: Next::default(),
            last_range: LastRange::default(),
            last_part: LastRange::default(),
            longest: 0,
            count: 0,
            warnings: Vec::new(),
        }
    }

    /// Takes the segments that a delta update skips from the playlist before, and what holds behind them. Returns
    /// `false` if that playlist does not have all of them.
    pub(super) fn resume(&mut self, previous: &Playlist, numbers: Range<u64>) -> bool {
        let Some(copied) = self.builder.copy(previous, numbers.clone()) else { return false };
        let last = previous.segment(numbers.end - 1);
        self.discontinuity = last.map_or(self.discontinuity, |last| last.discontinuity);
        let known = |index: Option<u16>| index.map(|index| Known { index, value: String::new() });
        (self.init, self.key) = (known(copied.init), known(copied.key));
        if let (Some(resource), Some(range)) = (copied.reference, last.and_then(|last| last.range)) {
            self.last_range = LastRange { url: resource, end: range.start.saturating_add(range.length) };
        }
        self.count += usize::try_from(numbers.end - numbers.start).unwrap_or(usize::MAX);
        true
    }

    /// Reads all segments. `target` is the duration of those whose own is not positive.
    pub(super) fn read(
        &mut self,
        text: &str,
        context: &PlaylistContext<'_>,
        target: Micros,
    ) -> Result<Vec<Warning>, ManifestError> {
        for line in lines(text) {
            match line.kind {
                LineKind::Tag { name: "EXT-X-DEFINE", value } => {
                    self.variables.define(line.number, Attributes(value), context.url, context.variables)?;
                }
                LineKind::Tag { name, value } => self.tag(line.number, name, value)?,
                LineKind::Reference(reference) => self.reference(line.number, reference, target)?,
                LineKind::Comment => {}
            }
        }
        Ok(std::mem::take(&mut self.warnings))
    }

    pub(super) fn longest(&self) -> Micros {
        self.longest
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    fn tag(&mut self, line: usize, name: &str, value: &str) -> Result<(), ManifestError> {
        match name {
            "EXTINF" => {
                let duration = value.split(',').next().and_then(seconds).filter(|duration| *duration > 0);
                self.next.duration = Some(duration);
            }
            "EXT-X-BYTERANGE" => {
                self.next.range = piece(value);
                if self.next.range.is_none() {
                    self.warn(line, "`EXT-X-BYTERANGE` is not a range; the whole file is played");
                }
            }
            "EXT-X-DISCONTINUITY" => self.discontinuity = self.discontinuity.saturating_add(1),
            "EXT-X-GAP" => self.next.is_gap = true,
            "EXT-X-PROGRAM-DATE-TIME" => {
                self.next.wall = read_instant(value);
                if self.next.wall.is_none() {
                    self.warn(line, "`EXT-X-PROGRAM-DATE-TIME` is not a date; it is ignored");
                }
            }
            "EXT-X-MAP" => self.map(line, value)?,
            "EXT-X-KEY" => self.key(line, value)?,
            "EXT-X-PART" => self.part(line, Attributes(value))?,
            "EXT-X-PRELOAD-HINT" => self.hint(line, Attributes(value))?,
            _ => {}
        }
        Ok(())
    }

    fn reference(&mut self, line: usize, reference: &str, target: Micros) -> Result<(), ManifestError> {
        let next = std::mem::take(&mut self.next);
        let duration = match next.duration {
            Some(Some(duration)) => duration,
            Some(None) => {
                self.warn(line, "a segment whose duration is not positive gets the target duration");
                target
            }
            None if next.parts > 0 => next.parts,
            None => {
                self.warn(line, "a segment without a duration is skipped");
                return Ok(());
            }
        };
        let url = self.variables.substitute(line, reference)?;
        let range = next.range.map(|piece| self.last_range.range(piece, &url));
        self.longest = self.longest.max(duration);
        self.count += 1;
        self.builder.segment(SegmentSpec {
            url: &url,
            duration,
            range,
            wall: next.wall,
            discontinuity: self.discontinuity,
            init: self.init.as_ref().map(|init| init.index),
            key: self.key.as_ref().map(|key| key.index),
            is_gap: next.is_gap,
        });
        Ok(())
    }

    fn map(&mut self, line: usize, value: &str) -> Result<(), ManifestError> {
        if self.init.as_ref().is_some_and(|init| init.value == value) {
            return Ok(());
        }
        let attributes = Attributes(value);
        let Some(reference) = attributes.get("URI") else {
            self.warn(line, "`EXT-X-MAP` without a `URI` is ignored");
            return Ok(());
        };
        let range = attributes.get("BYTERANGE").and_then(piece);
        let range = range.map(|Piece { length, start }| ByteRange { start: start.unwrap_or(0), length });
        let index = self.builder.init(0, &self.variables.substitute(line, reference)?, range);
        self.init = Some(Known { index, value: value.to_owned() });
        Ok(())
    }

    fn key(&mut self, line: usize, value: &str) -> Result<(), ManifestError> {
        if self.key.as_ref().is_some_and(|key| key.value == value) {
            return Ok(());
        }
        let attributes = Attributes(value);
        if attributes.get("METHOD") == Some("NONE") {
            self.key = None;
            return Ok(());
        }
        // Other formats are licences of DRM systems, which are not asked for by URL.
        let format = attributes.get("KEYFORMAT").unwrap_or("identity");
        let Some(reference) = attributes.get("URI").filter(|uri| format == "identity" && is_of_web(uri)) else {
            return Ok(());
        };
        let index = self.builder.key(0, &self.variables.substitute(line, reference)?);
        self.key = Some(Known { index, value: value.to_owned() });
        Ok(())
    }

    fn part(&mut self, line: usize, attributes: Attributes<'_>) -> Result<(), ManifestError> {
        let duration = attributes.get("DURATION").and_then(seconds).filter(|duration| *duration > 0);
        let (Some(reference), Some(duration)) = (attributes.get("URI"), duration) else {
            self.warn(line, "`EXT-X-PART` without a `URI` and a `DURATION` is skipped");
            return Ok(());
        };
        let url = self.variables.substitute(line, reference)?;
        let range = attributes.get("BYTERANGE").and_then(piece).map(|piece| self.last_part.range(piece, &url));
        self.next.parts += duration;
        let (is_independent, is_gap) = (attributes.is_yes("INDEPENDENT"), attributes.is_yes("GAP"));
        self.builder.part(PartSpec { url: &url, duration, range, is_independent, is_gap });
        Ok(())
    }

    fn hint(&mut self, line: usize, attributes: Attributes<'_>) -> Result<(), ManifestError> {
        let (Some("PART"), Some(reference)) = (attributes.get("TYPE"), attributes.get("URI")) else { return Ok(()) };
        let start = attributes.number("BYTERANGE-START");
        let range = match (start, attributes.number("BYTERANGE-LENGTH")) {
            (None, None) => None,
            (start, Some(length)) => Some(ByteRange { start: start.unwrap_or(0), length }),
            // The end is not known, and a server need not wait for it.
            (Some(_), None) => return Ok(()),
        };
        self.builder.hint(0, &self.variables.substitute(line, reference)?, range);
        Ok(())
    }

    fn warn(&mut self, line: usize, text: &str) {
        self.warnings.push(Warning { line, text: text.to_owned() });
    }
}

impl LastRange {
    /// Returns the range of a piece: without an offset it begins where the range before ends, if that is of the same
    /// file.
    fn range(&mut self, piece: Piece, url: &str) -> ByteRange {
        let follows = if self.url == url { self.end } else { 0 };
        let start = piece.start.unwrap_or(follows);
        self.end = start.saturating_add(piece.length);
        if self.url != url {
            url.clone_into(&mut self.url);
        }
        ByteRange { start, length: piece.length }
    }
}

/// Reads `n[@o]`.
fn piece(text: &str) -> Option<Piece> {
    let (length, start) = text.split_once('@').map_or((text, None), |(length, start)| (length, Some(start)));
    let start = start.map(|start| start.trim().parse()).transpose().ok()?;
    Some(Piece { length: length.trim().parse().ok()?, start })
}

/// Returns `true` for a reference that HTTP can fetch: `skd://…` and `data:…` are for DRM systems and decoders.
fn is_of_web(reference: &str) -> bool {
    let foreign = reference.split_once("://").is_some_and(|(scheme, _)| {
        scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) && !scheme.to_ascii_lowercase().starts_with("http")
    });
    !foreign && !reference.starts_with("data:") && !reference.starts_with("urn:")
}
