//! Counts of one scenario's iterations (`due = completed + cut short + dropped`) and the durations of completed ones.

use hdrhistogram::Counter;
use stampede_time::Nanos;

use super::compact_histogram::CompactHistogram;
use super::histogram::FINE;

/// The iteration counts and durations of one scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct IterationStats<C: Counter> {
    /// Iterations that ran to the end.
    pub completed: u64,
    /// Iterations that began and were cut short when the run or their user ended.
    pub cut_short: u64,
    /// Iterations that were due but never began because no user was free.
    pub dropped: u64,
    /// Durations of completed iterations, waits included.
    pub duration: CompactHistogram<C>,
}

impl<C: Counter> Default for IterationStats<C> {
    fn default() -> Self {
        Self { completed: 0, cut_short: 0, dropped: 0, duration: CompactHistogram::new(FINE) }
    }
}

impl<C: Counter> IterationStats<C> {
    /// Counts an iteration that began.
    pub fn record(&mut self, is_complete: bool, took: Nanos) {
        if is_complete {
            self.completed += 1;
            self.duration.record(took);
        } else {
            self.cut_short += 1;
        }
    }

    /// Returns the number of iterations that were due.
    pub const fn due(&self) -> u64 {
        self.completed + self.cut_short + self.dropped
    }

    /// Adds the counts of `other`, whose counters may have any width.
    pub fn add<D: Counter>(&mut self, other: &IterationStats<D>) {
        self.completed += other.completed;
        self.cut_short += other.cut_short;
        self.dropped += other.dropped;
        self.duration.add(&other.duration);
    }

    /// Sets all counts to zero and keeps the memory.
    pub fn clear(&mut self) {
        (self.completed, self.cut_short, self.dropped) = (0, 0, 0);
        self.duration.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iteration_that_is_due_ends_in_one_of_three_ways() {
        let mut one = IterationStats::<u32>::default();
        one.record(true, 5_000_000);
        one.record(false, 9_000_000);
        one.dropped += 3;
        let mut all = IterationStats::<u64>::default();
        all.add(&one);
        all.add(&one);
        assert_eq!((all.due(), all.completed, all.cut_short, all.dropped), (10, 2, 2, 6));
        assert_eq!((all.duration.len(), all.duration.max() / 1000), (2, 5), "only completed ones have a duration");
        one.clear();
        assert_eq!(one.due(), 0);
    }
}
