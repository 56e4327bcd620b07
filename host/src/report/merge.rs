//! Merges several reports into one, as if one machine had sent all the load. Counts and histograms are added without
//! loss. The series are aligned by the seconds since each run's start, so the machines' clocks need not agree. If more
//! than one report has replies in a second, its percentiles cannot be computed from theirs and are left out.
//!
//! The segments of one run are joined to that run: its thresholds are judged anew, by the merged counts.
//!
//! The order of the reports does not matter: they are sorted first.

mod judge;
mod named;
mod segments;
mod series;

use std::collections::BTreeMap;

use super::apdex::ApdexReport;
use super::duration_stats::{censored_duration_stats, duration_stats, encode, encode_wide};
use super::model::{
    CheckReport, DurationStats, EncodedTimes, ErrorCount, ExhaustedDataSet, GeneratorReport, MetricReport,
    OutcomeTimes, PerPhase, PluginReport, Report, RequestTotals, RowHistograms, RowReport, RunReport, SamplesReport,
    ScenarioReport, ThresholdReport, TimesByOutcome,
};
use super::read::{DecodedTimes, decode_histogram, decode_micros, decode_times};
use super::settings::RunSettings;
use super::{custom_metrics, generator, row_alignment};
use crate::diagnostic::Diagnostic;
use crate::metrics::aggregate::label;
use crate::metrics::histogram::{self, FINE, ROUGH};
use crate::metrics::sample::FailureKind;
use crate::metrics::shown_exchange::MAX_OF_KIND;
use crate::script::outcome::OutcomeFilter;

pub(crate) use named::NamedReport;

/// Merges the reports.
///
/// # Errors
/// `usage::report` if there is no report, if two are of different scripts or hold the same run, if they are not
/// segments of one run, or if a histogram cannot be read.
pub(crate) fn merge(mut reports: Vec<NamedReport>) -> Result<Report, Diagnostic> {
    reports.sort_by_cached_key(|NamedReport { report, .. }| {
        (report.run.started_at.clone(), serde_json::to_string(report).unwrap_or_default())
    });
    let mismatch =
        |why: String| Diagnostic::new("usage::report", why).help("only reports of the same script can be added");
    let [first, others @ ..] = reports.as_slice() else {
        return Err(Diagnostic::new("usage::report", "there is no report".to_owned()));
    };
    for other in others {
        check_same_script(first, other).and_then(|()| check_same_thresholds(first, other)).map_err(mismatch)?;
    }
    check_distinct(&reports)?;
    let segments = segments::join(&reports)?;
    let mut sum = first.report.clone();
    for other in others {
        let mut other = other.report.clone();
        row_alignment::align(&mut sum, &mut other);
        add(&mut sum, &other).map_err(mismatch)?;
    }
    let percentiles = &first.report.settings.percentiles;
    let agree = others.iter().all(|other| &other.report.settings.percentiles == percentiles);
    if others.iter().any(|other| other.report.settings.latency_of != sum.settings.latency_of) {
        sum.settings.latency_of = OutcomeFilter::All;
    }
    if let Some(segments) = segments {
        judge::judge(&mut sum).map_err(mismatch)?;
        sum.run.verdict = segments::verdict(&segments, &sum.thresholds, &reports);
        sum.settings.segments = Some(segments);
    }
    Ok(sum.with_percentiles(if agree { percentiles } else { &[] }))
}

/// Checks that two reports are of the same script, as far as their contents show.
///
/// # Errors
/// A message that describes the first difference.
pub(crate) fn check_same_script(first: &NamedReport, second: &NamedReport) -> Result<(), String> {
    let (NamedReport { name: first, report: a }, NamedReport { name: second, report: b }) = (first, second);
    let file = |report: &Report| report.settings.script.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    if file(a) != file(b) {
        return Err(format!("`{first}` is of the script `{}`, and `{second}` of `{}`", file(a), file(b)));
    }
    // Rows below steps are left out of a report without requests in them.
    let rows = |report: &Report| -> Vec<_> {
        let of_steps = report.actions.iter().filter(|row| row.step.is_none());
        of_steps.map(|row| (label(row.scenario.as_deref(), &row.name), row.action.clone())).collect()
    };
    let (rows_a, rows_b) = (rows(a), rows(b));
    for at in 0..rows_a.len().max(rows_b.len()) {
        let (in_a, in_b) = (rows_a.get(at).cloned(), rows_b.get(at).cloned());
        if in_a != in_b {
            let called = |row: Option<(String, Option<String>)>| match row {
                Some((name, action)) => format!("`{name}` (action `{}`)", action.unwrap_or_default()),
                None => "none".to_owned(),
            };
            let at = at + 1;
            return Err(format!("row {at} of `{first}` is {}, of `{second}` {}", called(in_a), called(in_b)));
        }
    }
    let metrics = |report: &Report| -> Vec<_> {
        let whole = report.metrics.iter().filter(|metric| metric.step.is_none());
        whole.map(|m| (m.plugin.clone(), m.name.clone(), m.kind.clone(), m.unit.clone())).collect()
    };
    if metrics(a) != metrics(b) {
        return Err(format!("`{first}` and `{second}` have different metrics of plugins"));
    }
    let scenarios = |report: &Report| -> Vec<_> { report.scenarios.iter().map(|one| one.load.name.clone()).collect() };
    if scenarios(a) != scenarios(b) {
        return Err(format!("`{first}` and `{second}` have different scenarios"));
    }
    Ok(())
}

/// Checks that two reports of the same script can be added up in their checks and thresholds, too.
fn check_same_thresholds(first: &NamedReport, second: &NamedReport) -> Result<(), String> {
    let checks_and_thresholds = |report: &Report| -> Vec<_> {
        let checks = report.checks.iter().map(|check| (check.step.clone(), check.name.clone()));
        let thresholds = report.thresholds.iter().map(|one| (one.metric.clone(), one.expression.clone()));
        checks.chain(thresholds).collect()
    };
    if checks_and_thresholds(&first.report) == checks_and_thresholds(&second.report) {
        return Ok(());
    }
    Err(format!("`{}` and `{}` have different checks or thresholds", first.name, second.name))
}

/// Checks that no run is in two of the reports, as it is if one of them is the sum of others.
///
/// # Errors
/// `usage::report`, with the remedy.
fn check_distinct(reports: &[NamedReport]) -> Result<(), Diagnostic> {
    let mut known = BTreeMap::new();
    for NamedReport { name, report } in reports {
        for id in &report.run.ids {
            if let Some(earlier) = known.insert(id, name) {
                let message = format!("`{earlier}` and `{name}` hold the same run");
                return Err(
                    Diagnostic::new("usage::report", message).help("add each run once; a sum holds all of its runs")
                );
            }
        }
    }
    Ok(())
}

fn add(sum: &mut Report, other: &Report) -> Result<(), String> {
    settings(&mut sum.settings, &other.settings);
    run(&mut sum.run, &other.run);
    let load = sum.run.load_us;
    row(&mut sum.totals, &other.totals, load)?;
    for (into, from) in sum.actions.iter_mut().zip(&other.actions) {
        row(into, from, load)?;
    }
    for from in &other.metrics {
        // A report has a metric of a single step only if the step has added a value.
        match sum.metrics.iter_mut().find(|into| is_same_metric(into, from)) {
            Some(into) => metric(into, from, load)?,
            None => sum.metrics.push(from.clone()),
        }
    }
    // Also of metrics that only one of the reports has.
    let seconds = load as f64 / 1e6;
    for metric in sum.metrics.iter_mut().filter(|metric| metric.per_second.is_some() && seconds > 0.0) {
        metric.per_second = metric.sum.map(|sum| sum / seconds);
    }
    for (into, from) in sum.scenarios.iter_mut().zip(&other.scenarios) {
        scenario(into, from)?;
    }
    sum.checks.iter_mut().zip(&other.checks).for_each(|(into, from)| check(into, from));
    sum.thresholds.iter_mut().zip(&other.thresholds).for_each(|(into, from)| threshold(into, from));
    data(&mut sum.data, &other.data);
    sum.changes.extend(other.changes.iter().cloned());
    sum.changes.sort_by_key(|change| change.at_us);
    sum.samples = samples(sum.samples, other.samples);
    series::add(&mut sum.series, &other.series);
    generator_health(&mut sum.generator, &other.generator)
}

fn is_same_metric(one: &MetricReport, other: &MetricReport) -> bool {
    let key = |metric: &MetricReport| {
        let MetricReport { plugin, name, step, scenario, .. } = metric;
        (plugin.clone(), name.clone(), step.clone(), scenario.clone())
    };
    key(one) == key(other)
}

/// Merges the settings: users, workers and request limits are added (segments have one limit), the longest warm-up and
/// timeout and all plugins are kept, and a base URL is kept only if all reports agree.
fn settings(sum: &mut RunSettings, more: &RunSettings) {
    sum.users = sum.users.saturating_add(more.users);
    sum.workers += more.workers;
    if sum.segments.is_none() {
        sum.rps_total = sum.rps_total.zip(more.rps_total).map(|(a, b)| a + b);
    }
    sum.warm_up = sum.warm_up.max(more.warm_up);
    sum.timeout = sum.timeout.max(more.timeout);
    sum.insecure_tls |= more.insecure_tls;
    sum.base_url = sum.base_url.take().filter(|url| more.base_url.as_ref() == Some(url));
    let new = more.plugins.iter().filter(|plugin| !sum.plugins.contains(plugin)).cloned().collect::<Vec<_>>();
    sum.plugins.extend(new);
}

fn run(sum: &mut RunReport, more: &RunReport) {
    sum.ended = more.ended;
    sum.verdict = sum.verdict.max(more.verdict).filter(|_| sum.verdict.is_some() && more.verdict.is_some());
    sum.started_at = sum.started_at.clone().min(more.started_at.clone());
    sum.elapsed_us = sum.elapsed_us.max(more.load_us);
    sum.load_us = sum.load_us.max(more.load_us);
    sum.ids.extend(more.ids.iter().cloned());
    sum.ids.sort();
    sum.users_signed_in += more.users_signed_in;
    sum.users_given_up += more.users_given_up;
    sum.warm_up_requests += more.warm_up_requests;
}

fn scenario(sum: &mut ScenarioReport, more: &ScenarioReport) -> Result<(), String> {
    sum.load.users = sum.load.users.saturating_add(more.load.users);
    sum.load.end = sum.load.end.max(more.load.end);
    let (into, from) = (&mut sum.iterations, &more.iterations);
    into.due += from.due;
    into.completed += from.completed;
    into.cut_short += from.cut_short;
    into.dropped += from.dropped;
    (sum.iteration_histogram, sum.iteration_time_us) =
        merge_histograms(&sum.iteration_histogram, &more.iteration_histogram, FINE)?;
    Ok(())
}

fn check(sum: &mut CheckReport, more: &CheckReport) {
    sum.passed += more.passed;
    sum.failed += more.failed;
    let asked = sum.passed + sum.failed;
    sum.share = (asked > 0).then(|| sum.passed as f64 / asked as f64);
}

/// Merges a threshold. It passed if it passed in every run; otherwise the first run in which it failed is shown. Those
/// of segments are judged again later.
fn threshold(sum: &mut ThresholdReport, more: &ThresholdReport) {
    if sum.passed && !more.passed {
        *sum = more.clone();
    }
}

fn row(sum: &mut RowReport, more: &RowReport, load_us: u64) -> Result<(), String> {
    let (tasks, others) = (&mut sum.tasks, &more.tasks);
    tasks.started += others.started;
    tasks.passed += others.passed;
    tasks.failed += others.failed;
    tasks.cancelled += others.cancelled;
    tasks.dropped += others.dropped;
    let RequestTotals { total, ok, err, .. } = more.requests;
    sum.requests = RequestTotals {
        total: sum.requests.total + total,
        ok: sum.requests.ok + ok,
        err: sum.requests.err + err,
        rps: per_second(sum.requests.total + total, load_us),
    };
    sum.bytes.out += more.bytes.out;
    sum.bytes.received += more.bytes.received;
    sum.bytes.body_in += more.bytes.body_in;
    for (status, count) in &more.statuses {
        *sum.statuses.entry(*status).or_default() += count;
    }
    sum.errors = errors(&sum.errors, &more.errors, sum.requests.total);
    sum.apdex = ApdexReport::merge(sum.apdex, more.apdex);
    let are_apart = sum.by_outcome.is_some() && more.by_outcome.is_some();
    let (into, from) = (&mut sum.histograms, &more.histograms);
    let times = |outcome| {
        let response = merge_times(into.response_times(outcome), from.response_times(outcome))?;
        let service = merge_times(into.service_times(outcome), from.service_times(outcome))?;
        Ok::<_, String>(MergedRowTimes { response, service })
    };
    let (all, ok, failed) = (times(OutcomeFilter::All)?, times(OutcomeFilter::Ok)?, times(OutcomeFilter::Failed)?);
    set_times(into, &all, are_apart.then_some(&failed));
    let stats = |times: MergedRowTimes| OutcomeTimes {
        response_time_us: times.response.stats,
        service_time_us: times.service.stats,
    };
    OutcomeTimes { response_time_us: sum.response_time_us, service_time_us: sum.service_time_us } = stats(all);
    sum.by_outcome = are_apart.then(|| TimesByOutcome { ok: stats(ok), failed: stats(failed) });
    let (a, b) = (&into.phases, &from.phases);
    let PerPhase { dns, connect, tls, first_byte, receive } = PerPhase {
        dns: merge_histograms(&a.dns, &b.dns, ROUGH)?,
        connect: merge_histograms(&a.connect, &b.connect, ROUGH)?,
        tls: merge_histograms(&a.tls, &b.tls, ROUGH)?,
        first_byte: merge_histograms(&a.first_byte, &b.first_byte, ROUGH)?,
        receive: merge_histograms(&a.receive, &b.receive, ROUGH)?,
    };
    into.phases = PerPhase::from_array([dns.0, connect.0, tls.0, first_byte.0, receive.0]);
    sum.phases_us = PerPhase::from_array([dns.1, connect.1, tls.1, first_byte.1, receive.1]);
    Ok(())
}

/// Merged times: their histograms, and their numbers.
struct MergedTimes {
    times: DecodedTimes,
    stats: Option<DurationStats>,
}

impl MergedTimes {
    fn known(&self) -> Option<String> {
        (!self.times.known.is_empty()).then(|| encode(&self.times.known))
    }

    fn cut_off(&self) -> Option<String> {
        (!self.times.cut_off.is_empty()).then(|| encode(&self.times.cut_off))
    }
}

/// Merges the times of exchanges, those that were cut off included.
fn merge_times(a: EncodedTimes<'_>, b: EncodedTimes<'_>) -> Result<MergedTimes, String> {
    let (mut times, more) = (decode_times(a)?, decode_times(b)?);
    histogram::add(&mut times.known, &more.known);
    histogram::add(&mut times.cut_off, &more.cut_off);
    let stats = censored_duration_stats(&times.known, Some(&times.cut_off));
    Ok(MergedTimes { times, stats })
}

/// The merged times of a row.
struct MergedRowTimes {
    response: MergedTimes,
    service: MergedTimes,
}

/// Sets the histograms of all exchanges, and of those that failed if both reports tell them apart.
fn set_times(into: &mut RowHistograms, all: &MergedRowTimes, failed: Option<&MergedRowTimes>) {
    let MergedRowTimes { response, service } = all;
    (into.response_time, into.service_time) = (encode(&response.times.known), encode(&service.times.known));
    (into.cut_off_response_time, into.cut_off_service_time) = (response.cut_off(), service.cut_off());
    into.failed_response_time = failed.and_then(|failed| failed.response.known());
    into.failed_service_time = failed.and_then(|failed| failed.service.known());
}

/// Merges two histograms and returns the sum, encoded and as numbers.
fn merge_histograms(a: &str, b: &str, digits: u8) -> Result<(String, Option<DurationStats>), String> {
    let mut sum = decode_micros(a, digits)?;
    histogram::add(&mut sum, &decode_micros(b, digits)?);
    Ok((encode(&sum), duration_stats(&sum)))
}

fn per_second(count: u64, load_us: u64) -> f64 {
    // In microseconds, the unit of reports.
    if load_us == 0 { 0.0 } else { count as f64 * 1e6 / load_us as f64 }
}

/// Merges errors in the order of their kinds; kinds unknown to this version come last.
fn errors(a: &[ErrorCount], b: &[ErrorCount], requests: u64) -> Vec<ErrorCount> {
    let place = |category: &str| FailureKind::ALL.iter().position(|kind| kind.name() == category).unwrap_or(usize::MAX);
    let mut sums: BTreeMap<(usize, String), ErrorCount> = BTreeMap::new();
    for error in a.iter().chain(b) {
        let key = (place(&error.category), error.category.to_string());
        match sums.entry(key) {
            std::collections::btree_map::Entry::Vacant(entry) => drop(entry.insert(error.clone())),
            std::collections::btree_map::Entry::Occupied(mut entry) => {
                let sum = entry.get_mut();
                sum.count += error.count;
                sum.example = sum.example.take().or_else(|| error.example.clone());
                sum.exchanges.extend(error.exchanges.iter().cloned());
                sum.exchanges.truncate(MAX_OF_KIND);
            }
        }
    }
    let share = |error: ErrorCount| ErrorCount { share: error.count as f64 / requests.max(1) as f64, ..error };
    sums.into_values().map(share).collect()
}

fn metric(sum: &mut MetricReport, more: &MetricReport, load_us: u64) -> Result<(), String> {
    let both = |a: Option<f64>, b: Option<f64>, join: fn(f64, f64) -> f64| match (a, b) {
        (Some(a), Some(b)) => Some(join(a, b)),
        (a, b) => a.or(b),
    };
    let mean = |metric: &MetricReport| metric.distribution.as_ref().map_or(0.0, |d| d.mean * metric.count as f64);
    let means = mean(sum) + mean(more);
    sum.count += more.count;
    sum.sum = both(sum.sum, more.sum, |a, b| a + b);
    sum.per_second = sum.sum.filter(|_| load_us > 0).map(|all| all * 1e6 / load_us as f64);
    sum.hits = sum.hits.map_or(more.hits, |hits| Some(hits + more.hits.unwrap_or(0)));
    sum.share = sum.hits.map(|hits| hits as f64 / sum.count as f64);
    // The reports are in the order of their start, so the last value present wins.
    sum.last = more.last.or(sum.last);
    sum.min = both(sum.min, more.min, f64::min);
    sum.max = both(sum.max, more.max, f64::max);
    sum.histogram = match (sum.histogram.take(), &more.histogram) {
        (Some(a), Some(b)) => {
            let mut trend = decode_histogram(&a, FINE)?;
            histogram::add(&mut trend, &decode_histogram(b, FINE)?);
            sum.distribution = Some(custom_metrics::distribution(&trend, means / sum.count as f64));
            Some(encode_wide(&trend))
        }
        (None, Some(b)) => {
            sum.distribution = more.distribution.clone();
            Some(b.clone())
        }
        (a, None) => a,
    };
    Ok(())
}

/// Adds up samples in files. Of two shares the smaller one is kept.
fn samples(one: Option<SamplesReport>, other: Option<SamplesReport>) -> Option<SamplesReport> {
    let (Some(one), Some(other)) = (one, other) else { return one.or(other) };
    Some(SamplesReport {
        share: one.share.min(other.share),
        taken: one.taken + other.taken,
        lost: one.lost + other.lost,
    })
}

fn data(sum: &mut Vec<ExhaustedDataSet>, more: &[ExhaustedDataSet]) {
    for end in more {
        match sum.iter_mut().find(|known| known.name == end.name) {
            Some(known) => {
                known.users += end.users;
                known.rows = known.rows.max(end.rows);
            }
            None => sum.push(end.clone()),
        }
    }
    sum.sort_by(|a, b| a.name.cmp(&b.name));
}

/// Merges the workers of all machines and decides again whether the generator was the bottleneck.
fn generator_health(sum: &mut GeneratorReport, more: &GeneratorReport) -> Result<(), String> {
    sum.workers.extend(more.workers.iter().cloned());
    sum.processes.extend(more.processes.iter().cloned());
    let mut delay = decode_micros(&sum.start_delay_histogram, FINE)?;
    histogram::add(&mut delay, &decode_micros(&more.start_delay_histogram, FINE)?);
    sum.reasons = generator::bottleneck_reasons(&sum.workers, &sum.processes, &delay);
    sum.bottleneck = !sum.reasons.is_empty();
    (sum.start_delay_us, sum.start_delay_histogram) = (duration_stats(&delay), encode(&delay));
    for guest in &more.guests {
        match sum.guests.iter_mut().find(|known| known.plugin == guest.plugin) {
            Some(known) => {
                let PluginReport { calls, time_us, traps, collateral, .. } = guest;
                known.calls += calls;
                known.time_us += time_us;
                known.traps += traps;
                known.collateral += collateral;
            }
            None => sum.guests.push(guest.clone()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
