//! Judges a run's thresholds while it lasts and when it is over.
//!
//! A second of the run is judged when every worker has handed it over, so what comes out does not depend on when this
//! was asked. What a window covers is kept second by second, and nothing else is.

use std::collections::BTreeMap;

use stampede_time::Nanos;

use super::ThresholdRule;
use super::sums::Sums;
use crate::metrics::aggregate::Aggregate;
use crate::metrics::interval::Interval;

/// A worker that is so many seconds behind the foremost one has ended, or stands still; nobody waits for it.
const MAX_SECONDS_BEHIND: u32 = 2;

const SECOND: Nanos = 1_000_000_000;

/// What came of a threshold.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdVerdict {
    /// The threshold.
    pub threshold: ThresholdRule,
    /// Whether it held.
    pub passed: bool,
    /// The number that decided: where a window failed first, else the one nearest to failing; or that of the whole run.
    /// `None` if there was nothing to look at.
    pub value: Option<f64>,
    /// At the end of which second it was that number, if not at the end of the run.
    pub at: Option<u32>,
    /// Whether it ended the run.
    pub aborted: bool,
}

/// All thresholds of a run.
#[derive(Debug)]
pub struct Judge {
    judged: Vec<ThresholdState>,
    /// The last second that each worker has handed over.
    handed_over: Vec<Option<u32>>,
    /// How many seconds have been judged.
    seconds: u32,
}

/// A threshold and how it stands.
#[derive(Debug)]
struct ThresholdState {
    threshold: ThresholdRule,
    /// The seconds that its window may still cover.
    slices: BTreeMap<u32, Sums>,
    /// Where it failed first.
    failed: Option<(f64, u32)>,
    /// What came nearest to failing.
    worst: Option<(f64, u32)>,
    aborted: bool,
}

impl Judge {
    /// Nothing judged yet.
    pub fn new(thresholds: &[ThresholdRule], workers: usize) -> Self {
        let judged = thresholds.iter().cloned().map(ThresholdState::new).collect();
        Self { judged, handed_over: vec![None; workers], seconds: 0 }
    }

    /// A worker hands over a second.
    pub fn add(&mut self, worker: usize, second: u32, interval: &Interval) {
        self.judged.iter_mut().for_each(|judged| judged.add(second, interval));
        self.handed_over[worker] = self.handed_over[worker].max(Some(second));
    }

    /// Judges the seconds that are complete by now, and says which threshold ends the run, if one does: `aggregate` is
    /// all that was handed over, `now` the time since the run began.
    pub fn judge_complete(&mut self, aggregate: &Aggregate, now: Nanos) -> Option<&ThresholdRule> {
        let end = self.complete_seconds().min(u32::try_from(now / SECOND).unwrap_or(u32::MAX));
        let mut fatal = None;
        for second in self.seconds + 1..=end {
            for (index, judged) in self.judged.iter_mut().enumerate() {
                let whole = (second == end).then_some(aggregate);
                if judged.judge_second(second, whole) && fatal.is_none() {
                    (fatal, judged.aborted) = (Some(index), true);
                }
            }
            self.seconds = second;
        }
        fatal.map(|index| &self.judged[index].threshold)
    }

    /// Judges the rest of a run that is over: the windows up to `ran`, when it began to end, and what is of the whole run.
    pub fn finish(mut self, aggregate: &Aggregate, elapsed: Nanos, load_end: Nanos) -> Vec<ThresholdVerdict> {
        for second in self.seconds + 1..=u32::try_from(load_end / SECOND).unwrap_or(u32::MAX) {
            for judged in &mut self.judged {
                judged.judge_second(second, None);
            }
        }
        self.judged.into_iter().map(|judged| judged.finish(aggregate, elapsed)).collect()
    }

    /// How many seconds of the run every worker has handed over.
    fn complete_seconds(&self) -> u32 {
        let newest = self.handed_over.iter().flatten().max().copied().unwrap_or(0);
        let awaited = self.handed_over.iter().map(|second| second.map_or(0, |second| second + 1));
        awaited.filter(|count| count + MAX_SECONDS_BEHIND > newest).min().unwrap_or(0)
    }
}

impl ThresholdState {
    const fn new(threshold: ThresholdRule) -> Self {
        Self { threshold, slices: BTreeMap::new(), failed: None, worst: None, aborted: false }
    }

    fn add(&mut self, second: u32, interval: &Interval) {
        if self.threshold.window.is_none() {
            return;
        }
        let measure = &self.threshold.measure;
        let sums = Sums::of_interval(measure, interval);
        self.slices.entry(second).or_default().add_worker(measure, &sums);
    }

    /// The first so many seconds are complete. True if the run is to end.
    fn judge_second(&mut self, second: u32, whole: Option<&Aggregate>) -> bool {
        let abort = self.threshold.abort.filter(|delay| *delay <= second);
        let number = match (self.threshold.window, whole) {
            (Some(window), _) if second >= window => {
                let number = self.window_sums(second - window..second).number(&self.threshold, f64::from(window));
                self.slices.retain(|slice_second, _| *slice_second > second - window);
                number
            }
            (None, Some(aggregate)) if abort.is_some() => {
                Sums::of_run(&self.threshold.measure, aggregate).number(&self.threshold, f64::from(second))
            }
            _ => None,
        };
        let Some(number) = number else { return false };
        let holds = self.threshold.comparison.holds(number, self.threshold.limit);
        if self.threshold.window.is_some() {
            self.note_window(number, second, holds);
        } else if !holds {
            self.failed = self.failed.or(Some((number, second)));
        }
        !holds && abort.is_some()
    }

    /// Remembers the number of a window.
    fn note_window(&mut self, number: f64, second: u32, holds: bool) {
        if !holds {
            self.failed = self.failed.or(Some((number, second)));
        }
        let distance = |number: f64| (number - self.threshold.limit).abs();
        if self.worst.is_none_or(|(worst, _)| distance(number) < distance(worst)) {
            self.worst = Some((number, second));
        }
    }

    fn window_sums(&self, seconds: std::ops::Range<u32>) -> Sums {
        let mut sums = Sums::default();
        self.slices.range(seconds).for_each(|(_, slice)| sums.add(slice));
        sums
    }

    fn finish(self, aggregate: &Aggregate, elapsed: Nanos) -> ThresholdVerdict {
        let is_short = self.threshold.window.is_some_and(|window| elapsed < Nanos::from(window) * SECOND);
        let decided = match self.threshold.window {
            Some(_) if !is_short => self.failed.or(self.worst),
            _ => self.failed.filter(|_| self.aborted),
        };
        if let Some((number, second)) = decided {
            let Self { threshold, failed, aborted, .. } = self;
            return ThresholdVerdict {
                threshold,
                passed: failed.is_none(),
                value: Some(number),
                at: Some(second),
                aborted,
            };
        }
        let sums = Sums::of_run(&self.threshold.measure, aggregate);
        let value = sums.number(&self.threshold, elapsed as f64 / SECOND as f64);
        // What was never seen was not shown to hold.
        let passed = value.is_some_and(|value| self.threshold.comparison.holds(value, self.threshold.limit));
        ThresholdVerdict { threshold: self.threshold, passed, value, at: None, aborted: self.aborted }
    }
}

#[cfg(test)]
mod tests;
