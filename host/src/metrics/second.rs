//! Merges the counts of all workers in each second of a run. A second is complete when every worker has handed it over.
//! The merger does not wait for a worker that has stalled; its late counts go into the next second. So no second is
//! returned twice, they come in order, and the seconds of a run add up to the run.

use std::collections::BTreeMap;

use stampede_time::{Nanos, SECOND};

use super::custom_metric::{MetricKind, MetricTally};
use super::interval::{Interval, IntervalHealth, SeenAt, WorkerInterval};
use super::iteration_stats::IterationStats;

/// The greatest number of seconds that a worker may be behind the foremost one, or behind the clock, and still be
/// waited for.
const MAX_SECONDS_BEHIND: u32 = 2;

/// Returns `true` if a worker that has come to `second` is no longer waited for, because another has come to `newest`.
pub(crate) const fn is_left_behind(second: u32, newest: u32) -> bool {
    newest.saturating_sub(second) > MAX_SECONDS_BEHIND
}

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
    /// The users of each worker that has handed this second over, by worker index.
    users: Vec<Option<u32>>,
    /// The place of each metric's last value.
    last_values: Vec<SeenAt>,
}

/// Collects intervals until their seconds are complete.
#[derive(Debug)]
pub(crate) struct SecondMerger {
    rows: usize,
    metrics: Vec<MetricKind>,
    reads_counts: bool,
    /// Seconds with counts that have not been returned yet.
    pending: BTreeMap<u32, MergedSecond>,
    /// The state of each worker, by worker index.
    workers: Vec<WorkerState>,
    /// The second to be returned next.
    next: u32,
    /// A second that has been read and whose memory can be reused.
    spare: Option<MergedSecond>,
}

/// The progress of one worker.
#[derive(Clone, Copy, Debug, Default)]
struct WorkerState {
    /// One more than the last second that it has handed over.
    seconds: u32,
    /// Its users in the last second that was returned.
    users: u32,
    has_ended: bool,
}

impl SecondMerger {
    /// Creates a merger for a run that has just begun. Without `reads_counts`, only users and health are merged, which
    /// costs next to nothing.
    pub(crate) fn new(workers: usize, rows: usize, metrics: Vec<MetricKind>, reads_counts: bool) -> Self {
        let workers = vec![WorkerState::default(); workers];
        Self { rows, metrics, reads_counts, pending: BTreeMap::new(), workers, next: 0, spare: None }
    }

    /// Adds an interval to its second or, if that has already been returned, to the next one to be returned.
    ///
    /// # Panics
    /// If there is no such worker.
    pub(crate) fn add(&mut self, from: &WorkerInterval) {
        let worker = &mut self.workers[from.worker];
        worker.seconds = worker.seconds.max(from.second + 1);
        let second = from.second.max(self.next);
        if !self.pending.contains_key(&second) {
            let empty = self.empty(second);
            self.pending.insert(second, empty);
        }
        let Some(merged) = self.pending.get_mut(&second) else { return };
        // A number at one moment: it replaces that of an earlier interval which came late.
        merged.users[from.worker] = Some(from.interval.users_active);
        merged.counts.health.add(&from.interval.health);
        merged.health[from.worker].add(&from.interval.health);
        if self.reads_counts {
            merged.add_counts(from);
        }
    }

    /// Notes that a worker has ended and everything it recorded has been added. It is not waited for.
    ///
    /// # Panics
    /// If there is no such worker.
    pub(crate) fn worker_ended(&mut self, worker: usize) {
        self.workers[worker].has_ended = true;
    }

    /// Returns the next second if it is complete. `now` is the time since the run began. If several are complete, those
    /// in which no worker handed anything over are left out, except for the newest: the program stood still.
    pub(crate) fn next_complete(&mut self, now: Nanos) -> Option<MergedSecond> {
        let clock = u32::try_from(now / SECOND).unwrap_or(u32::MAX);
        let complete = self.complete_seconds().min(clock).max(clock.saturating_sub(MAX_SECONDS_BEHIND));
        let newest = complete.checked_sub(1).filter(|newest| *newest >= self.next)?;
        let second = self.pending.keys().next().map_or(newest, |first| newest.min(*first));
        Some(self.give_out(second))
    }

    /// Returns the next second with counts of a run that is over, complete or not; `None` once all have been returned.
    pub(crate) fn next_remaining(&mut self) -> Option<MergedSecond> {
        let second = *self.pending.keys().next()?;
        Some(self.give_out(second))
    }

    /// Takes back a second whose counts have been read, to reuse its memory for a later one.
    pub(crate) fn recycle(&mut self, second: MergedSecond) {
        self.spare = Some(second);
    }

    /// Returns the number of seconds that every worker still waited for has handed over.
    fn complete_seconds(&self) -> u32 {
        let newest = self.workers.iter().map(|worker| worker.seconds).max().unwrap_or(0);
        let is_awaited = |worker: &&WorkerState| !worker.has_ended && !is_left_behind(worker.seconds, newest);
        self.workers.iter().filter(is_awaited).map(|worker| worker.seconds).min().unwrap_or(newest)
    }

    fn give_out(&mut self, second: u32) -> MergedSecond {
        self.next = second + 1;
        let mut merged = self.pending.remove(&second).unwrap_or_else(|| self.empty(second));
        for (worker, users) in self.workers.iter_mut().zip(&merged.users) {
            let is_gone = worker.has_ended && worker.seconds <= second;
            // A worker that has handed nothing over still has the users that it had.
            worker.users = if is_gone { 0 } else { users.unwrap_or(worker.users) };
        }
        merged.counts.users_active = self.workers.iter().map(|worker| worker.users).sum();
        merged
    }

    fn empty(&mut self, second: u32) -> MergedSecond {
        let Some(mut spare) = self.spare.take() else {
            let mut counts = Interval::new(if self.reads_counts { self.rows } else { 0 });
            if self.reads_counts {
                counts.tallies = self.metrics.iter().copied().map(MetricTally::new).collect();
            }
            let health = vec![IntervalHealth::default(); self.workers.len()];
            let last_values = vec![SeenAt::default(); counts.tallies.len()];
            return MergedSecond { second, counts, health, users: vec![None; self.workers.len()], last_values };
        };
        spare.second = second;
        spare.counts.clear();
        spare.health.iter_mut().for_each(IntervalHealth::clear);
        spare.users.fill(None);
        spare.last_values.fill(SeenAt::default());
        spare
    }
}

impl MergedSecond {
    fn add_counts(&mut self, from: &WorkerInterval) {
        let (counts, interval, at) = (&mut self.counts, &from.interval, SeenAt::of(from));
        for (into, row) in counts.rows.iter_mut().zip(&interval.rows) {
            into.add(row);
        }
        counts.start_delay.add(&interval.start_delay);
        counts.examples.extend(interval.examples.iter().cloned());
        counts.exchanges.extend(interval.exchanges.iter().cloned());
        counts.traces.extend(interval.traces.iter().cloned());
        counts.traces_left_out += interval.traces_left_out;
        let tallies = counts.tallies.iter_mut().zip(&mut self.last_values).zip(&interval.tallies);
        for ((into, last), tally) in tallies.filter(|(_, tally)| tally.count > 0) {
            into.merge(tally, *last <= at);
            *last = at.max(*last);
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

    /// Returns an interval with two users, and a gauge that tells second and worker.
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
    fn a_worker_that_has_ended_is_not_waited_for() {
        let mut merger = merger(2);
        merger.add(&interval(0, 0, 1));
        merger.add(&interval(1, 0, 1));
        merger.add(&interval(0, 1, 1));
        assert_eq!(complete(&mut merger, 2), [(0, 2)], "the other worker is missing");
        merger.worker_ended(1);
        assert_eq!(complete(&mut merger, 2), [(1, 1)]);
        merger.add(&interval(0, 2, 1));
        merger.worker_ended(0);
        assert_eq!(complete(&mut merger, 3), [(2, 1)], "no worker is left");
        assert_eq!(complete(&mut merger, 3), []);
    }

    /// Returns the number and the users of each complete second.
    fn users(merger: &mut SecondMerger, now: u64) -> Vec<(u32, u32)> {
        let seconds = std::iter::from_fn(|| merger.next_complete(now * SECOND));
        seconds.map(|merged| (merged.second, merged.counts.users_active)).collect()
    }

    fn interval_with_users(worker: usize, second: u32, users: u32) -> WorkerInterval {
        let mut from = interval(worker, second, 1);
        from.interval.users_active = users;
        from
    }

    #[test]
    fn users_of_a_worker_count_once_in_every_second_until_it_ends() {
        let mut merger = merger(2);
        merger.add(&interval_with_users(0, 0, 10));
        merger.add(&interval_with_users(1, 0, 5));
        assert_eq!(users(&mut merger, 1), [(0, 15)]);
        merger.add(&interval_with_users(0, 1, 11));
        assert_eq!(users(&mut merger, 4), [(1, 16)], "the second worker has stalled with its users");
        assert_eq!(users(&mut merger, 5), [(2, 16)], "both have stalled");
        // Two late intervals of the second worker fall together with its next one.
        for second in 1..=3 {
            merger.add(&interval_with_users(1, second, 5 + second));
        }
        merger.add(&interval_with_users(0, 3, 12));
        assert_eq!(users(&mut merger, 5), [(3, 20)], "its last number alone counts");
        merger.add(&interval_with_users(0, 4, 13));
        merger.worker_ended(1);
        assert_eq!(users(&mut merger, 5), [(4, 13)], "it has ended");
    }

    #[test]
    fn the_last_value_of_a_metric_is_that_of_the_last_second() {
        let mut merger = merger(2);
        (0..=3).for_each(|second| merger.add(&interval(0, second, 1)));
        assert_eq!(complete(&mut merger, 4).len(), 4);
        merger.add(&interval(0, 4, 1));
        merger.add(&interval(1, 1, 1));
        let merged = merger.next_complete(7 * SECOND).expect("complete");
        assert_eq!(merged.counts.tallies[0].last, 40.0, "a late value of a higher worker is an earlier one");
    }

    #[test]
    fn the_clock_waits_for_no_worker() {
        let mut merger = merger(1);
        assert_eq!(complete(&mut merger, 2), []);
        assert_eq!(complete(&mut merger, 3), [(0, 0)], "nothing was handed over for three seconds");
        assert_eq!(complete(&mut merger, 4), [(1, 0)]);
    }

    #[test]
    fn of_empty_seconds_only_the_newest_is_shown() {
        let mut merger = merger(1);
        merger.add(&interval(0, 7, 3));
        assert_eq!(complete(&mut merger, 3_600), [(7, 3), (3_597, 0)], "the program was stopped for an hour");
    }

    #[test]
    fn the_remaining_seconds_come_when_the_run_is_over() {
        let mut merger = merger(1);
        merger.add(&interval(0, 0, 1));
        merger.add(&interval(0, 2, 5));
        let rest: Vec<_> = std::iter::from_fn(|| merger.next_remaining()).map(|it| it.counts.rows[0].ok).collect();
        assert_eq!(rest, [1, 5], "without the second in which nothing was handed over");
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
