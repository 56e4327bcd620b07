//! Segments that a template of DASH describes: their URLs from a number and a time, their times from arithmetic or from
//! the runs of a `SegmentTimeline`.

use std::rc::Rc;

use super::text::TextSpan;
use crate::micros::{Micros, from_ticks};

/// A template, with its representation's identifiers already filled in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Template {
    pub(super) media: TextSpan,
    /// Ticks per second.
    pub(super) timescale: u64,
    /// The media time, in ticks, at which the period starts.
    pub(super) offset: i64,
    /// The `$Number$` of the first segment.
    pub(super) start_number: u64,
    pub(super) times: Times,
}

/// The times of a template's segments, in ticks of media time.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Times {
    /// All segments have this duration; the first begins with the period.
    Constant(u64),
    /// In order; the last may have no end.
    Runs(Rc<[Run]>),
}

/// Segments of one duration that follow each other (`S`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The index of its first segment in the period.
    pub first: u64,
    /// The media time of its first segment, in ticks.
    pub time: i64,
    /// The duration of each segment, in ticks, positive.
    pub duration: u64,
    /// The number of segments; `u64::MAX` if they go on for ever.
    pub count: u64,
}

/// The place of a segment in media time, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticks {
    pub(super) time: i64,
    pub(super) duration: u64,
}

impl Template {
    /// Returns the place of a segment by its index in the period.
    pub(super) fn ticks(&self, index: u64) -> Option<Ticks> {
        match &self.times {
            Times::Constant(duration) => {
                let time = i64::try_from(index.checked_mul(*duration)?).ok()?.checked_add(self.offset)?;
                Some(Ticks { time, duration: *duration })
            }
            Times::Runs(runs) => {
                let run = runs.get(runs.partition_point(|run| run.first <= index).checked_sub(1)?)?;
                let within = (index - run.first < run.count).then_some(index - run.first)?;
                let time = i64::try_from(within.checked_mul(run.duration)?).ok()?.checked_add(run.time)?;
                Some(Ticks { time, duration: run.duration })
            }
        }
    }

    /// Returns the index of the first segment that ends after a time since the period's start, whether it exists or
    /// not.
    pub(super) fn index_at(&self, time: Micros) -> Option<u64> {
        let ticks = self.ticks_at(time);
        match &self.times {
            Times::Constant(duration) => {
                u64::try_from((ticks - i128::from(self.offset)).max(0) / i128::from(*duration)).ok()
            }
            Times::Runs(runs) => {
                let run = runs.get(runs.partition_point(|run| end_of(run) <= ticks))?;
                let within = (ticks - i128::from(run.time)).max(0) / i128::from(run.duration);
                Some(run.first + u64::try_from(within).ok()?.min(run.count - 1))
            }
        }
    }

    /// Returns the number of segments: all that are listed, or `u64::MAX`.
    pub(super) fn count(&self) -> u64 {
        match &self.times {
            Times::Constant(_) => u64::MAX,
            Times::Runs(runs) => runs.last().map_or(0, |run| run.first.saturating_add(run.count)),
        }
    }

    /// Returns the number of segments that begin before a positive time since the period's start.
    pub(super) fn count_before(&self, time: Micros) -> u64 {
        let Some(index) = self.index_at(time - 1) else { return self.count() };
        // The segment that ends at that time or later may begin later, behind a gap.
        let begins = self.ticks(index).is_some_and(|ticks| self.micros(ticks.time) < time);
        self.count().min(index.saturating_add(u64::from(begins)))
    }

    /// Returns the time since the period's start of a media time in ticks.
    pub(super) fn micros(&self, ticks: i64) -> Micros {
        from_ticks(ticks.saturating_sub(self.offset), self.timescale)
    }

    /// Returns the last tick of media time that is not after a time since the period's start.
    fn ticks_at(&self, time: Micros) -> i128 {
        // A time that was rounded down to a microsecond still belongs to the segment that begins there.
        let ticks = ((i128::from(time) + 1) * i128::from(self.timescale) - 1).div_euclid(1_000_000);
        ticks + i128::from(self.offset)
    }
}

fn end_of(run: &Run) -> i128 {
    i128::from(run.duration).saturating_mul(i128::from(run.count)).saturating_add(i128::from(run.time))
}

/// Fills `$Number$` and `$Time$` of a template in; `$$` is a dollar sign, and other identifiers stay as they are.
pub(super) fn fill(template: &str, number: u64, time: i64) -> String {
    fill_identifiers(template, |name, width| match name {
        "" => Some("$".to_owned()),
        "Number" => Some(format!("{number:0width$}")),
        "Time" => Some(format!("{time:0width$}")),
        _ => None,
    })
}

/// Fills the identifiers of a template of DASH in (ISO/IEC 23009-1, 5.3.9.4.4), such as `$Number%05d$`. `value` takes
/// the name, which is empty for `$$`, and the width, 1 to 32. An identifier for which it has `None` stays as it is, and
/// so does a `$` that begins none.
pub fn fill_identifiers(template: &str, value: impl Fn(&str, usize) -> Option<String>) -> String {
    let mut filled = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        let Some((identifier, next)) = after.split_once('$') else {
            filled.push('$');
            rest = after;
            continue;
        };
        let (name, format) = identifier.split_once('%').unwrap_or((identifier, ""));
        match value(name, width(format)) {
            Some(value) => filled.push_str(&value),
            None => filled.extend(["$", identifier, "$"]),
        }
        rest = next;
    }
    filled.push_str(rest);
    filled
}

/// Returns the width of `05d`; at most 32, since a server would reject more.
fn width(format: &str) -> usize {
    format.strip_suffix('d').and_then(|digits| digits.parse().ok()).map_or(1, |width: usize| width.clamp(1, 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_filled_in() {
        for (template, filled) in [
            ("seg-$Number$.m4s", "seg-1480044110.m4s"),
            ("$Number%012d$/$Time$.m4s", "001480044110/9007199254740993.m4s"),
            ("a$$b$Number$$$", "a$b1480044110$"),
            ("$Other$-$Number%0x$", "$Other$-1480044110"),
            ("open$Number", "open$Number"),
            ("", ""),
        ] {
            assert_eq!(fill(template, 1_480_044_110, 9_007_199_254_740_993), filled);
        }
    }
}
