//! Judges the thresholds of a run, both during the run and when it is over.
//!
//! A second of the run is judged when it is complete ([`SecondMerger`](crate::metrics::second::SecondMerger)), so the
//! verdict does not depend on when the workers hand over their counts. The judge keeps only the sums of the seconds
//! that a window covers.

use std::collections::BTreeMap;

use stampede_time::{Nanos, SECOND};

use super::sums::Sums;
use super::{LiveThreshold, ThresholdRule};
use crate::metrics::aggregate::Aggregate;
use crate::metrics::interval::Interval;
use crate::metrics::survival::Estimate;

/// The verdict on a threshold.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdVerdict {
    /// The threshold.
    pub threshold: ThresholdRule,
    /// True if the threshold held.
    pub passed: bool,
    /// The number that decided: that of the first window that failed, else of the window nearest to failing; or that of
    /// the whole run. `None` if there were no values.
    pub value: Option<Estimate<f64>>,
    /// The second at whose end `value` was calculated; `None` for the end of the run.
    pub at: Option<u32>,
    /// True if the threshold ended the run.
    pub aborted: bool,
}

/// The thresholds of a run and the state of each.
#[derive(Debug)]
pub(crate) struct Judge {
    judged: Vec<ThresholdState>,
    /// Number of seconds that have been judged.
    seconds: u32,
}

/// A threshold and its state.
#[derive(Debug)]
struct ThresholdState {
    threshold: ThresholdRule,
    /// The sums of the seconds that the window may still cover, by second.
    slices: BTreeMap<u32, Sums>,
    /// The value of the first window that failed, or of the run so far at the first second that failed.
    failed: Option<WindowValue>,
    /// The value of the window nearest to failing.
    worst: Option<WindowValue>,
    aborted: bool,
}

impl Judge {
    /// Creates a judge for a run that has just begun.
    pub(crate) fn new(thresholds: &[ThresholdRule]) -> Self {
        Self { judged: thresholds.iter().cloned().map(ThresholdState::new).collect(), seconds: 0 }
    }

    /// Returns `true` if a threshold has a window, so that the counts of each second are needed.
    pub(crate) fn reads_counts(&self) -> bool {
        self.judged.iter().any(|judged| judged.threshold.window.is_some())
    }

    /// Adds the counts of a second, the first of which is 0.
    pub(crate) fn add(&mut self, second: u32, counts: &Interval) {
        self.judged.iter_mut().for_each(|judged| judged.add(second, counts));
    }

    /// Judges up to the end of a second whose counts have all been added, and returns the threshold that ends the run,
    /// if one does. `aggregate` holds the counts of the whole run so far; without it, only windows are judged.
    pub(crate) fn judge(&mut self, second: u32, aggregate: Option<&Aggregate>) -> Option<&ThresholdRule> {
        let end = second + 1;
        let mut fatal = None;
        for second in self.seconds + 1..=end {
            for (index, judged) in self.judged.iter_mut().enumerate() {
                let whole = aggregate.filter(|_| second == end);
                if judged.judge_second(second, whole) && fatal.is_none() {
                    (fatal, judged.aborted) = (Some(index), true);
                }
            }
            self.seconds = second;
        }
        fatal.map(|index| &self.judged[index].threshold)
    }

    /// Returns the state of each threshold that has a window: the window that failed first, or the nearest to failing.
    pub(super) fn windows(&self) -> impl Iterator<Item = LiveThreshold> {
        self.judged.iter().map(|ThresholdState { failed, worst, .. }| LiveThreshold {
            holds: worst.map(|_| failed.is_none()),
            value: failed.or(*worst).map(|window| window.value),
        })
    }

    /// Judges the rest of a run that is over: the windows up to `load_end`, the time at which the run began to end, and
    /// the thresholds on the whole run, whose rates are over `span`. Exchanges that were cut off later began before
    /// that time, so they count in the last window.
    pub(crate) fn finish(mut self, aggregate: &Aggregate, span: Nanos, load_end: Nanos) -> Vec<ThresholdVerdict> {
        let last = u32::try_from(load_end / SECOND).unwrap_or(u32::MAX);
        for second in self.seconds + 1..last {
            for judged in &mut self.judged {
                judged.judge_second(second, None);
            }
        }
        for judged in &mut self.judged {
            judged.move_cut_off_to(last.saturating_sub(1));
            judged.judge_second(last, None);
        }
        self.judged.into_iter().map(|judged| judged.finish(aggregate, span)).collect()
    }
}

/// The number that a window, or the run so far, is judged by.
#[derive(Clone, Copy, Debug)]
struct WindowValue {
    value: Estimate<f64>,
    /// The second at whose end the number was calculated.
    second: u32,
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
        self.slices.entry(second).or_default().add(&Sums::of_interval(measure, interval));
    }

    /// Judges the end of a second, the first of which is 1. Returns `true` if the run is to end.
    fn judge_second(&mut self, second: u32, whole: Option<&Aggregate>) -> bool {
        let abort = self.threshold.abort.filter(|delay| *delay <= second);
        let number = match (self.threshold.window, whole) {
            (Some(window), _) if second >= window => {
                let number = self.window_sums(second - window..second).number(&self.threshold, f64::from(window));
                // The window may be judged once more when the run is over.
                self.slices.retain(|slice_second, _| *slice_second >= second - window);
                number
            }
            (None, Some(aggregate)) if abort.is_some() => {
                Sums::of_run(&self.threshold.measure, aggregate).number(&self.threshold, f64::from(second))
            }
            _ => None,
        };
        let Some(number) = number else { return false };
        let holds = self.threshold.holds(number);
        if self.threshold.window.is_some() {
            self.note_window(WindowValue { value: number, second }, holds);
        } else if !holds {
            self.failed = self.failed.or(Some(WindowValue { value: number, second }));
        }
        !holds && abort.is_some()
    }

    /// Adds what was cut off in later seconds to this one.
    fn move_cut_off_to(&mut self, second: u32) {
        if self.threshold.window.is_none() {
            return;
        }
        let mut cut_off = Sums::default();
        self.slices.range(second.saturating_add(1)..).for_each(|(_, slice)| cut_off.add(&slice.cut_off_part()));
        self.slices.entry(second).or_default().add(&cut_off);
    }

    /// Keeps the number of a window if it is the first to fail or the nearest to failing.
    fn note_window(&mut self, window: WindowValue, holds: bool) {
        if !holds {
            self.failed = self.failed.or(Some(window));
        }
        let distance = |window: WindowValue| (window.value.value - self.threshold.limit).abs();
        if self.worst.is_none_or(|worst| distance(window) < distance(worst)) {
            self.worst = Some(window);
        }
    }

    fn window_sums(&self, seconds: std::ops::Range<u32>) -> Sums {
        let mut sums = Sums::default();
        self.slices.range(seconds).for_each(|(_, slice)| sums.add(slice));
        sums
    }

    fn finish(self, aggregate: &Aggregate, span: Nanos) -> ThresholdVerdict {
        let is_short = self.threshold.window.is_some_and(|window| span < Nanos::from(window) * SECOND);
        let decided = match self.threshold.window {
            Some(_) if !is_short => self.failed.or(self.worst),
            _ => self.failed.filter(|_| self.aborted),
        };
        if let Some(WindowValue { value, second }) = decided {
            let Self { threshold, failed, aborted, .. } = self;
            return ThresholdVerdict {
                threshold,
                passed: failed.is_none(),
                value: Some(value),
                at: Some(second),
                aborted,
            };
        }
        let sums = Sums::of_run(&self.threshold.measure, aggregate);
        let value = sums.number(&self.threshold, span as f64 / SECOND as f64);
        // Without values, nothing shows that the threshold held, so it fails.
        let passed = value.is_some_and(|value| self.threshold.holds(value));
        ThresholdVerdict { threshold: self.threshold, passed, value, at: None, aborted: self.aborted }
    }
}

#[cfg(test)]
mod tests;
