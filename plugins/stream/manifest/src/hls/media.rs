//! Media playlists. The tags that hold for the whole playlist are read first, wherever they stand: some servers write
//! `EXT-X-MEDIA-SEQUENCE` behind segments. SegmentReader are read after them.

use viewer_core::{Micros, Playlist, PlaylistBuilder, Report, SECOND, Schedule, StretchSpec, resolve};

use super::lines::{Attributes, LineKind, lines};
use super::segments::SegmentReader;
use super::variables::Variables;
use crate::PlaylistContext;
use crate::instant::seconds;
use crate::note::{ManifestError, Warning, WithWarnings};

/// The tags that hold for the whole playlist.
#[derive(Default)]
struct Header {
    sequence: u64,
    discontinuity_sequence: u32,
    skipped: Option<Skipped>,
    schedule: Schedule,
    has_target: bool,
    reports: Vec<Report>,
    warnings: Vec<Warning>,
}

/// A tag `EXT-X-SKIP`.
struct Skipped {
    line: usize,
    segments: u64,
}

/// Reads a media playlist that begins with `#EXTM3U`.
pub(super) fn read(text: &str, context: &PlaylistContext<'_>) -> Result<WithWarnings<Playlist>, ManifestError> {
    let mut header = Header::read(text, context)?;
    let mut builder = PlaylistBuilder::default();
    builder.base([context.url]);
    builder.list(StretchSpec { number: header.sequence, ..StretchSpec::default() });
    let mut segments = SegmentReader::new(&mut builder, header.discontinuity_sequence);
    if let Some(Skipped { line, segments: count }) = header.skipped {
        let numbers = header.sequence..header.sequence.saturating_add(count);
        let previous = context.previous.ok_or_else(|| unmergeable(line, "a delta update came first"))?;
        if !segments.resume(previous, numbers) {
            return Err(unmergeable(line, "a delta update skips segments that are not known"));
        }
    }
    let fallback = if header.has_target { header.schedule.target } else { 6 * SECOND };
    let warnings = segments.read(text, context, fallback)?;
    if !header.has_target {
        header.schedule.target = segments.longest().max(SECOND);
        header.warn(1, "there is no `EXT-X-TARGETDURATION`; the longest segment counts");
    }
    let has_segments = segments.count() > 0;
    if header.schedule.ended && !has_segments {
        return Err(ManifestError::new(1, "the playlist has ended and has no segment"));
    }
    header.warnings.extend(warnings);
    Ok(WithWarnings { value: builder.build(header.schedule, header.reports), warnings: header.warnings })
}

fn unmergeable(line: usize, text: &str) -> ManifestError {
    ManifestError { needs_whole: true, ..ManifestError::new(line, text) }
}

impl Header {
    fn read(text: &str, context: &PlaylistContext<'_>) -> Result<Self, ManifestError> {
        let mut header = Self::default();
        // Variables also stand in the tags of segments; here they are only needed for rendition reports.
        let mut variables = Variables::default();
        for line in lines(text) {
            let LineKind::Tag { name, value } = line.kind else { continue };
            let attributes = Attributes(value);
            match name {
                "EXT-X-MEDIA-SEQUENCE" => match value.parse() {
                    Ok(sequence) => header.sequence = sequence,
                    Err(_) => header.warn(line.number, "`EXT-X-MEDIA-SEQUENCE` is not a number; it counts as 0"),
                },
                "EXT-X-DISCONTINUITY-SEQUENCE" => header.discontinuity_sequence = value.parse().unwrap_or(0),
                "EXT-X-TARGETDURATION" => match seconds(value).filter(|target| *target > 0) {
                    Some(target) => (header.schedule.target, header.has_target) = (target, true),
                    None => header.warn(line.number, "`EXT-X-TARGETDURATION` is not a duration"),
                },
                "EXT-X-ENDLIST" => header.schedule.ended = true,
                "EXT-X-START" => header.schedule.start = attributes.get("TIME-OFFSET").and_then(seconds),
                "EXT-X-PART-INF" => header.schedule.part_target = duration(attributes, "PART-TARGET"),
                "EXT-X-SERVER-CONTROL" => header.control(attributes),
                "EXT-X-SKIP" => match attributes.number("SKIPPED-SEGMENTS") {
                    Some(segments) => header.skipped = Some(Skipped { line: line.number, segments }),
                    None => return Err(unmergeable(line.number, "`EXT-X-SKIP` has no `SKIPPED-SEGMENTS`")),
                },
                "EXT-X-DEFINE" => variables.define(line.number, attributes, context.url, context.variables)?,
                "EXT-X-RENDITION-REPORT" => {
                    let Some(reference) = attributes.get("URI") else { continue };
                    let url = resolve(context.url, &variables.substitute(line.number, reference)?).into();
                    let (last_number, last_part) = (attributes.number("LAST-MSN"), attributes.number("LAST-PART"));
                    header.reports.push(Report { url, last_number, last_part });
                }
                _ => {}
            }
        }
        Ok(header)
    }

    fn control(&mut self, attributes: Attributes<'_>) {
        self.schedule.can_block = attributes.is_yes("CAN-BLOCK-RELOAD");
        self.schedule.hold_back = duration(attributes, "HOLD-BACK");
        self.schedule.part_hold_back = duration(attributes, "PART-HOLD-BACK");
        self.schedule.skip_until = duration(attributes, "CAN-SKIP-UNTIL");
    }

    fn warn(&mut self, line: usize, text: &str) {
        self.warnings.push(Warning { line, text: text.to_owned() });
    }
}

fn duration(attributes: Attributes<'_>, name: &str) -> Option<Micros> {
    attributes.get(name).and_then(seconds).filter(|duration| *duration > 0)
}
