//! The sums of checks and of the metrics that plugins define.

use super::labels::{RowLabels, short_label};
use crate::metrics::custom_metric::{MetricId, MetricKind, MetricTally, MetricUnit};
use crate::metrics::sample::RowId;
use crate::report::model::MetricReport;
use crate::sinks::run_info::RunInfo;

/// The sums of a check.
#[derive(Debug)]
pub(in crate::sinks) struct CheckSums {
    /// The step and its scenario.
    pub labels: RowLabels,
    /// The check's name.
    pub name: String,
    /// Exchanges that passed it.
    pub passed: u64,
    /// Exchanges that did not.
    pub failed: u64,
    metric: MetricId,
}

/// The sums of a metric that a plugin defines, in base units: seconds instead of nanoseconds.
#[derive(Clone, Debug)]
pub(in crate::sinks) struct PluginMetricSums {
    /// The plugin's name.
    pub plugin: String,
    /// The metric's name.
    pub name: String,
    /// The kind of the metric.
    pub kind: MetricKind,
    /// The base unit: `number`, `seconds` or `bytes`.
    pub unit: &'static str,
    /// The step whose values alone it counts.
    pub row: Option<RowLabels>,
    /// Number of values.
    pub count: u64,
    /// Number of values that were not 0.
    pub hits: u64,
    /// Sum of the values.
    pub sum: f64,
    /// The last value.
    pub last: f64,
    id: MetricId,
    is_nanos: bool,
}

/// Returns the checks of a run, without counts.
pub(super) fn checks(run: &RunInfo) -> Vec<CheckSums> {
    let check = run.checks.iter().filter_map(|info| {
        let (labels, name) = (row_labels(run, info.row)?, short_label(&info.name));
        Some(CheckSums { labels, name, passed: 0, failed: 0, metric: info.metric })
    });
    check.collect()
}

/// Returns the metrics of a run that are not checks, without values.
pub(super) fn metrics(run: &RunInfo) -> Vec<PluginMetricSums> {
    let numbered = run.metrics.iter().enumerate().filter_map(|(id, info)| Some((MetricId::try_from(id).ok()?, info)));
    let own = numbered.filter(|(id, _)| run.checks.iter().all(|check| check.metric != *id));
    let sums = own.map(|(id, info)| PluginMetricSums {
        plugin: short_label(&info.plugin),
        name: short_label(&info.name),
        kind: info.kind,
        unit: match info.unit {
            MetricUnit::Number => "number",
            MetricUnit::Nanoseconds => "seconds",
            MetricUnit::Bytes => "bytes",
        },
        row: info.row.and_then(|row| row_labels(run, row)),
        count: 0,
        hits: 0,
        sum: 0.0,
        last: 0.0,
        id,
        is_nanos: info.unit == MetricUnit::Nanoseconds,
    });
    sums.collect()
}

fn row_labels(run: &RunInfo, row: RowId) -> Option<RowLabels> {
    run.rows.get(usize::from(row)).map(RowLabels::of)
}

impl CheckSums {
    /// Returns the check without counts.
    pub(super) fn without_counts(&self) -> Self {
        Self { passed: 0, failed: 0, labels: self.labels.clone(), name: self.name.clone(), metric: self.metric }
    }

    /// Adds the values of a second.
    pub(super) fn add(&mut self, tallies: &[MetricTally]) {
        if let Some(tally) = tallies.get(usize::from(self.metric)) {
            self.passed += tally.hits;
            self.failed += tally.count - tally.hits;
        }
    }
}

impl PluginMetricSums {
    /// Returns the metric without values.
    pub(super) fn without_counts(&self) -> Self {
        Self { count: 0, hits: 0, sum: 0.0, last: 0.0, ..self.clone() }
    }

    /// Adds the values of a second.
    pub(super) fn add(&mut self, tallies: &[MetricTally]) {
        let Some(tally) = tallies.get(usize::from(self.id)).filter(|tally| tally.count > 0) else { return };
        self.count += tally.count;
        self.hits += tally.hits;
        self.sum += self.in_base_unit(tally.sum);
        self.last = self.in_base_unit(tally.last);
    }

    /// Replaces the sums by the numbers of the report, unless they are complete: a sum that is added up in another
    /// order may be smaller in its last digit, which a reader would take for a restart. The report has no sum of a
    /// trend, but its mean.
    pub(super) fn set(&mut self, report: &MetricReport) {
        if self.count == report.count {
            return;
        }
        self.count = report.count;
        self.hits = report.hits.unwrap_or(self.hits);
        let mean_sum = report.distribution.as_ref().map(|trend| trend.mean * report.count as f64);
        self.sum = report.sum.or(mean_sum).map_or(self.sum, |sum| self.in_base_unit(sum));
        self.last = report.last.map_or(self.last, |last| self.in_base_unit(last));
    }

    /// Returns `true` if the report's metric is this one.
    pub(super) fn is_of(&self, report: &MetricReport) -> bool {
        let step = report.step.as_deref().map(short_label);
        let scenario = report.scenario.as_deref().map(short_label);
        let own_scenario = self.row.as_ref().and_then(|row| row.scenario.clone());
        self.plugin == short_label(&report.plugin)
            && self.name == short_label(&report.name)
            && self.row.as_ref().map(|row| &row.step) == step.as_ref()
            && own_scenario == scenario
    }

    fn in_base_unit(&self, value: f64) -> f64 {
        if self.is_nanos { value / 1e9 } else { value }
    }
}
