//! Synthetic runs for the tests of this module, built with the same recorder and aggregate as real ones.

use std::time::Duration;

use super::settings::ScenarioLoad;
use super::{Report, RunSettings, RunSummary, RunVerdict};
use crate::metrics::aggregate::{Aggregate, CheckInfo, RowInfo};
use crate::metrics::compact_histogram::CompactHistogram;
use crate::metrics::custom_metric::{MetricInfo, MetricKind, MetricUnit};
use crate::metrics::histogram;
use crate::metrics::interval::{Interval, IntervalHealth, WorkerInterval};
use crate::metrics::log_linear::LogLinearHistogram;
use crate::metrics::recorder::Recorder;
use crate::metrics::row_stats::TaskEnd;
use crate::metrics::sample::{FailureKind, PhaseDurations, RowId, Sample};
use crate::metrics::survival::Estimate;
use crate::metrics::threshold::{Measure, ThresholdRule, ThresholdVerdict};
use crate::run::{CpuLimits, EndReason};
use crate::script::outcome::OutcomeFilter;
use crate::script::threshold_syntax::{Aggregation, Comparison, Quantity};

const MILLISECOND: u64 = 1_000_000;

fn settings() -> RunSettings {
    RunSettings {
        script: "movies.yml".into(),
        users: 500,
        segments: None,
        rps_total: None,
        warm_up: Duration::ZERO,
        scenarios: vec![ScenarioLoad {
            name: None,
            model: "constant".into(),
            load: "500 virtual users walk the script for 2m, each at 1.5 rps at most (750.0 rps in all)".into(),
            users: 500,
            rps: Some(1.5),
            start: Duration::ZERO,
            end: Some(Duration::from_secs(120)),
            graceful_stop: Duration::from_secs(5),
        }],
        timeout: Duration::from_secs(30),
        workers: 2,
        seed: 7,
        insecure_tls: false,
        base_url: Some("https://site".into()),
        plugins: vec!["http".into(), "login".into()],
        percentiles: Vec::new(),
        latency_of: OutcomeFilter::All,
        tool_version: "0.1.0".into(),
    }
}

fn outcome() -> RunSummary {
    RunSummary {
        id: 0x5eed,
        started_at: Duration::from_millis(1_790_000_000_123),
        elapsed: 120_000 * MILLISECOND,
        load_end: 0,
        cpu_limits: CpuLimits::default(),
        end_reason: EndReason::Duration,
        verdict: RunVerdict::Passed,
        users_signed_in: 500,
        users_given_up: 0,
    }
}

fn rows(names: &[(&str, &str)]) -> Vec<RowInfo> {
    let row = |&(name, action): &(&str, &str)| {
        let (name, action) = (name.to_owned(), action.to_owned());
        RowInfo { scenario: None, name, action, tags: Vec::new(), apdex_target: None, part: None }
    };
    names.iter().map(row).collect()
}

/// Returns the histogram of times in microseconds.
pub(crate) fn times_of(micros: &[u64]) -> LogLinearHistogram {
    let mut fine = CompactHistogram::<u32>::new(histogram::FINE);
    micros.iter().for_each(|time| fine.record(time * 1_000));
    let mut times = LogLinearHistogram::default();
    times.add_histogram(&fine);
    times
}

/// Returns an exchange that took `millis` milliseconds after a start that was `late` milliseconds late.
fn sample(row: RowId, millis: u64, late: u64) -> Sample {
    let phases = PhaseDurations { first_byte: Some(millis * MILLISECOND / 2), ..PhaseDurations::default() };
    let end = (late + millis) * MILLISECOND;
    let (bytes_out, bytes_in, body_bytes_in) = (310, 48_200, 48_000);
    Sample {
        row,
        intended: 0,
        start: late * MILLISECOND,
        end,
        status: 200,
        bytes_out,
        bytes_in,
        body_bytes_in,
        phases,
        failure: None,
        span: None,
    }
}

fn done(recorder: &mut Recorder, sample: &Sample) {
    recorder.task_started(sample.row);
    recorder.record(sample);
    recorder.record_start_delay(sample.start - sample.intended);
    recorder.task_ended(sample.row, if sample.failure.is_some() { TaskEnd::Failed } else { TaskEnd::Passed });
}

fn health(cpu: u64) -> IntervalHealth {
    let second = 1_000 * MILLISECOND;
    let (guest, guest_calls) = (vec![5_000, 200], vec![10, 1]);
    IntervalHealth { cpu, wall: second, loop_lag_max: MILLISECOND, guest, guest_calls, ..IntervalHealth::default() }
}

fn handed_over(worker: usize, second: u32, interval: Box<Interval>) -> WorkerInterval {
    WorkerInterval { worker, second, interval }
}

/// Returns the report of the run in the first specification: 12 012 requests in 120 s.
pub(crate) fn movies() -> Report {
    let mut aggregate = Aggregate::new(rows(&[("Catalog", "http"), ("StreamInit", "http")]), 2);
    for worker in 0..2 {
        let mut recorder = Recorder::new(2, Vec::new());
        recorder.set_users_active(250);
        for n in 0..4_500 {
            done(&mut recorder, &sample(0, if n % 100 < 2 { 180 } else { 10 + n % 50 }, 0));
        }
        for n in 0..1_500 {
            done(&mut recorder, &Sample { status: 201, ..sample(1, 60 + n % 90, 0) });
        }
        for n in 0..6 {
            let kind = if n == 0 { FailureKind::Network } else { FailureKind::Status };
            let status = if n == 0 { 0 } else { 503 };
            done(&mut recorder, &Sample { status, failure: Some(kind), ..sample(1, 390, 0) });
            recorder.record_example(1, FailureKind::Status, || "expected status `201`, got `503`".into());
        }
        let mut interval = recorder.take(None);
        interval.health = health(400 * MILLISECOND);
        aggregate.add(&handed_over(worker, 3, interval));
    }
    let mut recorder = Recorder::new(2, Vec::new());
    recorder.task_started(0);
    aggregate.add(&handed_over(0, 4, recorder.take(None)));
    Report::build(settings(), &aggregate, &outcome(), &[])
}

/// Returns the report of [`wide`] with other percentiles than the usual ones.
pub(crate) fn with_percentiles(percentiles: &[f64]) -> Report {
    wide_report(RunSettings { percentiles: percentiles.to_vec(), ..settings() })
}

/// Returns the report of a run that ended before it sent anything.
pub(crate) fn nothing() -> Report {
    let aggregate = Aggregate::new(rows(&[("Catalog", "http")]), 1);
    let settings = RunSettings { base_url: None, ..settings() };
    let outcome = RunSummary {
        elapsed: 180 * MILLISECOND,
        end_reason: EndReason::Interrupted,
        verdict: RunVerdict::Interrupted,
        ..outcome()
    };
    Report::build(settings, &aggregate, &outcome, &[])
}

/// Returns a report with names wider than their column, one of them in wide characters, all kinds of failure, and a
/// generator that was late and busy.
pub(crate) fn wide() -> Report {
    wide_report(settings())
}

fn wide_report(settings: RunSettings) -> Report {
    let names =
        [("login", "login"), ("映画一覧", "http"), ("Start the stream of a movie\nat once", "http"), ("Unused", "x")];
    let metrics = [
        ("bytes", MetricKind::Counter, MetricUnit::Bytes),
        ("depth", MetricKind::Gauge, MetricUnit::Number),
        ("matched", MetricKind::Rate, MetricUnit::Number),
        ("trip", MetricKind::Trend, MetricUnit::Nanoseconds),
        ("unused", MetricKind::Counter, MetricUnit::Number),
        ("is found", MetricKind::Rate, MetricUnit::Number),
        ("is quick", MetricKind::Rate, MetricUnit::Number),
    ]
    .map(|(name, kind, unit)| MetricInfo { plugin: "login".into(), name: name.into(), kind, unit, row: None });
    let check = |row, metric: u16| CheckInfo { row, name: metrics[usize::from(metric)].name.clone(), metric };
    let mut infos = rows(&names);
    infos[1].tags = vec![("area".into(), "start".into())];
    let mut aggregate =
        Aggregate::new(infos, 1).with_metrics(metrics.to_vec()).with_checks(vec![check(1, 5), check(3, 6)]);
    let mut recorder = Recorder::new(names.len(), metrics.iter().map(|metric| metric.kind).collect());
    for (metric, values) in [
        (0, &[1024.0, 2048.0][..]),
        (1, &[5.0, -2.0]),
        (2, &[1.0, 0.0, 1.0, 0.0]),
        (3, &[1e6, 2e6]),
        (5, &[1.0, 1.0, 0.0]),
    ] {
        values.iter().for_each(|value| recorder.add_to_metric(metric, *value));
    }
    done(&mut recorder, &sample(0, 12_300, 25));
    for n in 0..1_240 {
        done(&mut recorder, &Sample { end: 25 * MILLISECOND + 850_000 + n * 700, ..sample(1, 0, 25) });
    }
    for kind in FailureKind::ALL {
        done(&mut recorder, &Sample { status: 0, failure: Some(kind), ..sample(2, 5, 25) });
        recorder.record_example(2, kind, || format!("\u{1b}[1mit was {}\n", kind.name()));
    }
    let mut interval = recorder.take(None);
    interval.health =
        IntervalHealth { guest_traps: vec![0, 1], guest_collateral: vec![0, 3], ..health(990 * MILLISECOND) };
    aggregate.add(&handed_over(0, 7_300, interval));
    let outcome = RunSummary {
        elapsed: 400 * MILLISECOND,
        end_reason: EndReason::NoUserSignedIn,
        verdict: RunVerdict::ThresholdsFailed,
        ..outcome()
    };
    Report::build(settings, &aggregate, &outcome, &verdicts())
}

/// Returns thresholds of every quantity, with every outcome.
fn verdicts() -> Vec<ThresholdVerdict> {
    let cases = [
        ("http_duration{step:映画一覧}", "p(95)<200ms", Quantity::Time, Some(26_000.0), None, false),
        ("http_failed", "rate<1%", Quantity::Share, Some(0.032), Some(12), true),
        ("bytes_in", "rate>1MB for 30s", Quantity::Bytes, Some(48_000.0), Some(34), false),
        ("http_tls", "p(95)<50ms", Quantity::Time, None, None, false),
        ("users", "max<=500", Quantity::Number, Some(500.0), None, false),
    ];
    let verdict =
        |(metric, expression, quantity, value, at, aborted): (&str, &str, Quantity, Option<f64>, Option<u32>, bool)| {
            let threshold = ThresholdRule {
                metric: metric.into(),
                expression: expression.into(),
                measure: Measure::Users,
                aggregation: Aggregation::Max,
                comparison: Comparison::Less,
                limit: 200_000.0,
                quantity,
                window: None,
                abort: None,
            };
            let (passed, value) = (at.is_none() && value.is_some(), value.map(Estimate::known));
            ThresholdVerdict { threshold, passed, value, at, aborted }
        };
    cases.map(verdict).into()
}

/// Returns the report of one action for a minute at a steady rate per second. Response times in microseconds are spread
/// evenly over the span `over`, starting at `from`; `failures` of a thousand requests fail.
pub(crate) fn steady(rate: u64, (from, over): (u64, u64), failures: u64) -> Report {
    let mut aggregate = Aggregate::new(rows(&[("Catalog", "http")]), 1);
    let mut recorder = Recorder::new(1, Vec::new());
    for n in 0..60 * rate {
        // A stride that is coprime with the span spreads the times over each second.
        let micros = from + n * 7_919 % over;
        let failure = (n * 7_907 % 1_000 < failures).then_some(FailureKind::Status);
        done(&mut recorder, &Sample { end: micros * 1_000, failure, ..sample(0, 0, 0) });
        if (n + 1) % rate == 0 {
            aggregate.add(&handed_over(0, (n / rate) as u32, recorder.take(None)));
        }
    }
    Report::build(settings(), &aggregate, &RunSummary { elapsed: 60_000 * MILLISECOND, ..outcome() }, &[])
}

/// Returns the reports of several machines, and a single report of all their samples.
pub(crate) fn split(parts: usize, seconds: u32, seed: u64) -> (Vec<Report>, Report) {
    let names = [("Catalog", "http"), ("Pay", "http")];
    let metrics = [MetricKind::Counter, MetricKind::Rate, MetricKind::Trend].map(|kind| MetricInfo {
        plugin: "http".into(),
        name: kind.name().into(),
        kind,
        unit: MetricUnit::Number,
        row: None,
    });
    let kinds = || metrics.iter().map(|metric| metric.kind).collect();
    let aggregate = || Aggregate::new(rows(&names), 1).with_metrics(metrics.to_vec());
    let (mut all, mut each) = (aggregate(), vec![aggregate(); parts]);
    let mut random = seed;
    for second in 0..seconds {
        for part in &mut each {
            let (mut one, mut same) = (Recorder::new(2, kinds()), Recorder::new(2, kinds()));
            for recorder in [&mut one, &mut same] {
                recorder.set_users_active(3);
                let mut state = random;
                for _ in 0..state % 50 {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let row = (state >> 60) as RowId % 2;
                    let failure = (state >> 58 & 3 == 0)
                        .then_some(FailureKind::ALL[(state >> 40) as usize % FailureKind::ALL.len()]);
                    done(recorder, &Sample { failure, ..sample(row, state >> 48 & 1023, 0) });
                    (0..3).for_each(|metric| recorder.add_to_metric(metric, (state >> 33 & 255) as f64));
                }
            }
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            part.add(&handed_over(0, second, one.take(None)));
            all.add(&handed_over(0, second, same.take(None)));
        }
    }
    // All parts are equally long, so the last second has users of each.
    let report = |(id, aggregate): (usize, &Aggregate)| {
        Report::build(settings(), aggregate, &RunSummary { id: id as u64, ..outcome() }, &[])
    };
    let mut whole = report((parts, &all));
    whole.run.users_signed_in *= parts as u32;
    let total = parts as u32 * 3;
    whole.series.users_active.iter_mut().for_each(|users| *users = total);
    (each.iter().enumerate().map(report).collect(), whole)
}

/// Returns the report of an action with a target of 15 ms, of whose requests every other one fails. Successful ones
/// take `ok` microseconds, failed ones `failed`, and each up to a tenth more.
pub(crate) fn two_outcomes(ok: u64, failed: u64) -> Report {
    let mut infos = rows(&[("Catalog", "http")]);
    infos[0].apdex_target = Some(15_000);
    let (mut aggregate, mut recorder) = (Aggregate::new(infos, 1), Recorder::new(1, Vec::new()));
    for n in 0..1_000 {
        let (micros, failure) = if n % 2 == 0 { (ok, None) } else { (failed, Some(FailureKind::Status)) };
        done(&mut recorder, &Sample { end: micros * (1_000 + n % 100), failure, ..sample(0, 0, 0) });
    }
    aggregate.add(&handed_over(0, 0, recorder.take(None)));
    Report::build(settings(), &aggregate, &RunSummary { elapsed: 1_000 * MILLISECOND, ..outcome() }, &[])
}
