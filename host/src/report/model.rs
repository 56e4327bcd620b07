//! The finished report. Its serialized form is `stampede-report/1`, described for readers of the file in
//! `report.schema.json` beside this module. Change both together; a test compares them.
//!
//! Fields whose names end in `_us` are microseconds.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::apdex::ApdexReport;
use super::exchanges::ExchangeReport;
use super::settings::{RunSettings, RunVerdict, ScenarioLoad};
pub(crate) use super::times::{
    DurationStats, EncodedTimes, OutcomeTimes, PerPhase, RowHistograms, RowSeries, SeriesByOutcome, SeriesTimes,
    TimeSeries, TimesByOutcome,
};
use crate::run::EndReason;
use crate::script::outcome::OutcomeFilter;

/// Name and version of the serialized form. The version is raised when a reader of the old form would misread the new.
pub(crate) const SCHEMA: &str = "stampede-report/1";

/// All results of a finished run. Built by [`Report::build`], never changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Always [`SCHEMA`].
    pub schema: Cow<'static, str>,
    /// Version of the tool that made the report.
    pub tool_version: String,
    /// The settings of the run.
    pub settings: RunSettings,
    /// Start, length and end of the run.
    pub run: RunReport,
    /// The loads that ran side by side, and their iterations.
    pub scenarios: Vec<ScenarioReport>,
    /// The sum of all actions.
    pub totals: RowReport,
    /// One per row: the login first if there is one, then the steps in the script's order, each before the rows below
    /// it.
    pub actions: Vec<RowReport>,
    /// The metrics of plugins, in the order in which they were defined.
    pub metrics: Vec<MetricReport>,
    /// The checks, in the order of the steps.
    #[serde(default)]
    pub checks: Vec<CheckReport>,
    /// The verdicts on thresholds: those of the script, then those of flags.
    #[serde(default)]
    pub thresholds: Vec<ThresholdReport>,
    /// Data sets that had no row left for some user, in the order of the script.
    #[serde(default)]
    pub data: Vec<ExhaustedDataSet>,
    /// Changes of the load while it ran, in order.
    #[serde(default)]
    pub changes: Vec<ChangeReport>,
    /// The samples that were written to a file; `None` if none were.
    #[serde(default)]
    pub samples: Option<SamplesReport>,
    /// The actions over time.
    pub series: TimeSeries,
    /// The health of the generator itself.
    pub generator: GeneratorReport,
}

/// A change of the load during the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ChangeReport {
    /// Time after the run's start.
    pub at_us: u64,
    /// `scale`, `pause`, `resume` or `stop`.
    pub what: Cow<'static, str>,
    /// The load from then on, as a multiple of the plan's.
    pub scale: Option<f64>,
    /// The scenario that changed; `None` for all.
    pub scenario: Option<String>,
}

/// The samples that a run wrote to a file.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SamplesReport {
    /// The part of all samples that were to be written, 0 to 1.
    pub share: f64,
    /// Their number.
    pub taken: u64,
    /// The number of those that are not in the file, because it was written too slowly.
    pub lost: u64,
}

/// A check of a step's replies.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CheckReport {
    /// The step's name.
    pub step: String,
    /// The check's name.
    pub name: String,
    /// Number of exchanges that passed it.
    pub passed: u64,
    /// Number of exchanges that did not, those without a reply included.
    pub failed: u64,
    /// The share that passed, 0 to 1; `None` if no reply was checked.
    pub share: Option<f64>,
}

/// The verdict on a threshold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ThresholdReport {
    /// The metric with its tags.
    pub metric: String,
    /// The condition.
    pub expression: String,
    /// True if the condition held.
    pub passed: bool,
    /// The value that decided the verdict; `None` if there were no values.
    pub value: Option<f64>,
    /// True if `value` is a lower bound because exchanges were cut off; such a value never shows that an upper limit
    /// held.
    #[serde(default)]
    pub at_least: bool,
    /// The limit that the value was compared with.
    pub limit: f64,
    /// The unit of value and limit: `microseconds`, `share`, `bytes` or `number`.
    pub unit: Cow<'static, str>,
    /// Seconds of the run that had passed when the value was taken; `None` for the end of the run.
    pub at_s: Option<u32>,
    /// True if the threshold ended the run.
    pub aborted: bool,
}

/// A data set that ran out of rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExhaustedDataSet {
    /// Name of the data set in the script.
    pub name: String,
    /// Number of its rows.
    pub rows: u64,
    /// Number of users for which no row was left.
    pub users: u32,
}

/// A metric defined by a plugin. Fields that do not apply to its kind are `None`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MetricReport {
    /// Name of the plugin.
    pub plugin: String,
    /// Name of the metric.
    pub name: String,
    /// Name of the step whose values alone it counts; null for the values of all steps.
    pub step: Option<String>,
    /// Scenario of that step; null in the plain form.
    pub scenario: Option<String>,
    /// `counter`, `gauge`, `rate` or `trend`.
    pub kind: Cow<'static, str>,
    /// The unit of its values: `number`, `nanoseconds` or `bytes`.
    pub unit: Cow<'static, str>,
    /// Number of values.
    pub count: u64,
    /// The sum of the values of a counter.
    pub sum: Option<f64>,
    /// The sum of a counter per second of the run.
    pub per_second: Option<f64>,
    /// The number of values of a rate that were not 0.
    pub hits: Option<u64>,
    /// The share of values of a rate that were not 0.
    pub share: Option<f64>,
    /// The last value of a gauge.
    pub last: Option<f64>,
    /// The smallest value of a gauge or a trend.
    pub min: Option<f64>,
    /// The greatest value of a gauge or a trend.
    pub max: Option<f64>,
    /// The distribution of a trend's values.
    pub distribution: Option<TrendStats>,
    /// The distribution of a trend's values in thousandths, as a histogram for other programs.
    pub histogram: Option<String>,
}

/// The distribution of a trend's values: three significant digits; the mean is exact.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TrendStats {
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// 90 % of the values are at most this.
    pub p90: f64,
    /// 95 % of the values are at most this.
    pub p95: f64,
    /// 99 % of the values are at most this.
    pub p99: f64,
    /// 99.9 % of the values are at most this.
    pub p999: f64,
}

/// The course of the run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RunReport {
    /// Start of the run, RFC 3339 in UTC.
    pub started_at: String,
    /// Time from the start to the last sample.
    pub elapsed_us: u64,
    /// Time that rates are over: from the end of the warm-up to the end of the load. Replies that came later count.
    #[serde(default)]
    pub load_us: u64,
    /// Identifiers of the runs that the report holds: one, or those of all reports that were merged.
    #[serde(default)]
    pub ids: Vec<String>,
    /// The reason why the run ended.
    pub ended: EndReason,
    /// The verdict; `None` in reports of versions that did not write it.
    #[serde(default)]
    pub verdict: Option<RunVerdict>,
    /// Users that signed in.
    pub users_signed_in: u32,
    /// Users that gave up signing in.
    pub users_given_up: u32,
    /// Exchanges during the warm-up, which are counted nowhere else.
    pub warm_up_requests: u64,
}

/// One load and its iterations.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ScenarioReport {
    /// Its settings.
    #[serde(flatten)]
    pub load: ScenarioLoad,
    /// Its iterations.
    pub iterations: IterationTotals,
    /// Durations of the completed iterations, waits included.
    pub iteration_time_us: Option<DurationStats>,
    /// These durations as a histogram for other programs.
    pub iteration_histogram: String,
}

/// Iterations of a scenario: `due = completed + cut_short + dropped`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IterationTotals {
    /// Iterations that should have begun.
    pub due: u64,
    /// Iterations that ran to the end.
    pub completed: u64,
    /// Iterations cut short by the end of the run or of their user.
    pub cut_short: u64,
    /// Iterations that did not begin because no user was free.
    pub dropped: u64,
}

/// The measurements of one action, or of all of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RowReport {
    /// The scenario it belongs to; `None` for the sum, for the sign-in, and in the plain form.
    pub scenario: Option<String>,
    /// The step's name, followed by `/` and the kind of exchanges in a row below it; `Totals` for the sum.
    pub name: String,
    /// The action that the step ran; `None` for the sum.
    pub action: Option<String>,
    /// The step that the row is below; `None` for the row of a step itself and for the sum.
    #[serde(default)]
    pub step: Option<String>,
    /// True if its times say nothing about the site, and are not in those of the sum.
    #[serde(default)]
    pub by_design: bool,
    /// Names and values that the script gives the step, and the kind of exchanges of a row below a step.
    pub tags: BTreeMap<String, String>,
    /// Runs of the step.
    pub tasks: TaskTotals,
    /// Exchanges.
    pub requests: RequestTotals,
    /// Traffic.
    pub bytes: ByteTotals,
    /// Number of replies by status code.
    pub statuses: BTreeMap<u16, u64>,
    /// Kinds of failure that occurred, in a fixed order.
    pub errors: Vec<ErrorCount>,
    /// End − intended start of every exchange. Those that were cut off raise the numbers as far as they waited.
    pub response_time_us: Option<DurationStats>,
    /// End − start of the same exchanges.
    pub service_time_us: Option<DurationStats>,
    /// Those times of exchanges with and without a failure; `None` if the report is of a version that did not tell
    /// them apart.
    #[serde(default)]
    pub by_outcome: Option<TimesByOutcome>,
    /// The Apdex score; `None` if the row has no target.
    #[serde(default)]
    pub apdex: Option<ApdexReport>,
    /// The phases of the same exchanges.
    pub phases_us: PerPhase<Option<DurationStats>>,
    /// These durations as histograms for other programs.
    pub histograms: RowHistograms,
}

impl Report {
    /// Returns the report without the rows that are not shown.
    pub(crate) fn with_shown_rows(&self) -> Cow<'_, Self> {
        if self.actions.iter().all(RowReport::is_shown) {
            return Cow::Borrowed(self);
        }
        let mut shown = self.clone();
        let mut is_shown = self.actions.iter().map(RowReport::is_shown);
        shown.series.actions.retain(|_| is_shown.next().unwrap_or(true));
        shown.actions.retain(RowReport::is_shown);
        Cow::Owned(shown)
    }
}

impl RowReport {
    /// Returns `true` unless it is a row below a step without any request.
    pub(crate) fn is_shown(&self) -> bool {
        self.step.is_none() || self.requests.total > 0
    }

    /// Returns the response times of exchanges with one outcome, or of all.
    pub(crate) fn response_time(&self, outcome: OutcomeFilter) -> Option<&DurationStats> {
        match outcome {
            OutcomeFilter::All => self.response_time_us.as_ref(),
            OutcomeFilter::Ok => self.by_outcome.as_ref()?.ok.response_time_us.as_ref(),
            OutcomeFilter::Failed => self.by_outcome.as_ref()?.failed.response_time_us.as_ref(),
        }
    }

    /// Returns the service times of those exchanges.
    pub(crate) fn service_time(&self, outcome: OutcomeFilter) -> Option<&DurationStats> {
        match outcome {
            OutcomeFilter::All => self.service_time_us.as_ref(),
            OutcomeFilter::Ok => self.by_outcome.as_ref()?.ok.service_time_us.as_ref(),
            OutcomeFilter::Failed => self.by_outcome.as_ref()?.failed.service_time_us.as_ref(),
        }
    }
}

/// Runs of a step: `started = passed + failed + cancelled + dropped`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TaskTotals {
    /// Tasks that were due.
    pub started: u64,
    /// Tasks whose step passed.
    pub passed: u64,
    /// Tasks whose step failed.
    pub failed: u64,
    /// Tasks cut short by the end of the run.
    pub cancelled: u64,
    /// Tasks that were due but never began.
    pub dropped: u64,
}

/// Exchanges: `total = ok + err`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RequestTotals {
    /// All exchanges.
    pub total: u64,
    /// Exchanges without a failure.
    pub ok: u64,
    /// Exchanges with a failure.
    pub err: u64,
    /// All exchanges per second of the whole run.
    pub rps: f64,
}

/// Traffic in bytes, above TLS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ByteTotals {
    /// Bytes of the requests as sent.
    pub out: u64,
    /// Bytes of the replies as received.
    #[serde(rename = "in")]
    pub received: u64,
    /// Bytes of the replies' content, before decoding.
    pub body_in: u64,
}

/// One kind of failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ErrorCount {
    /// Name of the kind.
    pub category: Cow<'static, str>,
    /// Number of exchanges that failed that way.
    pub count: u64,
    /// Their share of all exchanges of the row, 0 to 1.
    pub share: f64,
    /// An example, if there is one.
    pub example: Option<ErrorExample>,
    /// The first exchanges that failed that way, at most three; none in the totals.
    #[serde(default)]
    pub exchanges: Vec<ExchangeReport>,
}

/// An example of a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ErrorExample {
    /// Name of the step that failed.
    pub name: String,
    /// The failure in one line of at most 200 characters.
    pub text: String,
}

/// The health of the generator itself, which determines how far its numbers can be trusted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct GeneratorReport {
    /// True if the generator was too slow: latencies then include its own delays.
    pub bottleneck: bool,
    /// The reasons, each a sentence without a full stop; empty if the generator kept up.
    pub reasons: Vec<String>,
    /// One per worker thread.
    pub workers: Vec<WorkerReport>,
    /// One per process: several after merging.
    #[serde(default)]
    pub processes: Vec<ProcessReport>,
    /// Start − intended start of all exchanges.
    pub start_delay_us: Option<DurationStats>,
    /// These delays as a histogram for other programs.
    pub start_delay_histogram: String,
    /// One per plugin.
    pub guests: Vec<PluginReport>,
}

/// The health of one worker thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct WorkerReport {
    /// CPU time.
    pub cpu_us: u64,
    /// Time for which the worker was observed.
    pub wall_us: u64,
    /// CPU time as a share of the time observed, 0 to 1.
    pub cpu_share: f64,
    /// Share of the time observed, 0 to 1, that falls in seconds with the CPU more than 90 % busy.
    pub busy_share: f64,
    /// Time for which the worker was ready to run and had to wait for a CPU; `None` if the system does not tell.
    pub cpu_wait_us: Option<u64>,
    /// The greatest delay of the worker's loop.
    pub loop_lag_max_us: u64,
}

/// The CPU time that a process might use, and what its workers used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ProcessReport {
    /// Cores that the process might run on; 0 if that is unknown.
    pub cores: u32,
    /// CPU time per time that its control group allows, in cores; `None` if it is not limited.
    pub cpu_quota: Option<f64>,
    /// Time for which the quota stopped the process; `None` without a quota.
    pub throttled_us: Option<u64>,
    /// CPU time of its workers.
    pub cpu_us: u64,
    /// The longest time for which one of them was observed.
    pub wall_us: u64,
}

/// Calls, time and traps of one plugin, over all workers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PluginReport {
    /// The plugin's name.
    pub plugin: String,
    /// Calls into the plugin.
    pub calls: u64,
    /// Time spent inside these calls.
    pub time_us: u64,
    /// Instances lost to traps.
    pub traps: u64,
    /// Other users' actions that failed because their instance was lost while they were pending.
    pub collateral: u64,
}
