//! Counts the measurements of one worker. Each worker has its own recorder, so nothing is shared and nothing is locked.
//! Once a second the counts are swapped for an empty interval; that swap is all that reporting costs a worker.

use stampede_time::Nanos;

use super::custom_metric::{MetricId, MetricInfo, MetricKind, MetricTally};
use super::interval::{Example, Interval};
use super::iteration_stats::IterationStats;
use super::row_stats::TaskEnd;
use super::sample::{FailureKind, RowId, Sample};
use super::sample_tap::SampleTap;
use super::shown_exchange::{ExchangeKeeper, ShownExchange};
use super::trace::{TraceBudget, TracedStep};

/// The counts of one worker since the last [`take`](Recorder::take).
#[derive(Debug)]
pub struct Recorder {
    current: Box<Interval>,
    /// Failure kinds that already have an example: one bit per [`FailureKind`], by row.
    example_kinds: Vec<u16>,
    keeper: ExchangeKeeper,
    trace_budget: TraceBudget,
    /// Takes samples for a file, if there is one.
    tap: Option<Box<SampleTap>>,
    users_active: u32,
    /// The kinds of the plugins' metrics.
    metrics: Vec<MetricKind>,
    /// The metrics of single rows, by the metric of the whole run that they are part of.
    step_metrics: Vec<Vec<(RowId, MetricId)>>,
    /// Number of scenarios.
    scenarios: usize,
    /// The end of the warm-up: anything that began, or should have begun, before this time is part of it.
    counts_from: Nanos,
}

impl Recorder {
    /// Creates a recorder for a report with this many rows and these metrics.
    pub fn new(rows: usize, metrics: Vec<MetricKind>) -> Self {
        let mut current = Box::new(Interval::new(rows));
        current.tallies = metrics.iter().copied().map(MetricTally::new).collect();
        Self {
            current,
            example_kinds: vec![0; rows],
            keeper: ExchangeKeeper::new(rows),
            trace_budget: TraceBudget::new(1),
            tap: None,
            users_active: 0,
            metrics,
            step_metrics: Vec::new(),
            scenarios: 0,
            counts_from: 0,
        }
    }

    /// Adds iteration counts for this many scenarios and a warm-up that lasts until `counts_from`.
    pub fn with_scenarios(mut self, scenarios: usize, counts_from: Nanos) -> Self {
        self.current.iterations.resize_with(scenarios, IterationStats::default);
        Self { scenarios, counts_from, ..self }
    }

    /// Sets the number of workers that share the room for traces.
    pub fn with_workers(self, workers: usize) -> Self {
        Self { trace_budget: TraceBudget::new(workers), ..self }
    }

    /// Adds a tap, which takes the samples of users for a file.
    pub(crate) fn with_tap(self, tap: SampleTap) -> Self {
        Self { tap: Some(Box::new(tap)), ..self }
    }

    /// Adds metrics of single rows. `infos` are those of all metrics.
    pub fn with_step_metrics(mut self, infos: &[MetricInfo]) -> Self {
        self.step_metrics = vec![Vec::new(); infos.len()];
        for (id, info) in infos.iter().enumerate() {
            let whole = infos.iter().position(|whole| whole.row.is_none() && whole.is_same_as(info));
            if let (Some(row), Some(whole)) = (info.row, whole) {
                self.step_metrics[whole].push((row, id as MetricId));
            }
        }
        self
    }

    /// Returns `true` if something that began at this time is counted, because the warm-up was over.
    pub const fn is_counted(&self, began: Nanos) -> bool {
        began >= self.counts_from
    }

    /// Counts an exchange. Hot: allocates nothing once each histogram has seen its largest value.
    ///
    /// # Panics
    /// If the sample's row does not exist. The methods below also panic for an index that does not exist.
    #[inline(never)] // Keeps its instructions countable by `cargo xtask instructions`.
    pub fn record(&mut self, sample: &Sample) {
        if sample.intended < self.counts_from {
            self.current.warm_up += 1;
            return;
        }
        self.current.rows[usize::from(sample.row)].record(sample);
    }

    /// Counts an exchange of a user, and lets the tap take it. Hot, and as cheap as [`record`](Self::record) without a
    /// tap.
    pub fn record_of_user(&mut self, user: u32, sample: &Sample) {
        if let Some(tap) = &mut self.tap
            && sample.intended >= self.counts_from
        {
            tap.take(user, sample);
        }
        self.record(sample);
    }

    /// Counts the delay between an intended start and the actual one: the generator's own lateness. Hot.
    pub fn record_start_delay(&mut self, late: Nanos) {
        self.current.start_delay.record(late);
    }

    /// Keeps a failure's text as an example if it is this worker's first of its kind in this row in the whole run.
    /// `make` is called only then. The text must not contain a secret; this method truncates and cleans it.
    pub fn record_example(&mut self, row: RowId, kind: FailureKind, make: impl FnOnce() -> String) {
        let seen = &mut self.example_kinds[usize::from(row)];
        let bit = 1 << (kind as u8);
        if *seen & bit == 0 {
            *seen |= bit;
            self.current.examples.push(Example::new(row, kind, &make()));
        }
    }

    /// Keeps all exchanges from now on, and not only failed ones.
    pub fn keep_all_exchanges(&mut self) {
        self.keeper.keep_all();
    }

    /// Returns `true` if all exchanges are kept. Hot.
    pub const fn keeps_all_exchanges(&self) -> bool {
        self.keeper.keeps_all()
    }

    /// Returns `true` if an exchange of this row that ended that way is to be kept.
    pub fn wants_exchange(&self, row: RowId, failure: Option<FailureKind>) -> bool {
        self.keeper.wants(row, failure)
    }

    /// Keeps an exchange that is wanted. Its texts must not contain a secret.
    pub fn keep_exchange(&mut self, exchange: ShownExchange) {
        let Sample { row, failure, intended, .. } = exchange.sample;
        if self.is_counted(intended) {
            self.keeper.count(row, failure);
            self.current.exchanges.push(exchange);
        }
    }

    /// Returns `true` if there is room for another trace.
    pub const fn has_room_for_trace(&self) -> bool {
        self.trace_budget.has_room()
    }

    /// Keeps a run of a step as a trace. Its texts must not contain a secret.
    pub fn keep_trace(&mut self, step: TracedStep) {
        self.trace_budget.take(&step);
        self.current.traces.push(step);
    }

    /// Counts a run of a step that should be kept as a trace, and for which there is no room.
    pub fn leave_trace_out(&mut self) {
        self.current.traces_left_out += 1;
    }

    /// Adds a value to a metric, whose kind must accept it. Hot.
    pub fn add_to_metric(&mut self, metric: MetricId, value: f64) {
        self.current.tallies[usize::from(metric)].add(value);
    }

    /// Adds a value to a plugin's metric, and to that of the row alone if there is one. Hot: a plugin has few steps.
    pub fn add_to_step_metric(&mut self, metric: MetricId, row: RowId, value: f64) {
        self.add_to_metric(metric, value);
        let of_metric = self.step_metrics.get(usize::from(metric)).into_iter().flatten();
        if let Some((_, id)) = of_metric.copied().find(|(known, _)| *known == row) {
            self.add_to_metric(id, value);
        }
    }

    /// Counts an iteration that began at `began`.
    pub fn record_iteration(&mut self, scenario: usize, is_complete: bool, began: Nanos, now: Nanos) {
        if self.is_counted(began) {
            self.current.iterations[scenario].record(is_complete, now.saturating_sub(began));
        }
    }

    /// Counts an iteration that was due at `due` but found no free user, and the task that it would have begun with, if
    /// it has steps.
    pub fn record_dropped(&mut self, scenario: usize, first_row: Option<RowId>, due: Nanos) {
        if !self.is_counted(due) {
            return;
        }
        self.current.iterations[scenario].dropped += 1;
        if let Some(row) = first_row {
            self.task_started(row);
            self.task_ended(row, TaskEnd::Dropped);
        }
    }

    /// Counts the start of a task.
    pub fn task_started(&mut self, row: RowId) {
        self.current.rows[usize::from(row)].tasks.started += 1;
    }

    /// Counts the end of a task.
    pub fn task_ended(&mut self, row: RowId, how: TaskEnd) {
        self.current.rows[usize::from(row)].tasks.end(how);
    }

    /// Sets the worker's number of users, which applies to all intervals until it is set again.
    pub fn set_users_active(&mut self, users: u32) {
        self.users_active = users;
    }

    /// Returns the counts and continues with empty ones in `spare`, an interval of this recorder that has been read.
    /// `spare` is `None` while there is none, which costs an allocation. The caller fills in the health.
    ///
    /// # Panics
    /// If `spare` has a different number of rows.
    pub fn take(&mut self, spare: Option<Box<Interval>>) -> Box<Interval> {
        let rows = self.example_kinds.len();
        let mut next = spare.unwrap_or_else(|| Box::new(Interval::new(rows)));
        if next.tallies.is_empty() {
            next.tallies.extend(self.metrics.iter().copied().map(MetricTally::new));
        }
        next.iterations.resize_with(self.scenarios, IterationStats::default);
        assert_eq!(next.rows.len(), rows, "the spare interval belongs to another run");
        next.clear();
        self.trace_budget.renew();
        let mut taken = std::mem::replace(&mut self.current, next);
        taken.users_active = self.users_active;
        if let Some(tap) = &mut self.tap {
            tap.hand_over();
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::PhaseDurations;
    use super::super::trace::{self, MAX_SPANS_PER_SECOND};
    use super::*;

    fn sample(row: RowId, start: u64) -> Sample {
        Sample {
            row,
            intended: 0,
            start,
            end: start + 5_000_000,
            status: 200,
            bytes_out: 1,
            bytes_in: 2,
            body_bytes_in: 1,
            phases: PhaseDurations::default(),
            failure: None,
            span: None,
        }
    }

    #[test]
    fn a_sample_counts_in_its_row_and_a_start_delay_in_all() {
        let mut recorder = Recorder::new(2, Vec::new());
        recorder.record(&sample(0, 1_000_000));
        recorder.record(&sample(1, 2_000_000));
        recorder.record(&sample(1, 3_000_000));
        recorder.record_start_delay(1_000_000);
        recorder.record_start_delay(2_000_000);
        let interval = recorder.take(None);
        assert_eq!((interval.rows[0].ok, interval.rows[1].ok), (1, 2));
        assert_eq!((interval.start_delay.len(), interval.start_delay.max() / 1000), (2, 2));
    }

    #[test]
    fn an_interval_holds_only_what_came_since_the_last() {
        let mut recorder = Recorder::new(1, Vec::new());
        recorder.record(&sample(0, 0));
        let first = recorder.take(None);
        recorder.task_started(0);
        let second = recorder.take(Some(first));
        assert_eq!((second.rows[0].ok, second.rows[0].tasks.started), (0, 1));
        let third = recorder.take(Some(second));
        assert!(Interval::new(1) == *third, "the spare was used, emptied, and filled with nothing");
    }

    #[test]
    fn the_spare_interval_is_used_again() {
        let mut recorder = Recorder::new(1, Vec::new());
        let first = recorder.take(None);
        let address = std::ptr::from_ref(&*first);
        recorder.take(Some(first));
        assert_eq!(std::ptr::from_ref(&*recorder.take(None)), address);
    }

    #[test]
    fn once_warm_nothing_grows() {
        let sizes = |interval: &Interval| {
            let row = &interval.rows[0];
            let bins = [row.response.capacity(), row.service.capacity()];
            (bins, interval.start_delay.capacity(), row.statuses.capacity())
        };
        let mut recorder = Recorder::new(1, Vec::new());
        let mut spare = None;
        let mut seen = Vec::new();
        for _ in 0..4 {
            (0..1_000).for_each(|n| recorder.record(&sample(0, n * 50_000)));
            (0..1_000).for_each(|n| recorder.record_start_delay(n * 50_000));
            let taken = recorder.take(spare);
            seen.push(sizes(&taken));
            spare = Some(taken);
        }
        assert_eq!(seen, [seen[0]; 4]);
    }

    #[test]
    fn only_the_first_example_of_a_kind_and_row_is_made() {
        let mut recorder = Recorder::new(2, Vec::new());
        recorder.record_example(0, FailureKind::Status, || "first".into());
        recorder.record_example(0, FailureKind::Status, || unreachable!("the second is not asked for"));
        recorder.record_example(1, FailureKind::Status, || "other row".into());
        let interval = recorder.take(None);
        let texts: Vec<&str> = interval.examples.iter().map(Example::text).collect();
        assert_eq!(texts, ["first", "other row"]);
        recorder.record_example(0, FailureKind::Status, || unreachable!("nor in a later interval"));
        recorder.record_example(0, FailureKind::Cancelled, || "another kind".into());
        assert_eq!(recorder.take(None).examples.len(), 1);
    }

    #[test]
    fn traces_that_find_no_room_are_counted() {
        let mut recorder = Recorder::new(1, Vec::new()).with_workers(MAX_SPANS_PER_SECOND);
        for _ in 0..2 {
            assert!(recorder.has_room_for_trace());
            recorder.keep_trace(trace::tests::step());
            assert!(!recorder.has_room_for_trace(), "the share of each worker is one span");
            recorder.leave_trace_out();
            let interval = recorder.take(None);
            assert_eq!((interval.traces.len(), interval.traces_left_out), (1, 1));
        }
    }

    #[test]
    fn users_active_holds_over_intervals() {
        let mut recorder = Recorder::new(0, Vec::new());
        recorder.set_users_active(7);
        assert_eq!(recorder.take(None).users_active, 7);
        assert_eq!(recorder.take(None).users_active, 7);
    }

    #[test]
    fn every_end_of_a_task_has_its_count() {
        let mut recorder = Recorder::new(1, Vec::new());
        let ends = [TaskEnd::Passed, TaskEnd::Failed, TaskEnd::Failed, TaskEnd::Cancelled, TaskEnd::Dropped];
        for end in ends {
            recorder.task_started(0);
            recorder.task_ended(0, end);
        }
        let tasks = recorder.take(None).rows[0].tasks;
        assert_eq!((tasks.passed, tasks.failed, tasks.cancelled, tasks.dropped), (1, 2, 1, 1));
        assert_eq!((tasks.started, tasks.open()), (5, 0));
    }
}
