//! The source of a rung: one playlist across all periods, or a file with an index.

use std::rc::Rc;

use viewer_core::{IndexedFile, Run, Source, TemplateSpec, TrackKind, from_ticks};

use super::document::AddressingKind;
use super::identifiers;
use super::list::add_list;
use super::rung_builder::{MpdRules, RungBuilder, offset, timescale};
use super::tracks::PeriodMedia;
use super::warnings::DashWarnings;
use crate::note::ManifestError;

/// Returns the source of a rung.
///
/// # Errors
/// A representation has no segments, or too much is copied.
pub(super) fn source(
    media: &[PeriodMedia<'_>],
    kind: TrackKind,
    rules: &MpdRules,
    warnings: &mut DashWarnings,
) -> Result<Source, ManifestError> {
    let mut parts = Vec::new();
    for media in media.chunk_by(|one, next| !is_indexed(one, kind) && !is_indexed(next, kind)) {
        parts.push(match media {
            [indexed] if is_indexed(indexed, kind) => indexed_source(indexed, warnings)?,
            listed => listed_source(listed, rules, warnings)?,
        });
    }
    Ok(if parts.len() == 1 { parts.remove(0) } else { Source::Parts(parts) })
}

fn listed_source(
    media: &[PeriodMedia<'_>],
    rules: &MpdRules,
    warnings: &mut DashWarnings,
) -> Result<Source, ManifestError> {
    let mut rung = RungBuilder::new(rules, warnings);
    for media in media {
        rung.add(media)?;
    }
    Ok(Source::Listed(Rc::new(rung.build())))
}

/// Returns `true` for a file whose segments only its index tells. A text without an index is one segment.
fn is_indexed(media: &PeriodMedia<'_>, kind: TrackKind) -> bool {
    let addressing = &media.representation.addressing;
    match addressing.kind {
        Some(AddressingKind::List | AddressingKind::Template) => false,
        None | Some(AddressingKind::Base) => kind != TrackKind::Subtitles || addressing.index_range.is_some(),
    }
}

fn indexed_source(media: &PeriodMedia<'_>, warnings: &mut DashWarnings) -> Result<Source, ManifestError> {
    let PeriodMedia { period, representation } = media;
    let addressing = &representation.addressing;
    let init = addressing.init.as_ref();
    if init.is_some_and(|init| init.url.is_some()) {
        warnings.add(representation.line, "`Initialization@sourceURL` beside an index: it is taken from the file");
    }
    for url in &*representation.base.urls {
        warnings.copy(representation.line, url.len())?;
    }
    Ok(Source::Indexed(IndexedFile {
        urls: representation.base.urls.iter().map(|url| url.as_str().into()).collect(),
        index: addressing.index_range,
        init: init.filter(|init| init.url.is_none()).and_then(|init| init.range),
        offset: period.start.saturating_sub(from_ticks(offset(addressing), timescale(addressing))),
        end: period.end,
        discontinuity: period.number,
    }))
}

impl RungBuilder<'_> {
    fn add(&mut self, media: &PeriodMedia<'_>) -> Result<(), ManifestError> {
        let addressing = &media.representation.addressing;
        match addressing.kind {
            Some(AddressingKind::Template) => self.add_template(media)?,
            Some(AddressingKind::List) => add_list(self, media)?,
            Some(AddressingKind::Base) | None => self.add_whole(media, "")?,
        }
        self.is_empty = false;
        Ok(())
    }

    fn add_template(&mut self, media: &PeriodMedia<'_>) -> Result<(), ManifestError> {
        let PeriodMedia { representation, .. } = media;
        let addressing = &representation.addressing;
        let Some(template) = &addressing.media else {
            return Err(ManifestError::new(representation.line, "the `SegmentTemplate` has no `@media`")
                .help("`@media` names the segments, such as `$Number$.m4s`"));
        };
        let template = identifiers::media(template, representation);
        self.warnings.copy(representation.line, template.len())?;
        let (timescale, mut start_number) = (timescale(addressing), addressing.start_number.unwrap_or(1));
        let mut duration = 0;
        let mut runs: Rc<[Run]> = Rc::from([]);
        match (&addressing.timeline, addressing.duration) {
            (Some(timeline), _) => {
                // Each representation looks at each run.
                self.warnings.copy(representation.line, timeline.len())?;
                let first = passed(timeline, offset(addressing));
                start_number = start_number.saturating_add(first);
                runs = if first == 0 { Rc::clone(timeline) } else { self.without(media, timeline, first)? };
            }
            (None, Some(ticks)) => match addressing.end_number.filter(|_| self.rules.availability.is_none()) {
                None => duration = ticks,
                Some(last) => {
                    let count = last.saturating_add(1).saturating_sub(start_number);
                    runs = Rc::from([Run { first: 0, time: offset(addressing), duration: ticks, count }]);
                }
            },
            (None, None) => return self.add_whole(media, &template),
        }
        let longest = runs.iter().map(|run| run.duration).max().unwrap_or(duration);
        self.lengthen(from_ticks(i64::try_from(longest).unwrap_or(i64::MAX), timescale));
        let spec = self.stretch(media, self.number(start_number))?;
        let offset = offset(addressing);
        let template = TemplateSpec { media: &template, timescale, offset, start_number, duration, runs };
        self.builder.template(spec, template);
        Ok(())
    }

    /// Adds one segment that is as long as its period.
    fn add_whole(&mut self, media: &PeriodMedia<'_>, template: &str) -> Result<(), ManifestError> {
        let PeriodMedia { period, representation } = media;
        let addressing = &representation.addressing;
        let Some(length) = period.end.map(|end| end.saturating_sub(period.start)) else {
            return Err(ManifestError::new(representation.line, "the segments have no duration")
                .help("give `@duration` or a `SegmentTimeline`"));
        };
        let timescale = timescale(addressing);
        // Rounded up, so that it is the only one.
        let ticks = (u128::from(length.unsigned_abs()) * u128::from(timescale)).div_ceil(1_000_000);
        self.lengthen(length);
        let spec = self.stretch(media, self.number(addressing.start_number.unwrap_or(1)))?;
        let template = TemplateSpec {
            media: template,
            timescale,
            offset: offset(addressing),
            start_number: addressing.start_number.unwrap_or(1),
            duration: u64::try_from(ticks).unwrap_or(u64::MAX),
            runs: Rc::from([]),
        };
        self.builder.template(spec, template);
        Ok(())
    }

    /// Returns the runs without the segments that end before the period starts.
    fn without(&mut self, media: &PeriodMedia<'_>, runs: &[Run], first: u64) -> Result<Rc<[Run]>, ManifestError> {
        self.warnings.copy(media.representation.line, size_of_val(runs))?;
        let later = runs.iter().filter(|run| run.first.saturating_add(run.count) > first);
        Ok(later
            .map(|run| {
                let passed = first.saturating_sub(run.first);
                let ticks = i64::try_from(passed.saturating_mul(run.duration)).unwrap_or(i64::MAX);
                let count = if run.count == u64::MAX { u64::MAX } else { run.count - passed };
                let time = run.time.saturating_add(ticks);
                Run { first: run.first.saturating_sub(first), time, duration: run.duration, count }
            })
            .collect())
    }
}

/// Returns the number of segments that end at the start of the period or before, by its offset in media time.
fn passed(runs: &[Run], offset: i64) -> u64 {
    let mut passed = 0;
    for run in runs {
        let since = i128::from(offset) - i128::from(run.time);
        let ended = u64::try_from(since.max(0) / i128::from(run.duration)).unwrap_or(u64::MAX).min(run.count);
        passed = run.first.saturating_add(ended);
        if ended < run.count {
            break;
        }
    }
    passed
}
