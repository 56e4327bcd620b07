//! A report read back as the counts that it was built from, as far as thresholds read them.

use super::model::{CheckReport, IterationTotals, MetricReport, Report, RowReport};
use super::read::{decode_histogram, decode_micros};
use crate::metrics::aggregate::{Aggregate, CheckInfo, RowInfo, RowPart, RunTotals, WHAT};
use crate::metrics::compact_histogram::CompactHistogram;
use crate::metrics::custom_metric::{MetricInfo, MetricKind, MetricTally, MetricUnit, ValueRange};
use crate::metrics::histogram::{self, FINE, ROUGH};
use crate::metrics::iteration_stats::IterationStats;
use crate::metrics::row_stats::{ByteCounts, ExchangeTimes, PhaseHistograms, RowStats};
use crate::metrics::sample::{FailureKind, RowId};
use crate::metrics::timeline::Timeline;
use crate::plan::thresholds::MetricCatalog;

/// The plugin that the metrics of checks are said to be of. No threshold can name it.
const OF_CHECKS: &str = "";

/// The counts of a report, and the names that thresholds use.
pub(super) struct RestoredRun {
    /// The counts.
    pub aggregate: Aggregate,
    rows: Vec<RowInfo>,
    metrics: Vec<MetricInfo>,
    checks: Vec<CheckInfo>,
    scenarios: Vec<Option<String>>,
}

impl RestoredRun {
    /// Reads the counts of a report back.
    ///
    /// # Errors
    /// A histogram cannot be read; the text is for the user.
    pub(super) fn of_report(report: &Report) -> Result<Self, String> {
        let rows: Vec<_> = report.actions.iter().map(row_info).collect();
        let of_run = || report.metrics.iter().filter(|metric| metric.step.is_none());
        let plugins: Vec<_> = of_run().filter_map(|metric| Some((metric_info(metric)?, metric))).collect();
        let first_check = plugins.len();
        let checks = report.checks.iter().enumerate().filter_map(|(index, check)| {
            Some(CheckInfo {
                row: only_row(report, check)?,
                name: check.name.clone(),
                metric: (first_check + index) as u16,
            })
        });
        let checks: Vec<_> = checks.collect();
        // Where a check's row is not known, no threshold on checks can be judged.
        let checks = if checks.len() == report.checks.len() { checks } else { Vec::new() };
        let mut tallies =
            plugins.iter().map(|(info, metric)| tally(info.kind, metric)).collect::<Result<Vec<_>, _>>()?;
        tallies.extend(report.checks.iter().map(check_tally));
        let mut metrics: Vec<_> = plugins.into_iter().map(|(info, _)| info).collect();
        metrics.extend(report.checks.iter().map(check_info));
        let users = report.series.users_active.clone();
        let totals = RunTotals {
            rows: report.actions.iter().map(row_stats).collect::<Result<_, _>>()?,
            start_delay: fine(&report.generator.start_delay_histogram)?,
            iterations: report
                .scenarios
                .iter()
                .map(|scenario| {
                    let duration = fine(&scenario.iteration_histogram)?;
                    let IterationTotals { completed, cut_short, dropped, .. } = scenario.iterations;
                    Ok(IterationStats { completed, cut_short, dropped, duration })
                })
                .collect::<Result<_, String>>()?,
            tallies,
            users: Timeline::of_users(rows.len(), report.series.resolution_s, users),
        };
        let aggregate = Aggregate::new(rows.clone(), 1).with_metrics(metrics.clone()).with_totals(totals);
        let scenarios = report.scenarios.iter().map(|scenario| scenario.load.name.clone()).collect();
        Ok(Self { aggregate, rows, metrics, checks, scenarios })
    }

    /// Returns the names that thresholds use. It does not know which steps the metrics of a plugin are of.
    pub(super) fn catalog(&self) -> MetricCatalog<'_> {
        let Self { rows, metrics, checks, scenarios, .. } = self;
        MetricCatalog { rows, metrics, checks, scenarios, step_plugins: Vec::new() }
    }
}

/// Returns the names of a row.
fn row_info(row: &RowReport) -> RowInfo {
    let tags = row.tags.iter().filter(|(name, _)| row.step.is_none() || *name != WHAT);
    let part = row.step.as_ref().map(|step| RowPart {
        // Nothing that reads the counts of a report looks for the row of the step.
        of: 0,
        step: step.clone(),
        what: row.tags.get(WHAT).cloned().unwrap_or_default(),
        is_by_design: row.by_design,
    });
    RowInfo {
        scenario: row.scenario.clone(),
        name: row.name.clone(),
        action: row.action.clone().unwrap_or_default(),
        tags: tags.map(|(name, value)| (name.clone(), value.clone())).collect(),
        apdex_target: row.apdex.and_then(|apdex| apdex.target_us),
        part,
    }
}

/// Returns the row of a check, of which a report has only the step's name; `None` if several have that name.
fn only_row(report: &Report, check: &CheckReport) -> Option<RowId> {
    let mut rows = report.actions.iter().enumerate().filter(|(_, row)| row.name == check.step);
    let (row, _) = rows.next()?;
    rows.next().is_none().then_some(row as RowId)
}

fn metric_info(metric: &MetricReport) -> Option<MetricInfo> {
    Some(MetricInfo {
        plugin: metric.plugin.clone(),
        name: metric.name.clone(),
        kind: MetricKind::ALL.into_iter().find(|kind| kind.name() == metric.kind)?,
        unit: MetricUnit::ALL.into_iter().find(|unit| unit.name() == metric.unit)?,
        row: None,
    })
}

fn check_info(check: &CheckReport) -> MetricInfo {
    let (plugin, name) = (OF_CHECKS.to_owned(), check.name.clone());
    MetricInfo { plugin, name, kind: MetricKind::Rate, unit: MetricUnit::Number, row: None }
}

/// Returns the values of a metric, as far as its kind reads them.
fn tally(kind: MetricKind, metric: &MetricReport) -> Result<MetricTally, String> {
    let mean = metric.distribution.as_ref().map(|distribution| distribution.mean);
    let trend = metric.histogram.as_deref().map(|text| decode_histogram(text, FINE)).transpose()?;
    let range = metric.min.zip(metric.max).map(|(min, max)| ValueRange { min, max });
    Ok(MetricTally {
        count: metric.count,
        sum: metric.sum.or(mean.map(|mean| mean * metric.count as f64)).unwrap_or(0.0),
        hits: metric.hits.unwrap_or(0),
        range: range.unwrap_or_default(),
        last: metric.last.unwrap_or(0.0),
        trend: trend.or_else(|| (kind == MetricKind::Trend).then(|| histogram::empty(FINE))),
    })
}

fn check_tally(check: &CheckReport) -> MetricTally {
    let (count, hits) = (check.passed + check.failed, check.passed);
    MetricTally { count, hits, sum: hits as f64, ..MetricTally::new(MetricKind::Rate) }
}

/// Returns the counts of a row but those of its tasks, which no threshold reads.
fn row_stats(row: &RowReport) -> Result<RowStats<u64>, String> {
    let mut err = [0; FailureKind::ALL.len()];
    for error in &row.errors {
        let kind = FailureKind::ALL.iter().position(|kind| kind.name() == error.category);
        *kind.and_then(|kind| err.get_mut(kind)).ok_or("it has errors of an unknown kind")? += error.count;
    }
    let histograms = &row.histograms;
    let times = |response: &Option<String>, service: &Option<String>| match (response, service) {
        (None, None) => Ok::<_, String>(None),
        (response, service) => {
            let response = response.as_deref().map_or_else(|| Ok(CompactHistogram::new(FINE)), fine)?;
            let service = service.as_deref().map_or_else(|| Ok(CompactHistogram::new(FINE)), fine)?;
            Ok(Some(Box::new(ExchangeTimes { response, service })))
        }
    };
    let phases =
        histograms.phases.as_array().map(|text| decode_micros(text, ROUGH).map(|one| CompactHistogram::of_hdr(&one)));
    let [dns, connect, tls, first_byte, receive] = phases;
    Ok(RowStats {
        ok: row.requests.ok,
        err,
        statuses: row.statuses.iter().map(|(status, count)| (*status, *count)).collect(),
        bytes: ByteCounts { out: row.bytes.out, received: row.bytes.received, body_in: row.bytes.body_in },
        response: fine(&histograms.response_time)?,
        service: fine(&histograms.service_time)?,
        phases: PhaseHistograms::new([dns?, connect?, tls?, first_byte?, receive?]),
        failed: times(&histograms.failed_response_time, &histograms.failed_service_time)?,
        cut_off: times(&histograms.cut_off_response_time, &histograms.cut_off_service_time)?,
        ..RowStats::default()
    })
}

/// Decodes a histogram with [`FINE`] digits.
fn fine(text: &str) -> Result<CompactHistogram<u64>, String> {
    Ok(CompactHistogram::of_hdr(&decode_micros(text, FINE)?))
}
