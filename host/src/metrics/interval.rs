//! What one worker counted in about a second: the parcel that travels from the [`Recorder`](super::recorder::Recorder) to
//! the [`Aggregate`](super::aggregate::Aggregate) and, emptied, back again.

use hdrhistogram::Histogram;
use stampede_time::Nanos;

use super::custom_metric::MetricTally;
use super::histogram;
use super::iteration_stats::IterationStats;
use super::row_stats::RowStats;
use super::sample::{FailureKind, RowId};
use crate::text::error_chain;

/// The longest example text kept, in characters.
pub const EXAMPLE_CHARS: usize = 200;

/// One text that shows what a kind of failure looked like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Where it happened.
    pub row: RowId,
    /// What kind it is an example of.
    pub kind: FailureKind,
    text: String,
}

impl Example {
    /// Keeps the first [`EXAMPLE_CHARS`] characters of the text, as [`one_line`].
    pub fn new(row: RowId, kind: FailureKind, text: &str) -> Self {
        Self { row, kind, text: error_chain(text).chars().take(EXAMPLE_CHARS).collect() }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// How well the worker itself fared. Filled by the worker when it hands the interval over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntervalHealth {
    /// CPU time of the worker's thread.
    pub cpu: Nanos,
    /// How long the interval lasted.
    pub wall: Nanos,
    /// The longest that the worker's loop was late by.
    pub loop_lag_max: Nanos,
    /// Time spent inside guests, per plugin.
    pub guest: Vec<Nanos>,
    /// Calls into guests, per plugin.
    pub guest_calls: Vec<u64>,
    /// Instances of guests lost to traps, per plugin.
    pub guest_traps: Vec<u64>,
    /// Other tasks that failed with those instances, per plugin.
    pub guest_collateral: Vec<u64>,
}

impl IntervalHealth {
    /// Back to nothing; the lists keep their lengths.
    fn clear(&mut self) {
        (self.cpu, self.wall, self.loop_lag_max) = (0, 0, 0);
        for list in [&mut self.guest, &mut self.guest_calls, &mut self.guest_traps, &mut self.guest_collateral] {
            list.fill(0);
        }
    }
}

/// What one worker counted in about a second.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    /// One series per row, by [`RowId`].
    pub rows: Vec<RowStats<u32>>,
    /// Start − intended start of every exchange of any row.
    pub start_delay: Histogram<u32>,
    /// Users that the worker had when it handed the interval over.
    pub users_active: u32,
    /// Failures seen for the first time by this worker.
    pub examples: Vec<Example>,
    /// How well the worker fared.
    pub health: IntervalHealth,
    /// What plugins counted, by [`MetricId`](super::custom::MetricId).
    pub tallies: Vec<MetricTally>,
    /// Iterations, by scenario.
    pub iterations: Vec<IterationStats<u32>>,
    /// Exchanges of the warm-up, which are counted nowhere else.
    pub warm_up: u64,
}

impl Interval {
    /// Nothing counted yet, for this many rows.
    pub fn new(rows: usize) -> Self {
        Self {
            rows: std::iter::repeat_with(RowStats::default).take(rows).collect(),
            start_delay: histogram::empty(histogram::FINE),
            users_active: 0,
            examples: Vec::new(),
            health: IntervalHealth::default(),
            tallies: Vec::new(),
            iterations: Vec::new(),
            warm_up: 0,
        }
    }

    /// Back to nothing, keeping the memory. Best done where it was read: it writes over all counters in use, and what is
    /// empty already costs nothing to clear again.
    pub fn clear(&mut self) {
        self.rows.iter_mut().for_each(RowStats::clear);
        histogram::clear(&mut self.start_delay);
        self.users_active = 0;
        self.examples.clear();
        self.health.clear();
        self.tallies.iter_mut().for_each(MetricTally::clear);
        self.iterations.iter_mut().for_each(IterationStats::clear);
        self.warm_up = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_cut_at_characters_not_bytes() {
        let example = Example::new(0, FailureKind::Check, &"é".repeat(300));
        assert_eq!(example.text().chars().count(), EXAMPLE_CHARS);
    }

    #[test]
    fn an_example_is_one_line_without_control_characters() {
        let example = Example::new(0, FailureKind::Check, "\u{1b}[31mred\u{7}\r\n  two\tthree\u{9b}");
        assert_eq!(example.text(), "[31mred two three");
    }

    #[test]
    fn a_cleared_interval_keeps_its_lists() {
        let mut interval = Interval::new(3);
        interval.health.guest = vec![5, 6];
        interval.examples.push(Example::new(0, FailureKind::Check, "x"));
        interval.clear();
        assert_eq!((interval.rows.len(), interval.health.guest.as_slice()), (3, &[0, 0][..]));
        assert!(interval.examples.is_empty());
    }
}
