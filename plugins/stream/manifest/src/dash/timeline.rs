//! The element `SegmentTimeline`: its `S` become runs of segments, which the representations that inherit it share.

use std::rc::Rc;

use viewer_core::Run;

use super::warnings::DashWarnings;
use super::xml::{XmlCursor, XmlElement};
use crate::note::ManifestError;

/// The element `S`.
#[derive(Debug, Default)]
struct TimelineEntry {
    line: usize,
    /// `t`, in ticks; `None` if it follows what was before.
    time: Option<i64>,
    /// `d`, in ticks.
    duration: u64,
    /// `r`: the number of segments after the first; negative up to the next entry.
    repeat: i64,
}

/// The runs that are known so far.
#[derive(Debug, Default)]
struct Runs {
    runs: Vec<Run>,
    /// The run that goes on to the next entry.
    open: Option<OpenRun>,
}

/// A run whose `r` is negative.
#[derive(Debug)]
struct OpenRun {
    line: usize,
    run: Run,
}

/// Reads a timeline. Its last run has no end if its `r` is negative.
pub(super) fn read_timeline(
    xml: &mut XmlCursor<'_>,
    element: &XmlElement<'_>,
    warnings: &mut DashWarnings,
) -> Result<Rc<[Run]>, ManifestError> {
    if element.is_void()? {
        xml.skip()?;
        return Ok(Rc::from([]));
    }
    let mut runs = Runs::default();
    while let Some(child) = xml.child()? {
        if child.name() == "S" {
            runs.add(entry(&child)?, warnings)?;
        }
        xml.skip()?;
    }
    runs.runs.extend(runs.open.map(|open| open.run));
    Ok(runs.runs.into())
}

fn entry(element: &XmlElement<'_>) -> Result<TimelineEntry, ManifestError> {
    let mut entry = TimelineEntry { line: element.line, ..TimelineEntry::default() };
    element.attributes(|attribute| {
        match attribute.name {
            "t" => entry.time = Some(attribute.ticks()?),
            "d" => entry.duration = attribute.unsigned()?,
            "r" => entry.repeat = attribute.signed()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(entry)
}

impl Runs {
    fn add(&mut self, entry: TimelineEntry, warnings: &mut DashWarnings) -> Result<(), ManifestError> {
        if entry.duration == 0 {
            warnings.add(entry.line, "`S` has no duration: it is left out");
            return Ok(());
        }
        if self.is_before(&entry) {
            warnings.add(entry.line, "`S@t` goes back: it is left out");
            return Ok(());
        }
        self.close(&entry, warnings);
        let beyond = || ManifestError::new(entry.line, "the timeline goes on beyond 2^63 ticks");
        let next = match self.runs.last() {
            None => 0,
            Some(last) => end_of(last).ok_or_else(beyond)?,
        };
        let time = entry.time.unwrap_or(next);
        let first = self.runs.last().map_or(0, |run| run.first.saturating_add(run.count));
        let count = u64::try_from(entry.repeat).map_or(u64::MAX, |repeat| repeat + 1);
        let run = Run { first, time, duration: entry.duration, count };
        if count == u64::MAX {
            self.open = Some(OpenRun { line: entry.line, run });
            return Ok(());
        }
        match self.runs.last_mut() {
            Some(last) if last.duration == run.duration && time == next => {
                last.count = last.count.saturating_add(count);
            }
            _ => self.runs.push(run),
        }
        Ok(())
    }

    /// Returns `true` for an entry that does not begin after the segment before it began.
    fn is_before(&self, entry: &TimelineEntry) -> bool {
        let last_begins = match (&self.open, self.runs.last()) {
            (Some(open), _) => Some(open.run.time),
            (None, Some(last)) => end_of(last).map(|end| end.saturating_sub_unsigned(last.duration)),
            (None, None) => None,
        };
        entry.time.is_some_and(|time| last_begins.is_some_and(|begins| time <= begins))
    }

    /// Ends the open run where an entry begins.
    fn close(&mut self, next: &TimelineEntry, warnings: &mut DashWarnings) {
        let Some(OpenRun { line, mut run }) = self.open.take() else { return };
        run.count = match next.time.and_then(|time| u64::try_from(time.checked_sub(run.time)?).ok()) {
            Some(ticks) => ticks.div_ceil(run.duration),
            None => {
                warnings.add(line, "`S@r` is negative, and the next `S` has no `t`: it counts once");
                1
            }
        };
        self.runs.push(run);
    }
}

/// Returns the media time at which a run ends.
fn end_of(run: &Run) -> Option<i64> {
    i64::try_from(run.duration.checked_mul(run.count)?).ok()?.checked_add(run.time)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the runs of `t/d/r` entries, `-` for one that is absent, and the number of warnings.
    fn runs(entries: &str) -> Result<(Vec<[u64; 4]>, usize), ManifestError> {
        let mut runs = Runs::default();
        let mut warnings = DashWarnings::new(0);
        for (index, entry) in entries.split_whitespace().enumerate() {
            let numbers: Vec<Option<i64>> = entry.split('/').map(|number| number.parse().ok()).collect();
            let [time, duration, repeat] = numbers[..] else { panic!("{entry}") };
            let duration = duration.unwrap_or(0).unsigned_abs();
            runs.add(TimelineEntry { line: index + 1, time, duration, repeat: repeat.unwrap_or(0) }, &mut warnings)?;
        }
        runs.runs.extend(runs.open.map(|open| open.run));
        let numbers = runs.runs.iter().map(|run| [run.first, run.time.unsigned_abs(), run.duration, run.count]);
        Ok((numbers.collect(), warnings.into_list().len()))
    }

    #[test]
    fn entries_become_runs() {
        let forever = u64::MAX;
        for (case, entries, expected, warnings) in [
            ("no time is 0", "-/5/-", vec![[0, 0, 5, 1]], 0),
            ("repeated", "10/5/2", vec![[0, 10, 5, 3]], 0),
            ("equal ones are one run", "10/5/2 -/5/- 30/5/1", vec![[0, 10, 5, 6]], 0),
            ("a gap", "10/5/- 16/5/-", vec![[0, 10, 5, 1], [1, 16, 5, 1]], 0),
            ("an overlap", "10/5/- 14/5/-", vec![[0, 10, 5, 1], [1, 14, 5, 1]], 0),
            ("the last for ever", "10/5/- -/4/-1", vec![[0, 10, 5, 1], [1, 15, 4, forever]], 0),
            ("up to the next", "10/5/-1 25/4/-", vec![[0, 10, 5, 3], [3, 25, 4, 1]], 0),
            ("up to the next, rounded up", "10/5/-1 26/4/-", vec![[0, 10, 5, 4], [4, 26, 4, 1]], 0),
            (
                "up to the next twice",
                "0/5/-1 10/4/-1 18/3/-1",
                vec![[0, 0, 5, 2], [2, 10, 4, 2], [4, 18, 3, forever]],
                0,
            ),
            ("the next has no time", "10/5/-1 -/4/-", vec![[0, 10, 5, 1], [1, 15, 4, 1]], 1),
            ("back", "10/5/- 10/5/- -/4/-", vec![[0, 10, 5, 1], [1, 15, 4, 1]], 1),
            ("back into a run", "10/5/3 20/5/- 26/4/-", vec![[0, 10, 5, 4], [4, 26, 4, 1]], 1),
            ("no duration", "10/-/- 10/5/-", vec![[0, 10, 5, 1]], 1),
            ("large", "9007199254740993/5/-", vec![[0, 9_007_199_254_740_993, 5, 1]], 0),
            ("nothing", "", vec![], 0),
        ] {
            assert_eq!(runs(entries).unwrap(), (expected, warnings), "{case}");
        }
    }

    #[test]
    fn a_timeline_ends_before_the_last_tick() {
        let error = runs("0/4611686018427387904/1 -/1/-").unwrap_err();
        assert_eq!(error.to_string(), "line 2: the timeline goes on beyond 2^63 ticks");
    }
}
