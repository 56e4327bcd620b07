//! Merges the counts of all workers in each second of a run. A second is complete when every worker has handed it over.
//! The merger does not wait for a worker that has stalled; its late counts go into the next second. So each second is
//! returned once and in order, and the seconds of a run add up to the run.

use std::collections::BTreeMap;

use stampede_time::Nanos;

use super::custom_metric::{MetricKind, MetricTally};
use super::interval::{Interval, IntervalHealth, WorkerInterval};
use super::iteration_stats::IterationStats;

/// The number of seconds behind the foremost worker, or behind the clock, at which a worker is no longer waited for: it
/// has ended or stalled.
const MAX_SECONDS_BEHIND: u32 = 2;

const SECOND: Nanos = 1_000_000_000;

/// The counts of all workers in one second.
#[derive(Clone, Debug)]
pub struct MergedSecond {
    /// The number of the second; the first one is 0.
    pub second: u32,
    /// The sum over the workers. Its health is the sum of their health, with the longest loop lag. Rows, iterations,
    /// metrics and examples are empty if the merger was created without `reads_counts`.
    pub counts: Interval,
    /// The health of each worker, by worker index.
    pub health: Vec<IntervalHealth>,
    /// The highest index of a worker that added to each metric. That worker's last value is the metric's last value.
    last_worker: Vec<usize>,
}

/// Collects intervals until their seconds are complete.
#[derive(Debug)]
pub struct SecondMerger {
    rows: usize,
    metrics: Vec<MetricKind>,
    reads_counts: bool,
    /// Seconds with counts that have not been returned yet.
    pending: BTreeMap<u32, MergedSecond>,
    /// The last second that each worker has handed over, by worker index.
    handed_over: Vec<Option<u32>>,
    /// The second to be returned next.
    next: u32,
    /// A second that has been read and whose memory can be reused.
    spare: Option<MergedSecond>,
}

impl SecondMerger {
    /// Creates a merger for a run that has just begun. Without `reads_counts`, only users and health are merged, which
    /// costs next to nothing.
    pub fn new(workers: usize, rows: usize, metrics: Vec<MetricKind>, reads_counts: bool) -> Self {
        let handed_over = vec![None; workers];
        Self { rows, metrics, reads_counts, pending: BTreeMap::new(), handed_over, next: 0, spare: None }
    }

    /// Adds an interval to its second or, if that has already been returned, to the next one to be returned.
    ///
    /// # Panics
    /// If there is no such worker.
    pub fn add(&mut self, from: &WorkerInterval) {
        let handed_over = &mut self.handed_over[from.worker];
        *handed_over = (*handed_over).max(Some(from.second));
        let second = from.second.max(self.next);
        if !self.pending.contains_key(&second) {
            let empty = self.empty(second);
            self.pending.insert(second, empty);
        }
        let Some(merged) = self.pending.get_mut(&second) else { return };
        merged.counts.users_active += from.interval.users_active;
        merged.counts.health.add(&from.interval.health);
        merged.health[from.worker].add(&from.interval.health);
        if self.reads_counts {
            merged.add_counts(from);
        }
    }

    /// Returns the next second if it is complete. `now` is the time since the run began.
    pub fn next_complete(&mut self, now: Nanos) -> Option<MergedSecond> {
        let clock = u32::try_from(now / SECOND).unwrap_or(u32::MAX);
        let complete = self.complete_seconds().min(clock).max(clock.saturating_sub(MAX_SECONDS_BEHIND));
        (self.next < complete).then(|| self.give_out())
    }

    /// Returns the next second of a run that is over, complete or not; `None` once all counts have been returned.
    pub fn next_remaining(&mut self) -> Option<MergedSecond> {
        (!self.pending.is_empty()).then(|| self.give_out())
    }

    /// Takes back a second whose counts have been read, to reuse its memory for a later one.
    pub fn recycle(&mut self, second: MergedSecond) {
        self.spare = Some(second);
    }

    /// Returns the number of seconds that every worker still waited for has handed over.
    fn complete_seconds(&self) -> u32 {
        let newest = self.handed_over.iter().flatten().max().copied().unwrap_or(0);
        let awaited = self.handed_over.iter().map(|second| second.map_or(0, |second| second + 1));
        awaited.filter(|count| count + MAX_SECONDS_BEHIND > newest).min().unwrap_or(0)
    }

    fn give_out(&mut self) -> MergedSecond {
        let second = self.next;
        self.next += 1;
        self.pending.remove(&second).unwrap_or_else(|| self.empty(second))
    }

    fn empty(&mut self, second: u32) -> MergedSecond {
        let Some(mut spare) = self.spare.take() else {
            let mut counts = Interval::new(if self.reads_counts { self.rows } else { 0 });
            if self.reads_counts {
                counts.tallies = self.metrics.iter().copied().map(MetricTally::new).collect();
            }
            let health = vec![IntervalHealth::default(); self.handed_over.len()];
            return MergedSecond { second, last_worker: vec![0; counts.tallies.len()], counts, health };
        };
        spare.second = second;
        spare.counts.clear();
        spare.health.iter_mut().for_each(IntervalHealth::clear);
        spare.last_worker.fill(0);
        spare
    }
}

impl MergedSecond {
    fn add_counts(&mut self, from: &WorkerInterval) {
        let (counts, interval) = (&mut self.counts, &from.interval);
        for (into, row) in counts.rows.iter_mut().zip(&interval.rows) {
            into.add(row);
        }
        super::histogram::add(&mut counts.start_delay, &interval.start_delay);
        counts.examples.extend(interval.examples.iter().cloned());
        let tallies = counts.tallies.iter_mut().zip(&mut self.last_worker).zip(&interval.tallies);
        for ((into, last_worker), tally) in tallies.filter(|(_, tally)| tally.count > 0) {
            into.merge(tally, *last_worker <= from.worker);
            *last_worker = from.worker.max(*last_worker);
        }
        let scenarios = counts.iterations.len().max(interval.iterations.len());
        counts.iterations.resize_with(scenarios, IterationStats::default);
        for (into, iterations) in counts.iterations.iter_mut().zip(&interval.iterations) {
            into.add(iterations);
        }
        counts.warm_up += interval.warm_up;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(worker: usize, second: u32, ok: u64) -> WorkerInterval {
        let mut interval = Box::new(Interval::new(1));
        interval.rows[0].ok = ok;
        interval.users_active = 2;
        interval.tallies = vec![MetricTally::new(MetricKind::Gauge)];
        interval.tallies[0].add(f64::from(second) * 10.0 + worker as f64);
        interval.health.loop_lag_max = worker as u64 + 1;
        WorkerInterval { worker, second, interval }
    }

    fn merger(workers: usize) -> SecondMerger {
        SecondMerger::new(workers, 1, vec![MetricKind::Gauge], true)
    }

    /// Returns the number and the requests of each complete second.
    fn complete(merger: &mut SecondMerger, now: u64) -> Vec<(u32, u64)> {
        let seconds = std::iter::from_fn(|| merger.next_complete(now * SECOND));
        seconds.map(|merged| (merged.second, merged.counts.rows[0].ok)).collect()
    }

    #[test]
    fn a_second_is_complete_when_every_worker_has_handed_it_over_and_it_is_over() {
        let mut merger = merger(2);
        merger.add(&interval(0, 0, 3));
        assert_eq!(complete(&mut merger, 1), [], "the other worker is missing");
        merger.add(&interval(1, 0, 4));
        assert_eq!(complete(&mut merger, 0), [], "the second is not over");
        assert_eq!(complete(&mut merger, 1), [(0, 7)]);
        assert_eq!(complete(&mut merger, 1), [], "each second comes once");
    }

    #[test]
    fn a_worker_that_is_left_behind_is_not_waited_for_and_its_counts_come_later() {
        let mut merger = merger(2);
        for second in 0..=3 {
            merger.add(&interval(0, second, 1));
        }
        assert_eq!(complete(&mut merger, 4), [(0, 1), (1, 1), (2, 1), (3, 1)]);
        merger.add(&interval(1, 0, 100));
        merger.add(&interval(0, 4, 1));
        assert_eq!(complete(&mut merger, 7), [(4, 101)]);
    }

    #[test]
    fn the_clock_waits_for_no_worker() {
        let mut merger = merger(1);
        assert_eq!(complete(&mut merger, 2), []);
        assert_eq!(complete(&mut merger, 4), [(0, 0), (1, 0)], "nothing was handed over for four seconds");
    }

    #[test]
    fn the_remaining_seconds_come_when_the_run_is_over() {
        let mut merger = merger(1);
        merger.add(&interval(0, 0, 1));
        merger.add(&interval(0, 2, 5));
        let rest: Vec<_> = std::iter::from_fn(|| merger.next_remaining()).map(|it| it.counts.rows[0].ok).collect();
        assert_eq!(rest, [1, 0, 5]);
    }

    #[test]
    fn workers_add_up_in_any_order() {
        let all = [interval(0, 0, 1), interval(1, 0, 2), interval(2, 0, 4)];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let mut merger = merger(3);
            order.iter().for_each(|index: &usize| merger.add(&all[*index]));
            let merged = merger.next_complete(SECOND).expect("complete");
            let counts = &merged.counts;
            assert_eq!((counts.rows[0].ok, counts.users_active, counts.health.loop_lag_max), (7, 6, 3), "{order:?}");
            assert_eq!((counts.tallies[0].count, counts.tallies[0].last), (3, 2.0), "{order:?}");
            assert_eq!(merged.health.iter().map(|health| health.loop_lag_max).collect::<Vec<_>>(), [1, 2, 3]);
        }
    }

    #[test]
    fn a_second_that_is_used_again_is_empty() {
        let mut merger = merger(1);
        merger.add(&interval(0, 0, 9));
        let first = merger.next_complete(SECOND).expect("complete");
        merger.recycle(first);
        merger.add(&interval(0, 1, 1));
        let second = merger.next_complete(2 * SECOND).expect("complete");
        assert_eq!((second.second, second.counts.rows[0].ok, second.counts.tallies[0].count), (1, 1, 1));
        assert_eq!(second.health[0].loop_lag_max, 1);
    }

    #[test]
    fn counts_that_are_not_read_are_not_merged() {
        let mut merger = SecondMerger::new(1, 1, vec![MetricKind::Gauge], false);
        merger.add(&interval(0, 0, 9));
        let merged = merger.next_complete(SECOND).expect("complete");
        assert_eq!((merged.counts.rows.len(), merged.counts.tallies.len(), merged.counts.users_active), (0, 0, 2));
    }
}
