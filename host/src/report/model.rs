//! The finished report. Its serialized form is `stampede-report/1`, described for readers of the file in
//! `report.schema.json` beside this module; what changes here changes there, and a test compares the two.
//!
//! Fields whose names end in `_us` are microseconds.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::settings::{RunSettings, ScenarioLoad};
use crate::run::EndReason;

/// Name and version of the serialized form. The version grows when a reader of the old form would misread the new.
pub const SCHEMA: &str = "stampede-report/1";

/// Everything that is known about a run once it is over. Made by [`Report::build`], never changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: Cow<'static, str>,
    /// Version of the tool that made it.
    pub tool_version: String,
    /// How the run was set up.
    pub settings: RunSettings,
    /// How it went.
    pub run: RunReport,
    /// The loads that ran side by side, and their iterations.
    pub scenarios: Vec<ScenarioReport>,
    /// The sum of all actions.
    pub totals: RowReport,
    /// One per row: the login first if there is one, then the steps in the script's order.
    pub actions: Vec<RowReport>,
    /// What plugins counted by themselves, in the order it was defined.
    pub metrics: Vec<MetricReport>,
    /// The checks, in the order of the steps.
    #[serde(default)]
    pub checks: Vec<CheckReport>,
    /// What came of the thresholds: those of the script, then those of flags.
    #[serde(default)]
    pub thresholds: Vec<ThresholdReport>,
    /// Data sets that had no row left for some user, in the order of the script.
    #[serde(default)]
    pub data: Vec<ExhaustedDataSet>,
    /// What was changed while it ran, in order.
    #[serde(default)]
    pub changes: Vec<ChangeReport>,
    /// The actions over time.
    pub series: TimeSeries,
    /// How the generator itself fared.
    pub generator: GeneratorReport,
}

/// A change of the load while the run went on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeReport {
    /// When, after the run's start.
    pub at_us: u64,
    /// `scale`, `pause`, `resume` or `stop`.
    pub what: Cow<'static, str>,
    /// The load from then on, in that of the plan.
    pub scale: Option<f64>,
    /// Of which scenario, if not of all.
    pub scenario: Option<String>,
}

/// A check of a step's replies.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckReport {
    /// The step's name.
    pub step: String,
    /// The check's own.
    pub name: String,
    /// How many exchanges passed it.
    pub passed: u64,
    /// How many did not, those without a reply included.
    pub failed: u64,
    /// The share that passed; `None` if it was never asked.
    pub share: Option<f64>,
}

/// What came of a threshold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ThresholdReport {
    /// The metric with its tags.
    pub metric: String,
    /// What had to hold of it.
    pub expression: String,
    /// Whether it held.
    pub passed: bool,
    /// The number that decided; `None` if there was nothing to look at.
    pub value: Option<f64>,
    /// What it was held against.
    pub limit: f64,
    /// What both are: `microseconds`, `share`, `bytes` or `number`.
    pub unit: Cow<'static, str>,
    /// At the end of which second it was that number; `None` for the end of the run.
    pub at_s: Option<u32>,
    /// Whether it ended the run.
    pub aborted: bool,
}

/// A data set that ran out of rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExhaustedDataSet {
    /// Its name in the script.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// Users for whom none was left.
    pub users: u32,
}

/// A metric that a plugin defined. Numbers that its kind does not have are `None`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MetricReport {
    /// Name of the plugin.
    pub plugin: String,
    /// Name of the metric.
    pub name: String,
    /// `counter`, `gauge`, `rate` or `trend`.
    pub kind: Cow<'static, str>,
    /// What the values are: `number`, `nanoseconds` or `bytes`.
    pub unit: Cow<'static, str>,
    /// How many values were added.
    pub count: u64,
    /// Of a counter: the sum of its values.
    pub sum: Option<f64>,
    /// Of a counter: the sum per second of the run.
    pub per_second: Option<f64>,
    /// Of a rate: how many values were not 0.
    pub hits: Option<u64>,
    /// Of a rate: the share of values that were not 0.
    pub share: Option<f64>,
    /// Of a gauge: the last value.
    pub last: Option<f64>,
    /// Of a gauge or a trend: the least value.
    pub min: Option<f64>,
    /// Of a gauge or a trend: the greatest value.
    pub max: Option<f64>,
    /// Of a trend: how its values are spread.
    pub distribution: Option<TrendStats>,
    /// Of a trend: the same for other programs, in thousandths.
    #[serde(default)]
    pub histogram: Option<String>,
}

/// How the values of a trend are spread: three significant digits, the mean exact.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TrendStats {
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

/// How the run went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunReport {
    /// RFC 3339, UTC.
    pub started_at: String,
    /// From the start to the last sample.
    pub elapsed_us: u64,
    /// Why it ended.
    pub ended: EndReason,
    /// Users that signed in.
    pub users_signed_in: u32,
    /// Users that gave up signing in.
    pub users_given_up: u32,
    /// Exchanges of the warm-up, which are counted nowhere else.
    pub warm_up_requests: u64,
}

/// One load and its iterations.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ScenarioReport {
    /// How it was set up.
    #[serde(flatten)]
    pub load: ScenarioLoad,
    /// Its iterations.
    pub iterations: IterationTotals,
    /// How long those took that were completed, waits included.
    pub iteration_time_us: Option<DurationStats>,
    /// The same for other programs.
    pub iteration_histogram: String,
}

/// Iterations of a scenario: `due = completed + cut_short + dropped`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IterationTotals {
    /// That should have begun.
    pub due: u64,
    /// That were walked to the end.
    pub completed: u64,
    /// That the end of the run, or of their user, cut short.
    pub cut_short: u64,
    /// That found no free user.
    pub dropped: u64,
}

/// What was measured of one action, or of all.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RowReport {
    /// The scenario it belongs to; `None` for the sum, for the sign-in, and in the plain form.
    pub scenario: Option<String>,
    /// The step's name; `Totals` for the sum.
    pub name: String,
    /// The action that the step ran; `None` for the sum.
    pub action: Option<String>,
    /// Names and values that the script gives the step.
    pub tags: BTreeMap<String, String>,
    /// Runs of the step.
    pub tasks: TaskTotals,
    /// Exchanges.
    pub requests: RequestTotals,
    /// Traffic.
    pub bytes: ByteTotals,
    /// How often each status code came.
    pub statuses: BTreeMap<u16, u64>,
    /// Kinds of failure that occurred, in a fixed order.
    pub errors: Vec<ErrorCount>,
    /// End − intended start of every exchange that was not cancelled.
    pub response_time_us: Option<DurationStats>,
    /// End − start of the same exchanges.
    pub service_time_us: Option<DurationStats>,
    /// The parts of the same exchanges.
    pub phases_us: PerPhase<Option<DurationStats>>,
    /// The same for other programs.
    pub histograms: RowHistograms,
}

/// Runs of a step: `started = passed + failed + cancelled + dropped`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskTotals {
    /// That were due.
    pub started: u64,
    /// That ended as the step wants it.
    pub passed: u64,
    /// That ended otherwise.
    pub failed: u64,
    /// That the end of the run cut short.
    pub cancelled: u64,
    /// That were due and never began.
    pub dropped: u64,
}

/// Exchanges: `total = ok + err`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestTotals {
    /// All of them.
    pub total: u64,
    /// Without a failure.
    pub ok: u64,
    /// With one.
    pub err: u64,
    /// All of them per second of the whole run.
    pub rps: f64,
}

/// Traffic in bytes, above TLS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByteTotals {
    /// Requests as sent.
    pub out: u64,
    /// Replies as received.
    #[serde(rename = "in")]
    pub received: u64,
    /// The replies' content, before decoding.
    pub body_in: u64,
}

/// One kind of failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorCount {
    /// Its name.
    pub category: Cow<'static, str>,
    /// How many exchanges failed that way.
    pub count: u64,
    /// Their share of all exchanges of the row, 0 to 1.
    pub share: f64,
    /// What one looked like, if that was said.
    pub example: Option<ErrorExample>,
}

/// What a failure looked like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorExample {
    /// The step where it happened.
    pub name: String,
    /// One line, at most 200 characters.
    pub text: String,
}

/// A distribution of durations in microseconds, each within 0.1 % (phases: 1 %) of the true one. Longer than an hour
/// counts as an hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the meanings")]
pub struct DurationStats {
    pub count: u64,
    pub min: u64,
    pub mean: f64,
    pub stddev: f64,
    pub p50: u64,
    pub p75: u64,
    pub p90: u64,
    pub p95: u64,
    pub p99: u64,
    pub p99_9: u64,
    pub max: u64,
}

/// Something about each part of an exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerPhase<T> {
    /// Resolving the host's name.
    pub dns: T,
    /// TCP connect.
    pub connect: T,
    /// TLS handshake.
    pub tls: T,
    /// From the request's first byte to the end of the reply's header section.
    pub first_byte: T,
    /// From then to the last byte.
    pub receive: T,
}

impl<T> PerPhase<T> {
    /// All parts, in their order.
    pub const fn as_array(&self) -> [&T; 5] {
        [&self.dns, &self.connect, &self.tls, &self.first_byte, &self.receive]
    }

    /// Of parts in that order.
    pub fn from_array([dns, connect, tls, first_byte, receive]: [T; 5]) -> Self {
        Self { dns, connect, tls, first_byte, receive }
    }
}

/// HDR histograms of microseconds, V2 compressed format in base64.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RowHistograms {
    /// Response time, 3 significant digits.
    pub response_time: String,
    /// Service time, 3 significant digits.
    pub service_time: String,
    /// The parts, 2 significant digits.
    pub phases: PerPhase<String>,
}

/// The run over time. All lists are equally long: one element per stretch of time, from the start of the run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TimeSeries {
    /// How many seconds an element covers: 1, or a higher power of two for runs of more than an hour.
    pub resolution_s: u32,
    /// Users, the most at any second's end.
    pub users_active: Vec<u32>,
    /// One per row, in their order.
    pub actions: Vec<RowSeries>,
}

/// One row over time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RowSeries {
    /// The step's name.
    pub name: String,
    /// Exchanges without a failure that ended in this stretch.
    pub ok: Vec<u64>,
    /// Exchanges with one.
    pub err: Vec<u64>,
    /// Bytes sent.
    pub bytes_out: Vec<u64>,
    /// Bytes received.
    pub bytes_in: Vec<u64>,
    /// Median response time, within 3.2 %.
    pub response_p50_us: Vec<Option<u64>>,
    /// 95th percentile, within 3.2 %.
    pub response_p95_us: Vec<Option<u64>>,
    /// Longest response time.
    pub response_max_us: Vec<Option<u64>>,
}

/// How the generator itself fared, and so how far its numbers can be trusted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GeneratorReport {
    /// Whether it was slower than it should have been: then latencies include its own.
    pub bottleneck: bool,
    /// Why, one sentence without a full stop each; empty if it was not.
    pub reasons: Vec<String>,
    /// One per worker thread.
    pub workers: Vec<WorkerReport>,
    /// Start − intended start of all exchanges.
    pub start_delay_us: Option<DurationStats>,
    /// The same for other programs.
    pub start_delay_histogram: String,
    /// One per plugin.
    pub guests: Vec<PluginReport>,
}

/// How one worker thread fared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerReport {
    /// CPU time.
    pub cpu_us: u64,
    /// How long it was observed.
    pub wall_us: u64,
    /// CPU time per time observed, 0 to 1.
    pub cpu_share: f64,
    /// Share of the time observed, 0 to 1, in seconds of which the CPU was busy for more than 90 %.
    pub busy_share: f64,
    /// The longest that its loop was late by.
    pub loop_lag_max_us: u64,
}

/// Time spent inside one plugin, over all workers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginReport {
    /// The plugin's name.
    pub plugin: String,
    /// Calls into it.
    pub calls: u64,
    /// Time inside them.
    pub time_us: u64,
    /// Instances lost to traps.
    pub traps: u64,
    /// Other users' actions that failed because they were pending in an instance that was lost.
    pub collateral: u64,
}
