//! Builds the report of a finished run. Every number that any of its forms shows is computed here, once.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use hdrhistogram::Histogram;
use stampede_time::{Nanos, nanos};

use super::apdex::ApdexReport;
use super::checks_and_thresholds;
use super::custom_metrics::metric_report;
use super::duration_stats::{censored_duration_stats, duration_stats, encode};
use super::exchanges::ExchangeReport;
use super::generator::generator_report;
use super::model::{
    ByteTotals, ErrorCount, ErrorExample, IterationTotals, MetricReport, OutcomeTimes, PerPhase, Report, RequestTotals,
    RowHistograms, RowReport, RowSeries, RunReport, SCHEMA, ScenarioReport, SeriesByOutcome, SeriesTimes, TaskTotals,
    TimeSeries, TimesByOutcome,
};
use super::settings::{RunSettings, RunSummary};
use super::times::PercentileSeries;
use crate::metrics::aggregate::{Aggregate, MetricTotal, WHAT};
use crate::metrics::apdex::ApdexCounts;
use crate::metrics::compact_histogram::CompactHistogram;
use crate::metrics::histogram::{self, FINE};
use crate::metrics::iteration_stats;
use crate::metrics::log_linear::LogLinearHistogram;
use crate::metrics::row_stats;
use crate::metrics::sample::{FailureKind, RowId};
use crate::metrics::threshold::ThresholdVerdict;
use crate::metrics::timeline::{Timeline, TimelinePoint};

impl Report {
    /// Builds the report. A task that is still open was cut short by the end of the run, so it counts as cancelled:
    /// every task that started has ended in exactly one way.
    pub(crate) fn build(
        settings: RunSettings,
        aggregate: &Aggregate,
        outcome: &RunSummary,
        verdicts: &[ThresholdVerdict],
    ) -> Self {
        let load = load_time(&settings, outcome);
        let rows = aggregate.rows().iter().zip(aggregate.row_infos()).enumerate();
        let actions = rows.map(|(index, (measured, info))| {
            let apdex_target = info.apdex_target;
            let errors =
                errors(measured, |kind| example(aggregate, index, kind), |kind| exchanges(aggregate, index, kind));
            let apdex =
                apdex_target.map(|target| ApdexReport::new(Some(target), ApdexCounts::of_row(measured, target)));
            let row = RowReport { errors, apdex, ..row(measured, load) };
            let (scenario, action) = (info.scenario.clone(), Some(info.action.clone()));
            let step = info.part.as_ref().map(|part| part.step.clone());
            let what = info.part.iter().map(|part| (WHAT.to_owned(), part.what.clone()));
            let tags = info.tags.iter().cloned().chain(what).collect();
            let (name, by_design) = (info.name.clone(), info.is_by_design());
            RowReport { scenario, name, action, step, by_design, tags, ..row }
        });
        let actions: Vec<RowReport> = actions.collect();
        let apdex = actions.iter().fold(None, |sum, row| ApdexReport::merge(sum, row.apdex));
        let is_check = |id: usize| aggregate.checks().iter().any(|check| usize::from(check.metric) == id);
        let metrics = aggregate.metrics().iter().enumerate().filter(|(id, _)| !is_check(*id));
        let percentiles = settings.percentiles.clone();
        let report = Self {
            schema: SCHEMA.into(),
            tool_version: settings.tool_version.clone(),
            run: run(aggregate, outcome, load),
            scenarios: scenarios(&settings, aggregate),
            totals: RowReport { apdex, ..totals(aggregate, load) },
            actions,
            metrics: metrics.filter_map(|(_, measured)| metric(aggregate, measured, load)).collect(),
            checks: checks_and_thresholds::checks(aggregate),
            thresholds: verdicts.iter().map(checks_and_thresholds::threshold).collect(),
            data: Vec::new(),
            changes: Vec::new(),
            samples: None,
            series: time_series(aggregate, &percentiles),
            generator: generator_report(aggregate, outcome.cpu_limits, &settings.plugins),
            settings: settings.without_credentials(),
        };
        report.with_percentiles(&percentiles)
    }
}

/// Returns the identifier of a run as reports write it.
pub(crate) fn run_id(id: u64) -> String {
    format!("{id:016x}")
}

/// Returns a metric of the report. That of a single step is left out if the step has added no value.
fn metric(aggregate: &Aggregate, measured: &MetricTotal, load: Nanos) -> Option<MetricReport> {
    let row = measured.info.row.map(|row| &aggregate.row_infos()[usize::from(row)]);
    (row.is_none() || measured.tally.count > 0).then(|| metric_report(measured, row, load))
}

/// Returns the time that rates are over: from the end of the warm-up to the end of the load, or of the set-up if there
/// was no load.
fn load_time(settings: &RunSettings, outcome: &RunSummary) -> Nanos {
    let end = if outcome.load_end == 0 { outcome.elapsed } else { outcome.load_end };
    end.saturating_sub(nanos(settings.warm_up))
}

fn scenarios(settings: &RunSettings, aggregate: &Aggregate) -> Vec<ScenarioReport> {
    let none = iteration_stats::IterationStats::default();
    let all = settings.scenarios.iter().enumerate().map(|(number, load)| {
        let counted = aggregate.iterations().get(number).unwrap_or(&none);
        let iteration_stats::IterationStats { completed, cut_short, dropped, ref duration } = *counted;
        let duration = duration.to_hdr();
        ScenarioReport {
            load: load.clone(),
            iterations: IterationTotals { due: counted.due(), completed, cut_short, dropped },
            iteration_time_us: duration_stats(&duration),
            iteration_histogram: encode(&duration),
        }
    });
    all.collect()
}

fn run(aggregate: &Aggregate, outcome: &RunSummary, load: Nanos) -> RunReport {
    // RFC 3339 has no years after 9999.
    let started_at = outcome.started_at.min(Duration::from_secs(253_402_300_799));
    RunReport {
        started_at: humantime::format_rfc3339_millis(UNIX_EPOCH + started_at).to_string(),
        elapsed_us: outcome.elapsed / 1000,
        load_us: load / 1000,
        ids: vec![run_id(outcome.id)],
        ended: outcome.end_reason,
        verdict: Some(outcome.verdict),
        users_signed_in: outcome.users_signed_in,
        users_given_up: outcome.users_given_up,
        warm_up_requests: aggregate.warm_up(),
    }
}

impl RowReport {
    /// Returns the row without any counts.
    pub(super) fn without_counts(&self) -> Self {
        Self {
            scenario: self.scenario.clone(),
            name: self.name.clone(),
            action: self.action.clone(),
            step: self.step.clone(),
            by_design: self.by_design,
            tags: self.tags.clone(),
            ..row(&row_stats::RowStats::default(), 0)
        }
    }
}

fn totals(aggregate: &Aggregate, load: Nanos) -> RowReport {
    let total = aggregate.total();
    let any_row = |kind| (0..aggregate.rows().len()).find_map(|index| example(aggregate, index, kind));
    RowReport { errors: errors(&total, any_row, |_| Vec::new()), ..row(&total, load) }
}

/// Builds a row from its counts alone. Its name, action and tags are those of the totals, and it has no errors: callers
/// set those.
fn row(measured: &row_stats::RowStats<u64>, load: Nanos) -> RowReport {
    let (response, service) = (measured.response.to_hdr(), measured.service.to_hdr());
    let phase_times = measured.phases.parts().each_ref().map(CompactHistogram::to_hdr);
    let (failed, cut_off) = (RowTimes::of(measured.failed.as_deref()), RowTimes::of(measured.cut_off.as_deref()));
    RowReport {
        scenario: None,
        name: "Totals".into(),
        action: None,
        step: None,
        by_design: false,
        tags: BTreeMap::new(),
        tasks: tasks(&measured.tasks),
        requests: requests(measured, load),
        bytes: ByteTotals {
            out: measured.bytes.out,
            received: measured.bytes.received,
            body_in: measured.bytes.body_in,
        },
        statuses: measured.statuses.iter().copied().collect(),
        errors: Vec::new(),
        response_time_us: censored_duration_stats(&response, cut_off.response.as_ref()),
        service_time_us: censored_duration_stats(&service, cut_off.service.as_ref()),
        by_outcome: Some(TimesByOutcome {
            ok: OutcomeTimes {
                response_time_us: duration_stats(&measured.ok_response().to_hdr()),
                service_time_us: duration_stats(&measured.ok_service().to_hdr()),
            },
            failed: failed.stats(&cut_off),
        }),
        apdex: None,
        phases_us: PerPhase::from_array(phase_times.each_ref().map(duration_stats)),
        histograms: RowHistograms {
            response_time: encode(&response),
            service_time: encode(&service),
            phases: PerPhase::from_array(phase_times.each_ref().map(encode)),
            failed_response_time: failed.response.as_ref().map(encode),
            failed_service_time: failed.service.as_ref().map(encode),
            cut_off_response_time: cut_off.response.as_ref().map(encode),
            cut_off_service_time: cut_off.service.as_ref().map(encode),
        },
    }
}

/// The times of some of a row's exchanges; `None` if there are none.
#[derive(Default)]
struct RowTimes {
    response: Option<Histogram<u64>>,
    service: Option<Histogram<u64>>,
}

impl RowTimes {
    fn of(times: Option<&row_stats::ExchangeTimes<u64>>) -> Self {
        let response = times.map(|times| times.response.to_hdr());
        Self { response, service: times.map(|times| times.service.to_hdr()) }
    }

    /// Returns the numbers of these times and of others that were cut off.
    fn stats(&self, cut_off: &Self) -> OutcomeTimes {
        let stats = |known: &Option<Histogram<u64>>, cut_off: &Option<Histogram<u64>>| {
            known.as_ref().map_or_else(
                || censored_duration_stats(&histogram::empty(FINE), cut_off.as_ref()),
                |known| censored_duration_stats(known, cut_off.as_ref()),
            )
        };
        OutcomeTimes {
            response_time_us: stats(&self.response, &cut_off.response),
            service_time_us: stats(&self.service, &cut_off.service),
        }
    }
}

fn tasks(measured: &row_stats::TaskCounts) -> TaskTotals {
    TaskTotals {
        started: measured.started,
        passed: measured.passed,
        failed: measured.failed,
        cancelled: measured.cancelled + measured.open(),
        dropped: measured.dropped,
    }
}

fn requests(measured: &row_stats::RowStats<u64>, load: Nanos) -> RequestTotals {
    let total = measured.requests();
    let rps = if load == 0 { 0.0 } else { total as f64 * 1e9 / load as f64 };
    RequestTotals { total, ok: measured.ok, err: measured.failures(), rps }
}

/// Returns the kinds of failure that occurred.
fn errors(
    measured: &row_stats::RowStats<u64>,
    example: impl Fn(FailureKind) -> Option<ErrorExample>,
    exchanges: impl Fn(FailureKind) -> Vec<ExchangeReport>,
) -> Vec<ErrorCount> {
    let counted = FailureKind::ALL.into_iter().zip(measured.err).filter(|&(_, count)| count > 0);
    let shown = counted.map(|(kind, count)| ErrorCount {
        category: kind.name().into(),
        count,
        share: count as f64 / measured.requests() as f64,
        example: example(kind),
        exchanges: exchanges(kind),
    });
    shown.collect()
}

fn example(aggregate: &Aggregate, index: usize, kind: FailureKind) -> Option<ErrorExample> {
    let example = aggregate.example(RowId::try_from(index).ok()?, kind)?;
    Some(ErrorExample { name: aggregate.row_infos()[index].name.clone(), text: example.text().into() })
}

fn exchanges(aggregate: &Aggregate, index: usize, kind: FailureKind) -> Vec<ExchangeReport> {
    RowId::try_from(index).map_or(Vec::new(), |row| aggregate.exchanges(row, kind).map(ExchangeReport::new).collect())
}

fn time_series(aggregate: &Aggregate, percentiles: &[f64]) -> TimeSeries {
    let timeline = aggregate.timeline();
    let rows = aggregate.row_infos().iter().enumerate();
    TimeSeries {
        resolution_s: timeline.seconds_per_point(),
        users_active: (0..timeline.length()).map(|index| timeline.users_at(index)).collect(),
        actions: rows.map(|(row, info)| row_over_time(timeline, row, info.name.clone(), percentiles)).collect(),
    }
}

fn row_over_time(timeline: &Timeline, row: usize, name: String, percentiles: &[f64]) -> RowSeries {
    let silent = TimelinePoint::default();
    let points = || timeline.row(row).iter().chain(std::iter::repeat(&silent)).take(timeline.length());
    let all = series_times(points().map(|point| (point.response.clone(), point.response_max)), percentiles);
    let failed = |point: &TimelinePoint| {
        point.failed.as_ref().map_or_else(Default::default, |failed| (failed.response.clone(), failed.response_max))
    };
    let by_outcome = points().any(|point| point.err > 0).then(|| SeriesByOutcome {
        ok: series_times(points().map(TimelinePoint::ok_response), percentiles),
        failed: series_times(points().map(failed), percentiles),
    });
    RowSeries {
        name,
        ok: points().map(|point| point.ok).collect(),
        err: points().map(|point| point.err).collect(),
        bytes_out: points().map(|point| point.bytes_out).collect(),
        bytes_in: points().map(|point| point.bytes_in).collect(),
        response_p50_us: all.response_p50_us,
        response_p95_us: all.response_p95_us,
        response_max_us: all.response_max_us,
        response_percentiles: all.response_percentiles,
        by_outcome,
    }
}

/// Returns the numbers of the times of each point; a longest time of 0 means that there were none.
fn series_times(points: impl Iterator<Item = (LogLinearHistogram, u64)>, percentiles: &[f64]) -> SeriesTimes {
    let chosen = |percentile: &f64| PercentileSeries { percentile: *percentile, values_us: Vec::new() };
    let mut times =
        SeriesTimes { response_percentiles: percentiles.iter().map(chosen).collect(), ..SeriesTimes::default() };
    for (response, longest) in points {
        times.response_p50_us.push(response.quantile(0.5));
        times.response_p95_us.push(response.quantile(0.95));
        times.response_max_us.push((longest > 0).then_some(longest));
        for series in &mut times.response_percentiles {
            series.values_us.push(response.quantile(series.percentile / 100.0));
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use super::super::test_reports;
    use super::*;

    #[test]
    fn rows_add_up_to_the_totals() {
        let report = test_reports::movies();
        let sum = |get: fn(&RowReport) -> u64| report.actions.iter().map(get).sum::<u64>();
        let numbers: [fn(&RowReport) -> u64; 10] = [
            |row| row.tasks.started,
            |row| row.tasks.passed,
            |row| row.tasks.failed,
            |row| row.requests.total,
            |row| row.requests.ok,
            |row| row.requests.err,
            |row| row.bytes.received,
            |row| row.statuses.values().sum(),
            |row| row.errors.iter().map(|error| error.count).sum(),
            |row| row.response_time_us.as_ref().map_or(0, |times| times.count),
        ];
        for (index, number) in numbers.into_iter().enumerate() {
            assert_eq!(sum(number), number(&report.totals), "number {index}");
        }
        assert_eq!(report.totals.requests.total, 12_012);
    }

    #[test]
    fn every_task_ends_in_exactly_one_way() {
        let report = test_reports::movies();
        for row in report.actions.iter().chain([&report.totals]) {
            let tasks = &row.tasks;
            assert_eq!(tasks.started, tasks.passed + tasks.failed + tasks.cancelled + tasks.dropped, "{}", row.name);
        }
        assert_eq!(report.totals.tasks.cancelled, 1, "the one still open when the run ended");
    }

    #[test]
    fn the_series_holds_every_request_and_its_lists_are_equally_long() {
        let report = test_reports::movies();
        let length = report.series.users_active.len();
        let mut counted = 0;
        for row in &report.series.actions {
            counted += row.ok.iter().chain(&row.err).sum::<u64>();
            assert_eq!([row.ok.len(), row.err.len(), row.response_p95_us.len()], [length; 3], "{}", row.name);
        }
        assert_eq!(counted, report.totals.requests.total);
    }
}
