//! The counts of about a second, which a worker's [`Recorder`](super::recorder::Recorder) sends to the main thread and
//! gets back empty. The main thread adds them to the [`Aggregate`](super::aggregate::Aggregate), and to the counts of
//! the other workers in that second ([`SecondMerger`](super::second::SecondMerger)).

use stampede_time::Nanos;

use super::compact_histogram::CompactHistogram;
use super::custom_metric::MetricTally;
use super::histogram::FINE;
use super::iteration_stats::IterationStats;
use super::row_stats::RowStats;
use super::sample::{FailureKind, RowId};
use super::shown_exchange::ShownExchange;
use super::trace::TracedStep;
use crate::text::one_line;

/// The longest example text kept, in characters.
pub(super) const EXAMPLE_CHARS: usize = 200;

/// The text of one failure, as an example of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The row in which the failure happened.
    pub row: RowId,
    /// The kind of the failure.
    pub kind: FailureKind,
    text: String,
}

impl Example {
    /// Creates an example from the first [`EXAMPLE_CHARS`] characters of the text, as [`one_line`] writes them.
    pub fn new(row: RowId, kind: FailureKind, text: &str) -> Self {
        Self { row, kind, text: one_line(text).chars().take(EXAMPLE_CHARS).collect() }
    }

    /// Creates an example from a text that another one had; `None` if an example would not have it.
    pub(super) fn of_clean(row: RowId, kind: FailureKind, text: &str) -> Option<Self> {
        let is_clean = text.chars().count() <= EXAMPLE_CHARS && !text.chars().any(char::is_control);
        is_clean.then(|| Self { row, kind, text: text.to_owned() })
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The health of the generator itself. The worker fills it in when it hands the interval over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntervalHealth {
    /// CPU time of the worker's thread.
    pub cpu: Nanos,
    /// Length of the interval.
    pub wall: Nanos,
    /// Time for which the worker's thread was ready to run and waited for a CPU; `None` if the system does not tell.
    pub cpu_wait: Option<Nanos>,
    /// The greatest delay of the worker's loop.
    pub loop_lag_max: Nanos,
    /// Connections that are open at the end of the interval.
    pub connections: u32,
    /// Time spent inside guests, per plugin.
    pub guest: Vec<Nanos>,
    /// Calls into guests, per plugin.
    pub guest_calls: Vec<u64>,
    /// Guest instances lost to traps, per plugin.
    pub guest_traps: Vec<u64>,
    /// Other tasks that failed because those instances were lost, per plugin.
    pub guest_collateral: Vec<u64>,
}

impl IntervalHealth {
    /// Adds the health of a later interval: sums everything but the loop lag, of which it keeps the longest, and the
    /// open connections, which become those of the later one.
    pub fn add(&mut self, other: &Self) {
        self.cpu += other.cpu;
        self.wall += other.wall;
        self.cpu_wait = self.cpu_wait.map_or(other.cpu_wait, |wait| Some(wait + other.cpu_wait.unwrap_or(0)));
        self.loop_lag_max = self.loop_lag_max.max(other.loop_lag_max);
        self.connections = other.connections;
        add_lists(&mut self.guest, &other.guest);
        add_lists(&mut self.guest_calls, &other.guest_calls);
        add_lists(&mut self.guest_traps, &other.guest_traps);
        add_lists(&mut self.guest_collateral, &other.guest_collateral);
    }

    /// Sets everything to zero; the lists keep their lengths.
    pub fn clear(&mut self) {
        (self.cpu, self.wall, self.cpu_wait, self.loop_lag_max, self.connections) = (0, 0, None, 0, 0);
        for list in [&mut self.guest, &mut self.guest_calls, &mut self.guest_traps, &mut self.guest_collateral] {
            list.fill(0);
        }
    }
}

fn add_lists(into: &mut Vec<u64>, from: &[u64]) {
    if into.len() < from.len() {
        into.resize(from.len(), 0);
    }
    into.iter_mut().zip(from).for_each(|(sum, more)| *sum += more);
}

/// An interval, with the worker and the second that it came from.
#[derive(Debug)]
pub struct WorkerInterval {
    /// Index of the worker.
    pub worker: usize,
    /// The second of the run in which the interval began; the first one is 0.
    pub second: u32,
    /// The counts.
    pub interval: Box<Interval>,
}

/// The second and the worker of an observation, ordered so that the smaller one counts as earlier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SeenAt {
    /// The second of the run.
    second: u32,
    /// Index of the worker.
    worker: usize,
}

impl SeenAt {
    /// Returns the place of everything in an interval.
    pub(crate) const fn of(from: &WorkerInterval) -> Self {
        Self { second: from.second, worker: from.worker }
    }
}

/// The counts of about a second, of one worker or of all.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    /// One series per row, by [`RowId`].
    pub rows: Vec<RowStats<u32>>,
    /// Start − intended start of every exchange of any row.
    pub start_delay: CompactHistogram<u32>,
    /// Number of users that the worker had when it handed the interval over.
    pub users_active: u32,
    /// Examples of failures that this worker saw for the first time.
    pub examples: Vec<Example>,
    /// Exchanges that are kept to be shown.
    pub exchanges: Vec<ShownExchange>,
    /// Runs of steps that are exported as traces.
    pub traces: Vec<TracedStep>,
    /// Number of runs of steps that should have been exported, and for which there was no room.
    pub traces_left_out: u64,
    /// The health of the worker, or the sum over several workers.
    pub health: IntervalHealth,
    /// Values of plugins' metrics, groups and checks, by [`MetricId`](super::custom_metric::MetricId).
    pub tallies: Vec<MetricTally>,
    /// Iterations, by scenario.
    pub iterations: Vec<IterationStats<u32>>,
    /// Number of exchanges in the warm-up, which are counted nowhere else.
    pub warm_up: u64,
}

impl Interval {
    /// Creates an interval without counts, for this many rows.
    pub fn new(rows: usize) -> Self {
        Self {
            rows: std::iter::repeat_with(RowStats::default).take(rows).collect(),
            start_delay: CompactHistogram::new(FINE),
            users_active: 0,
            examples: Vec::new(),
            exchanges: Vec::new(),
            traces: Vec::new(),
            traces_left_out: 0,
            health: IntervalHealth::default(),
            tallies: Vec::new(),
            iterations: Vec::new(),
            warm_up: 0,
        }
    }

    /// Sets all counts to zero and keeps the memory. It overwrites every counter in use, so the thread that has read
    /// them should call it; clearing an interval that is already empty costs nothing.
    pub fn clear(&mut self) {
        self.rows.iter_mut().for_each(RowStats::clear);
        self.start_delay.clear();
        self.users_active = 0;
        self.examples.clear();
        self.exchanges.clear();
        self.traces.clear();
        self.traces_left_out = 0;
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
