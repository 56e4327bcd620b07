//! The description of a run that is about to begin.

use std::time::Duration;

use crate::metrics::aggregate::{CheckInfo, RowInfo};
use crate::metrics::custom_metric::MetricInfo;
use crate::metrics::threshold::ThresholdRule;
use crate::plan::{self, Plan, Scenario};
use crate::report::settings::{RunSegments, ScenarioLoad};
use crate::report::{RunSettings, run_id};
use crate::script::outcome::OutcomeFilter;

/// A run that is about to begin, as sinks see it. It holds no secret: neither headers nor values of variables, and the
/// base URL without user name, password and query.
#[derive(Clone, Debug)]
pub(crate) struct RunInfo {
    /// A random number that tells the run from others.
    pub id: u64,
    /// The time at which the run began, its set-up included, since the Unix epoch.
    pub started_at: Duration,
    /// Script, scenarios with their loads, workers, seed and plugins, as in the report.
    pub settings: RunSettings,
    /// The rows, in the order of [`Interval::rows`](crate::metrics::interval::Interval::rows).
    pub rows: Vec<RowInfo>,
    /// The metrics of plugins, groups and checks, in the order of
    /// [`Interval::tallies`](crate::metrics::interval::Interval::tallies).
    pub metrics: Vec<MetricInfo>,
    /// The checks, by row; their answers are counted in metrics.
    pub checks: Vec<CheckInfo>,
    /// The thresholds, in the order of the report.
    pub thresholds: Vec<ThresholdRule>,
}

impl RunInfo {
    /// Returns the identifier of the run as the report writes it.
    pub(crate) fn id_text(&self) -> String {
        run_id(self.id)
    }

    /// Describes a plan whose run has not begun: [`started_at`](Self::started_at) is still 0.
    pub(crate) fn of_plan(plan: &Plan) -> Self {
        Self {
            id: rand::random(),
            started_at: Duration::ZERO,
            settings: run_settings(plan).without_credentials(),
            rows: plan.rows.clone(),
            metrics: plan.metrics.clone(),
            checks: plan.checks.clone(),
            thresholds: plan.thresholds.clone(),
        }
    }
}

/// Returns the settings of a plan, for its report.
pub(crate) fn run_settings(plan: &Plan) -> RunSettings {
    RunSettings {
        script: plan.script.clone(),
        users: plan.own_users(),
        segments: (!plan.segment.is_whole()).then(|| RunSegments::of(plan.segment)),
        rps_total: plan.rps_total,
        warm_up: plan.warm_up,
        scenarios: plan.scenarios.iter().map(|scenario| scenario_load(plan, scenario)).collect(),
        timeout: Duration::from_nanos(plan.timeout),
        workers: plan.workers,
        seed: plan.seed,
        insecure_tls: plan.insecure_tls,
        base_url: plan.runtime.script_context.base_url.as_ref().map(ToString::to_string),
        plugins: plan.plugin_names(),
        percentiles: Vec::new(),
        latency_of: OutcomeFilter::default(),
        tool_version: env!("CARGO_PKG_VERSION").into(),
    }
}

fn scenario_load(plan: &Plan, scenario: &Scenario) -> ScenarioLoad {
    let workload = &scenario.workload;
    ScenarioLoad {
        name: scenario.name.clone(),
        model: workload.model.name().into(),
        load: plan::describe::describe_load(scenario),
        users: plan.segment_users(scenario),
        rps: workload.rps,
        start: workload.start,
        end: workload.end().map(Duration::from_nanos),
        graceful_stop: workload.graceful_stop,
    }
}
