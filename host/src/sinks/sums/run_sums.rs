//! The sums of a run, and how a second is added to them.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Counter;

use super::bucketed_times::BucketedTimes;
use super::labels::{RowLabels, merge_rows, short_label};
use super::plugin_metrics::{self, CheckSums, PluginMetricSums};
use crate::metrics::interval::{Interval, IntervalHealth};
use crate::metrics::iteration_stats::IterationStats;
use crate::metrics::row_stats::{ByteCounts, RowStats, TaskCounts};
use crate::metrics::sample::FailureKind;
use crate::metrics::threshold::live::LiveThresholds;
use crate::run::observer::SecondSnapshot;
use crate::run::process_usage::ProcessUsage;
use crate::sinks::run_info::RunInfo;

/// The names of the phases of an exchange, in the order of their histograms.
pub(in crate::sinks) const PHASES: [&str; 5] = ["dns", "connect", "tls", "first_byte", "receive"];

/// The number of status codes that are told apart in a row; a target cannot make it more.
const MAX_CODES: usize = 24;

/// The sums of a run so far.
#[derive(Debug, Default)]
pub(in crate::sinks) struct RunSums {
    /// The identifier of the run, as in the report.
    pub run: String,
    /// The time at which the run began, since the Unix epoch.
    pub started_at: Duration,
    /// The time of the newest numbers, since the Unix epoch.
    pub updated_at: Duration,
    /// `true` once the numbers are those of the report.
    pub is_final: bool,
    /// The rows, each with labels of its own.
    pub rows: Vec<RowSums>,
    /// The place in `rows` of each row of the run.
    pub(in crate::sinks) places: Vec<usize>,
    /// The scenarios, in the order of the script.
    pub scenarios: Vec<LoadSums>,
    /// The checks.
    pub checks: Vec<CheckSums>,
    /// The metrics that plugins define.
    pub metrics: Vec<PluginMetricSums>,
    /// Start − intended start of the exchanges.
    pub start_delay: BucketedTimes,
    /// The worker threads.
    pub workers: Vec<WorkerSums>,
    /// The plugins, in the order of their counts.
    pub guests: Vec<GuestSums>,
    /// The thresholds, and whether they hold.
    pub thresholds: Vec<ThresholdOutcome>,
    /// Judges the thresholds during the run; `None` in the counts of a single second.
    pub(in crate::sinks) live: Option<LiveThresholds>,
    /// Users at work.
    pub users: u32,
    /// `true` while no iteration begins.
    pub is_paused: bool,
    /// Connections that are open.
    pub connections: u32,
    /// Memory and open files of the process.
    pub process: ProcessUsage,
    /// Exchanges of the warm-up, which are in no row.
    pub warm_up: u64,
    /// Seconds of the run that this sink did not see.
    pub missed_seconds: u64,
    /// The index of the next snapshot, if none is missed.
    pub(in crate::sinks) next_index: u32,
}

/// The sums of a row.
#[derive(Debug, Default)]
pub(in crate::sinks) struct RowSums {
    /// The names of the row.
    pub labels: RowLabels,
    /// Exchanges without a failure.
    pub ok: u64,
    /// Exchanges with a failure, by [`FailureKind`].
    pub err: [u64; FailureKind::ALL.len()],
    /// Replies by status code.
    pub codes: BTreeMap<u16, u64>,
    /// Replies with a code that is one too many.
    pub other_codes: u64,
    /// Runs of the step.
    pub tasks: TaskCounts,
    /// Bytes sent and received.
    pub bytes: ByteCounts,
    /// End − intended start.
    pub response: BucketedTimes,
    /// End − start.
    pub service: BucketedTimes,
    /// The phases, in the order of [`PHASES`].
    pub phases: [BucketedTimes; 5],
}

/// The sums of a scenario.
#[derive(Debug, Default)]
pub(in crate::sinks) struct LoadSums {
    /// Its name; `None` in the plain form.
    pub scenario: Option<String>,
    /// Iterations that ran to the end.
    pub completed: u64,
    /// Iterations that were cut short.
    pub cut_short: u64,
    /// Iterations that were due and never began.
    pub dropped: u64,
    /// Durations of the completed ones.
    pub duration: BucketedTimes,
    /// The load as a multiple of the plan's.
    pub scale: f64,
}

/// The sums of a worker thread, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::sinks) struct WorkerSums {
    /// CPU time.
    pub cpu_us: u64,
    /// Time for which it was observed.
    pub wall_us: u64,
    /// Time for which it waited for a CPU; 0 if the system does not tell.
    pub cpu_wait_us: u64,
    /// The longest delay of its loop in the last second; in the whole run once that is over.
    pub loop_lag_us: u64,
}

/// The sums of a plugin.
#[derive(Debug, Default)]
pub(in crate::sinks) struct GuestSums {
    /// Its name.
    pub plugin: String,
    /// Calls into it.
    pub calls: u64,
    /// Time inside these calls, in microseconds.
    pub time_us: u64,
    /// Instances lost to traps.
    pub traps: u64,
}

/// A threshold and its verdict.
#[derive(Debug)]
pub(in crate::sinks) struct ThresholdOutcome {
    /// The metric with its tags.
    pub metric: String,
    /// The condition.
    pub expression: String,
    /// True if it holds so far or, once the run is over, if it held; `None` while there is nothing to judge.
    pub passed: Option<bool>,
}

impl RunSums {
    /// Creates the sums of a run that begins.
    pub(in crate::sinks) fn new(run: &RunInfo) -> Self {
        let (rows, places) = merge_rows(&run.rows);
        let scenarios = run.settings.scenarios.iter().map(|load| LoadSums {
            scenario: load.name.as_deref().map(short_label),
            scale: 1.0,
            ..LoadSums::default()
        });
        let thresholds = run.thresholds.iter().map(|threshold| ThresholdOutcome {
            metric: short_label(&threshold.metric),
            expression: short_label(&threshold.expression),
            passed: None,
        });
        let guest = |plugin: &String| GuestSums { plugin: short_label(plugin), ..GuestSums::default() };
        Self {
            run: run.id_text(),
            started_at: run.started_at,
            updated_at: run.started_at,
            rows: rows.into_iter().map(|labels| RowSums { labels, ..RowSums::default() }).collect(),
            places,
            scenarios: scenarios.collect(),
            checks: plugin_metrics::checks(run),
            metrics: plugin_metrics::metrics(run),
            workers: vec![WorkerSums::default(); run.settings.workers],
            guests: run.settings.plugins.iter().map(guest).collect(),
            thresholds: thresholds.collect(),
            live: Some(LiveThresholds::new(&run.thresholds)),
            ..Self::default()
        }
    }

    /// Returns sums with the same names and without counts.
    pub(super) fn without_counts(&self) -> Self {
        Self {
            run: self.run.clone(),
            started_at: self.started_at,
            updated_at: self.updated_at,
            next_index: self.next_index,
            rows: self.rows.iter().map(|row| RowSums { labels: row.labels.clone(), ..RowSums::default() }).collect(),
            places: self.places.clone(),
            scenarios: self.scenarios.iter().map(LoadSums::without_counts).collect(),
            checks: self.checks.iter().map(CheckSums::without_counts).collect(),
            metrics: self.metrics.iter().map(PluginMetricSums::without_counts).collect(),
            workers: vec![WorkerSums::default(); self.workers.len()],
            guests: self.guests.iter().map(GuestSums::without_counts).collect(),
            thresholds: self.thresholds.iter().map(ThresholdOutcome::without_verdict).collect(),
            ..Self::default()
        }
    }

    /// Adds a second.
    pub(in crate::sinks) fn add(&mut self, second: &SecondSnapshot) {
        self.missed_seconds += u64::from(second.index.saturating_sub(self.next_index));
        self.next_index = second.index + 1;
        self.updated_at = second.ended_at;
        self.users = second.totals.users_active;
        self.connections = second.merged.health.iter().map(|worker| worker.connections).sum();
        self.process = second.process;
        self.is_paused = second.load.paused;
        for (number, scenario) in self.scenarios.iter_mut().enumerate() {
            scenario.scale = second.load.scales.get(number).copied().unwrap_or(1.0);
        }
        self.add_counts(&second.merged.counts);
        for (worker, health) in self.workers.iter_mut().zip(&second.merged.health) {
            worker.add(health);
        }
        self.add_guests(&second.merged.counts.health);
        self.judge(second);
    }

    fn judge(&mut self, second: &SecondSnapshot) {
        let Some(live) = self.live.as_mut().filter(|_| second.is_judged()) else { return };
        live.add(second.merged.second, &second.merged.counts);
        for (threshold, state) in self.thresholds.iter_mut().zip(live.states()) {
            threshold.passed = state.holds;
        }
    }

    fn add_counts(&mut self, counts: &Interval) {
        for (place, row) in self.places.iter().zip(&counts.rows) {
            self.rows[*place].add(row);
        }
        for (scenario, iterations) in self.scenarios.iter_mut().zip(&counts.iterations) {
            scenario.add(iterations);
        }
        self.start_delay.add(&counts.start_delay);
        self.checks.iter_mut().for_each(|check| check.add(&counts.tallies));
        self.metrics.iter_mut().for_each(|metric| metric.add(&counts.tallies));
        self.warm_up += counts.warm_up;
    }

    /// Returns the rows that are shown: all but those below steps that have no requests.
    pub(in crate::sinks) fn shown_rows(&self) -> impl Iterator<Item = &RowSums> {
        let requests = |row: &RowSums| row.ok + row.err.iter().sum::<u64>();
        self.rows.iter().filter(move |row| !row.labels.is_part || requests(row) > 0)
    }

    fn add_guests(&mut self, health: &IntervalHealth) {
        let counted = |list: &[u64], number: usize| list.get(number).copied().unwrap_or(0);
        for (number, guest) in self.guests.iter_mut().enumerate() {
            guest.calls += counted(&health.guest_calls, number);
            guest.time_us += counted(&health.guest, number) / 1000;
            guest.traps += counted(&health.guest_traps, number);
        }
    }
}

impl RowSums {
    fn add<C: Counter>(&mut self, row: &RowStats<C>) {
        self.ok += row.ok;
        self.err.iter_mut().zip(row.err).for_each(|(sum, more)| *sum += more);
        for &(code, count) in &row.statuses {
            self.add_code(code, count);
        }
        self.tasks.add(&row.tasks);
        self.bytes.out += row.bytes.out;
        self.bytes.received += row.bytes.received;
        self.bytes.body_in += row.bytes.body_in;
        self.response.add(&row.response);
        self.service.add(&row.service);
        for (sum, more) in self.phases.iter_mut().zip(row.phases.parts()) {
            sum.add(more);
        }
    }

    pub(super) fn add_code(&mut self, code: u16, count: u64) {
        if self.codes.len() >= MAX_CODES && !self.codes.contains_key(&code) {
            self.other_codes += count;
        } else {
            *self.codes.entry(code).or_default() += count;
        }
    }

    /// Returns the number of exchanges that a person's interrupt or the plugin ended. The target has not failed them.
    pub(in crate::sinks) fn aborted(&self) -> u64 {
        self.err[FailureKind::Cancelled as usize]
    }

    /// Returns the number of exchanges that failed, those without an end among them.
    pub(in crate::sinks) fn failed(&self) -> u64 {
        self.err.iter().sum::<u64>() - self.aborted()
    }
}

impl GuestSums {
    fn without_counts(&self) -> Self {
        Self { plugin: self.plugin.clone(), ..Self::default() }
    }
}

impl ThresholdOutcome {
    fn without_verdict(&self) -> Self {
        Self { metric: self.metric.clone(), expression: self.expression.clone(), passed: None }
    }
}

impl LoadSums {
    fn without_counts(&self) -> Self {
        Self { scenario: self.scenario.clone(), scale: self.scale, ..Self::default() }
    }

    fn add<C: Counter>(&mut self, iterations: &IterationStats<C>) {
        self.completed += iterations.completed;
        self.cut_short += iterations.cut_short;
        self.dropped += iterations.dropped;
        self.duration.add(&iterations.duration);
    }
}

impl WorkerSums {
    fn add(&mut self, health: &IntervalHealth) {
        self.cpu_us += health.cpu / 1000;
        self.wall_us += health.wall / 1000;
        self.cpu_wait_us += health.cpu_wait.unwrap_or(0) / 1000;
        self.loop_lag_us = health.loop_lag_max / 1000;
    }
}
