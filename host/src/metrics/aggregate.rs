//! Adds up the counts of all workers. The totals do not depend on the order in which intervals arrive: sums commute,
//! and where one of several must be chosen (an example text), the choice depends on when and where it happened.

use std::collections::BTreeMap;

use stampede_time::Nanos;

use super::compact_histogram::CompactHistogram;
use super::custom_metric::{MetricId, MetricInfo, MetricTally};
use super::histogram::FINE;
use super::interval::{Example, IntervalHealth, SeenAt, WorkerInterval};
use super::iteration_stats::IterationStats;
use super::row_stats::RowStats;
use super::sample::{FailureKind, RowId};
use super::second::is_left_behind;
use super::shown_exchange::{MAX_OF_KIND, ShownExchange};
use super::timeline::Timeline;

/// The share of an interval's wall time above which a worker's CPU counts as exhausted.
const BUSY_CPU: f64 = 0.9;

/// The names of a row of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowInfo {
    /// The scenario that the row belongs to; `None` in the plain form and for the sign-in.
    pub scenario: Option<String>,
    /// The step's name.
    pub name: String,
    /// The action that the step runs, such as `http`.
    pub action: String,
    /// Names and values of the tags that the script gives the row.
    pub tags: Vec<(String, String)>,
    /// The longest response time that satisfies, in microseconds; `None` if the row has no Apdex score.
    pub apdex_target: Option<u64>,
    /// The place below a step; `None` for the row of a step itself.
    pub part: Option<RowPart>,
}

/// A row below that of a step, for one kind of the step's exchanges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowPart {
    /// The row of the step.
    pub of: RowId,
    /// The step's name.
    pub step: String,
    /// The kind of exchanges.
    pub what: String,
    /// `true` if its times say nothing about the site, and are in no total.
    pub is_by_design: bool,
}

impl RowInfo {
    /// Returns all names and values by which a threshold finds the row.
    pub fn all_tags(&self) -> impl Iterator<Item = (&str, &str)> {
        let part = self.part.as_ref();
        let own = [("step", part.map_or(&self.name, |part| &part.step)), ("action", &self.action)];
        let what = part.map(|part| (WHAT, &part.what));
        let scenario = self.scenario.iter().map(|scenario| ("scenario", scenario));
        let tags = self.tags.iter().map(|(name, value)| (name.as_str(), value));
        let all = own.into_iter().chain(what).chain(scenario).chain(tags);
        all.map(|(name, value)| (name, value.as_str()))
    }

    /// Returns `true` if its times say nothing about the site, and are in no total.
    pub fn is_by_design(&self) -> bool {
        self.part.as_ref().is_some_and(|part| part.is_by_design)
    }
}

/// The tag that names the kind of exchanges of a row below a step.
pub(crate) const WHAT: &str = "what";

/// A check of a row's replies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckInfo {
    /// The row whose replies are checked.
    pub row: RowId,
    /// The check's name.
    pub name: String,
    /// The rate metric that counts the check's results.
    pub metric: MetricId,
}

/// Returns the name of a scenario's step in the report: `scenario/step`, or the step alone in the plain form.
pub(crate) fn label(scenario: Option<&str>, name: &str) -> String {
    scenario.map_or_else(|| name.to_owned(), |scenario| format!("{scenario}/{name}"))
}

/// The health of one worker over the whole run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkerHealth {
    /// The sums over all intervals, and the longest loop lag.
    pub total: IntervalHealth,
    /// Wall time of those intervals in which the CPU was busy for more than [`BUSY_CPU`].
    pub busy: Nanos,
}

/// A worker's most recent interval, for the progress line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct LatestInterval {
    second: u32,
    users: u32,
    requests: u64,
    wall: Nanos,
    /// `true` if it is the last one of a worker that has ended.
    has_ended: bool,
}

/// The state of a run in a few numbers. Users and rate are those of the current section (set-up, load or teardown); the
/// exchanges are those of the whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Time since the section began.
    pub elapsed: Nanos,
    /// Number of users of all workers.
    pub users_active: u32,
    /// Exchanges per second, over each worker's last interval.
    pub rps: f64,
    /// Exchanges of the run so far.
    pub requests: u64,
    /// Exchanges of the run so far that failed.
    pub errors: u64,
}

/// The counts of the run so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    row_infos: Vec<RowInfo>,
    rows: Vec<RowStats<u64>>,
    start_delay: CompactHistogram<u64>,
    timeline: Timeline,
    /// The earliest example of each row and kind.
    examples: BTreeMap<(RowId, FailureKind), (SeenAt, Example)>,
    /// The earliest failed exchanges of each row and kind, in order.
    exchanges: BTreeMap<(RowId, FailureKind), Vec<(SeenAt, ShownExchange)>>,
    workers: Vec<WorkerHealth>,
    latest: Vec<Option<LatestInterval>>,
    metrics: Vec<MetricTotal>,
    iterations: Vec<IterationStats<u64>>,
    warm_up: u64,
    checks: Vec<CheckInfo>,
}

/// The counts of a run that is over, read back from its report.
#[derive(Clone, Debug)]
pub(crate) struct RunTotals {
    /// The totals of the rows, by [`RowId`].
    pub rows: Vec<RowStats<u64>>,
    /// The start delays of exchanges over all rows.
    pub start_delay: CompactHistogram<u64>,
    /// Iterations, by scenario.
    pub iterations: Vec<IterationStats<u64>>,
    /// Values of metrics, by [`MetricId`].
    pub tallies: Vec<MetricTally>,
    /// The users over time.
    pub users: Timeline,
}

/// A metric and the sum of its values.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricTotal {
    /// The names, kind and unit of the metric.
    pub info: MetricInfo,
    /// The sum of the metric's values.
    pub tally: MetricTally,
    /// The second and the worker of the last value.
    last: SeenAt,
}

impl Aggregate {
    /// Creates an aggregate without counts, for these rows and this many workers.
    pub fn new(infos: Vec<RowInfo>, workers: usize) -> Self {
        let rows = infos.len();
        Self {
            row_infos: infos,
            rows: std::iter::repeat_with(RowStats::default).take(rows).collect(),
            start_delay: CompactHistogram::new(FINE),
            timeline: Timeline::new(rows, workers),
            examples: BTreeMap::new(),
            exchanges: BTreeMap::new(),
            workers: vec![WorkerHealth::default(); workers],
            latest: vec![None; workers],
            metrics: Vec::new(),
            iterations: Vec::new(),
            warm_up: 0,
            checks: Vec::new(),
        }
    }

    /// Adds metrics, by [`MetricId`].
    pub fn with_metrics(mut self, infos: Vec<MetricInfo>) -> Self {
        let metric =
            |info: MetricInfo| MetricTotal { tally: MetricTally::new(info.kind), info, last: SeenAt::default() };
        self.metrics = infos.into_iter().map(metric).collect();
        self
    }

    /// Adds checks, whose results are counted in some of the metrics.
    pub fn with_checks(mut self, checks: Vec<CheckInfo>) -> Self {
        self.checks = checks;
        self
    }

    /// Replaces all counts by those of a run that is over. It has no time series but that of the users, and no health.
    pub(crate) fn with_totals(mut self, totals: RunTotals) -> Self {
        (self.rows, self.start_delay, self.iterations) = (totals.rows, totals.start_delay, totals.iterations);
        self.timeline = totals.users;
        self.metrics.iter_mut().zip(totals.tallies).for_each(|(metric, tally)| metric.tally = tally);
        self
    }

    /// Adds an interval of a worker. In the time series it counts in the one second in which it began; the first second
    /// of the run is 0.
    ///
    /// # Panics
    /// If there is no such worker.
    pub fn add(&mut self, from: &WorkerInterval) {
        let (interval, at) = (&from.interval, SeenAt::of(from));
        for (total, series) in self.rows.iter_mut().zip(&interval.rows) {
            total.add(series);
        }
        self.start_delay.add(&interval.start_delay);
        self.timeline.add(from);
        for example in &interval.examples {
            self.keep_earliest(at, example);
        }
        interval.exchanges.iter().for_each(|exchange| self.keep_exchange(at, exchange));
        self.workers[from.worker].add(&interval.health);
        for (metric, tally) in self.metrics.iter_mut().zip(&interval.tallies).filter(|(_, tally)| tally.count > 0) {
            metric.tally.merge(tally, metric.last <= at);
            metric.last = metric.last.max(at);
        }
        let missing = interval.iterations.len().saturating_sub(self.iterations.len());
        self.iterations.extend(std::iter::repeat_with(IterationStats::default).take(missing));
        for (total, iterations) in self.iterations.iter_mut().zip(&interval.iterations) {
            total.add(iterations);
        }
        self.warm_up += interval.warm_up;
        self.note_latest(from);
    }

    fn keep_earliest(&mut self, at: SeenAt, example: &Example) {
        let kept = self.examples.entry((example.row, example.kind)).or_insert_with(|| (at, example.clone()));
        if at < kept.0 {
            *kept = (at, example.clone());
        }
    }

    fn keep_exchange(&mut self, at: SeenAt, exchange: &ShownExchange) {
        let Some(kind) = exchange.sample.failure else { return };
        let kept = self.exchanges.entry((exchange.sample.row, kind)).or_default();
        let place = kept.partition_point(|(seen, earlier)| (*seen, earlier.start()) <= (at, exchange.start()));
        if place < MAX_OF_KIND {
            kept.insert(place, (at, exchange.clone()));
            kept.truncate(MAX_OF_KIND);
        }
    }

    fn note_latest(&mut self, from: &WorkerInterval) {
        let (second, interval) = (from.second, &from.interval);
        let latest = &mut self.latest[from.worker];
        if latest.is_none_or(|latest| latest.second <= second) {
            let requests = interval.rows.iter().map(RowStats::requests).sum();
            let (users, wall) = (interval.users_active, interval.health.wall);
            *latest = Some(LatestInterval { second, users, requests, wall, has_ended: false });
        }
    }

    /// Begins another section of the run: its workers have handed nothing over yet.
    pub fn begin_section(&mut self) {
        self.latest.fill(None);
    }

    /// Notes that a worker of the section has ended, so that it has no users.
    ///
    /// # Panics
    /// If there is no such worker.
    pub fn worker_ended(&mut self, worker: usize) {
        if let Some(latest) = &mut self.latest[worker] {
            (latest.users, latest.has_ended) = (0, true);
        }
    }

    /// Returns the state of the run. The rate is that of workers that keep up; one that has ended counts until another
    /// hands over a later second. A worker that has stalled still has its users.
    pub fn snapshot(&self, elapsed: Nanos) -> Snapshot {
        let newest = self.latest.iter().flatten().map(|latest| latest.second).max().unwrap_or(0);
        let keeps_up = |latest: &&LatestInterval| {
            if latest.has_ended { latest.second == newest } else { !is_left_behind(latest.second, newest) }
        };
        Snapshot {
            elapsed,
            users_active: self.latest.iter().flatten().map(|latest| latest.users).sum(),
            // `sum` of no values would be -0.
            rps: self.latest.iter().flatten().filter(keeps_up).map(LatestInterval::rps).fold(0.0, |all, rps| all + rps),
            requests: self.rows.iter().map(RowStats::requests).sum(),
            errors: self.rows.iter().map(RowStats::failures).sum(),
        }
    }

    /// Returns the names of the rows, by [`RowId`].
    pub fn row_infos(&self) -> &[RowInfo] {
        &self.row_infos
    }

    /// Returns the totals of the rows, by [`RowId`].
    pub fn rows(&self) -> &[RowStats<u64>] {
        &self.rows
    }

    /// Returns the sum of all rows, without the times of those that are by design.
    pub fn total(&self) -> RowStats<u64> {
        let mut total = RowStats::default();
        for (row, info) in self.rows.iter().zip(&self.row_infos) {
            if info.is_by_design() { total.add_counts(row) } else { total.add(row) }
        }
        total
    }

    /// Returns the start delays of exchanges over all rows.
    pub const fn start_delay(&self) -> &CompactHistogram<u64> {
        &self.start_delay
    }

    /// Returns the rows over time.
    pub const fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Returns the earliest example of a kind of failure in a row.
    pub fn example(&self, row: RowId, kind: FailureKind) -> Option<&Example> {
        self.examples.get(&(row, kind)).map(|(_, example)| example)
    }

    /// Returns the earliest failed exchanges of a kind in a row, at most [`MAX_OF_KIND`].
    pub fn exchanges(&self, row: RowId, kind: FailureKind) -> impl Iterator<Item = &ShownExchange> {
        self.exchanges.get(&(row, kind)).into_iter().flatten().map(|(_, exchange)| exchange)
    }

    /// Returns the checks, by row.
    pub fn checks(&self) -> &[CheckInfo] {
        &self.checks
    }

    /// Returns the metrics of plugins, groups and checks, by [`MetricId`].
    pub fn metrics(&self) -> &[MetricTotal] {
        &self.metrics
    }

    /// Returns the iterations, by scenario; shorter than the list of scenarios if no worker has handed any over yet.
    pub fn iterations(&self) -> &[IterationStats<u64>] {
        &self.iterations
    }

    /// Returns the number of exchanges in the warm-up, which are in no row.
    pub const fn warm_up(&self) -> u64 {
        self.warm_up
    }

    /// Returns the health of the workers, by worker index.
    pub fn workers(&self) -> &[WorkerHealth] {
        &self.workers
    }
}

impl LatestInterval {
    fn rps(&self) -> f64 {
        if self.wall == 0 { 0.0 } else { self.requests as f64 * 1e9 / self.wall as f64 }
    }
}

impl WorkerHealth {
    fn add(&mut self, health: &IntervalHealth) {
        self.total.add(health);
        if health.cpu as f64 > BUSY_CPU * health.wall as f64 {
            self.busy += health.wall;
        }
    }
}

#[cfg(test)]
mod tests;
