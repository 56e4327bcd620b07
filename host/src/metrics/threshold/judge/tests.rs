//! Verdicts on thresholds, from synthetic seconds of synthetic workers.

use super::super::{Measure, RowMeasure};
use super::*;
use crate::metrics::aggregate::RowInfo;
use crate::metrics::custom_metric::{MetricInfo, MetricKind, MetricUnit};
use crate::metrics::interval::WorkerInterval;
use crate::metrics::recorder::Recorder;
use crate::metrics::sample::{FailureKind, PhaseDurations, Sample};
use crate::metrics::second::SecondMerger;
use crate::script::threshold_syntax::{Quantity, parse_criterion};

const MILLISECOND: Nanos = 1_000_000;

/// Returns a threshold on all rows from an expression such as `p(95)<200ms for 30s`.
fn threshold(what: RowMeasure, expression: &str) -> ThresholdRule {
    on(Measure::Rows(what, vec![0, 1]), expression)
}

fn on(measure: Measure, expression: &str) -> ThresholdRule {
    let read = parse_criterion(expression).expect(expression);
    let limit = read.limit.value;
    ThresholdRule {
        metric: "metric".into(),
        expression: expression.into(),
        quantity: measure.quantity(read.aggregation.value).expect("a metric has this aggregation"),
        measure,
        aggregation: read.aggregation.value,
        comparison: read.comparison,
        limit: limit.number * limit.unit.map_or(1.0, |unit| unit.factor),
        window: read.window.map(|window| window.value.as_secs() as u32),
        abort: None,
    }
}

/// A run whose seconds are handed over one by one, each with requests of the given durations and failures.
struct SyntheticRun {
    aggregate: Aggregate,
    merger: SecondMerger,
    judge: Judge,
    second: u32,
}

impl SyntheticRun {
    fn new(thresholds: &[ThresholdRule], workers: usize) -> Self {
        let info = |name: &str| RowInfo {
            scenario: None,
            name: name.into(),
            action: "http".into(),
            tags: Vec::new(),
            apdex_target: None,
            part: None,
        };
        let metric = MetricInfo {
            plugin: "p".into(),
            name: "m".into(),
            kind: MetricKind::Rate,
            unit: MetricUnit::Number,
            row: None,
        };
        let aggregate = Aggregate::new(vec![info("a"), info("b")], workers).with_metrics(vec![metric]);
        let merger = SecondMerger::new(workers, 2, vec![MetricKind::Rate], true);
        Self { aggregate, merger, judge: Judge::new(thresholds), second: 0 }
    }

    fn hand_over(&mut self, worker: usize, second: u32, requests: &[(u64, Option<FailureKind>)]) {
        let mut recorder = Recorder::new(2, vec![MetricKind::Rate]);
        for (index, (millis, failure)) in requests.iter().enumerate() {
            let end = millis * MILLISECOND;
            let (row, failure, phases) = ((index % 2) as u16, *failure, PhaseDurations::default());
            let (bytes_out, bytes_in, body_bytes_in) = (10, 100, 50);
            recorder.record(&Sample {
                row,
                intended: 0,
                start: 0,
                end,
                status: 200,
                bytes_out,
                bytes_in,
                body_bytes_in,
                phases,
                failure,
                span: None,
            });
            recorder.add_to_metric(0, f64::from(u8::from(failure.is_none())));
        }
        recorder.set_users_active(5);
        let from = WorkerInterval { worker, second, interval: recorder.take(None) };
        self.aggregate.add(&from);
        self.merger.add(&from);
    }

    /// Judges the seconds that are complete by now, as a run does. Returns `true` if a threshold ends the run.
    fn judge_complete(&mut self, now: Nanos) -> bool {
        let complete: Vec<_> = std::iter::from_fn(|| self.merger.next_complete(now)).collect();
        let newest = complete.last().map(|merged| merged.second);
        let mut ends = false;
        for merged in complete {
            self.judge.add(merged.second, &merged.counts);
            let aggregate = (newest == Some(merged.second)).then_some(&self.aggregate);
            ends |= self.judge.judge(merged.second, aggregate).is_some();
        }
        ends
    }

    /// Ends the run as a real run does: adds the remaining counts, and judges nothing until all are added.
    fn finish_at(mut self, elapsed: Nanos, load_end: Nanos) -> Vec<ThresholdVerdict> {
        while let Some(merged) = self.merger.next_remaining() {
            self.judge.add(merged.second, &merged.counts);
        }
        self.judge.finish(&self.aggregate, elapsed, load_end)
    }

    /// Hands over one more second of the only worker. Returns `true` if a threshold ends the run.
    fn next(&mut self, requests: &[(u64, Option<FailureKind>)]) -> bool {
        self.hand_over(0, self.second, requests);
        self.second += 1;
        self.judge_complete(Nanos::from(self.second) * SECOND)
    }

    fn finish(self) -> ThresholdVerdict {
        let elapsed = Nanos::from(self.second) * SECOND;
        self.finish_at(elapsed, elapsed).remove(0)
    }
}

const GOOD: (u64, Option<FailureKind>) = (10, None);
const BAD: (u64, Option<FailureKind>) = (500, Some(FailureKind::Status));

#[test]
fn the_whole_run_is_judged_at_its_end() {
    for (case, what, expression, passed, value) in [
        ("the slow tenth is not in the 90th percentile", RowMeasure::Response, "p(90)<20ms", true, 10_000.0),
        ("it is in the 95th", RowMeasure::Response, "p(95)<20ms", false, 500_000.0),
        ("least", RowMeasure::Service, "min>=9ms", true, 10_000.0),
        ("greatest", RowMeasure::Service, "max<1s", true, 500_000.0),
        ("median", RowMeasure::Response, "med<=11ms", true, 10_000.0),
        ("mean", RowMeasure::Response, "avg<50ms", false, 59_000.0),
        ("share of failures", RowMeasure::Failed, "rate<5%", false, 0.1),
        ("the same by the duration", RowMeasure::Response, "rate<=0.1", true, 0.1),
        ("requests", RowMeasure::Requests, "count==20", true, 20.0),
        ("requests per second", RowMeasure::Requests, "rate>11", false, 10.0),
        ("bytes", RowMeasure::BytesIn, "count<2KB", false, 2_000.0),
        ("bytes per second", RowMeasure::BytesOut, "rate<=100B", true, 100.0),
        ("a part that did not happen", RowMeasure::Phase(2), "p(95)<1h", false, f64::NAN),
    ] {
        let mut run = SyntheticRun::new(&[threshold(what, expression)], 1);
        let second = [&[GOOD; 9][..], &[BAD]].concat();
        assert!(!run.next(&second) && !run.next(&second), "{case}");
        let verdict = run.finish();
        assert_eq!((verdict.passed, verdict.at), (passed, None), "{case}: {verdict:?}");
        match verdict.value {
            Some(found) => {
                assert!(!found.is_lower_bound, "{case}");
                assert!((found.value - value).abs() <= value / 500.0, "{case}: {found:?}");
            }
            None => assert!(value.is_nan(), "{case}"),
        }
    }
}

#[test]
fn metrics_of_plugins_users_and_checks_are_judged_too() {
    let (ids, unit) = (vec![0], MetricUnit::Number);
    for (case, measure, expression, passed, value) in [
        ("checks", Measure::Metrics { ids, kind: MetricKind::Rate, unit }, "rate>90%", true, 0.95),
        ("users", Measure::Users, "max>=5", true, 5.0),
    ] {
        let mut run = SyntheticRun::new(&[on(measure, expression)], 1);
        run.next(&[GOOD; 10]);
        run.next(&[&[GOOD; 9][..], &[BAD]].concat());
        let verdict = run.finish();
        assert_eq!((verdict.passed, verdict.value), (passed, Some(Estimate::known(value))), "{case}");
    }
}

#[test]
fn what_a_person_cut_off_is_no_failure() {
    let mut run = SyntheticRun::new(&[threshold(RowMeasure::Failed, "rate<1%")], 1);
    run.next(&[GOOD, (0, Some(FailureKind::Cancelled))]);
    assert_eq!(run.finish().value, Some(Estimate::known(0.0)));
}

/// A target that answered half of the requests within 10 ms and none of the others for half a second.
#[test]
fn a_target_that_fell_silent_satisfies_no_upper_limit_that_its_silence_concerns() {
    const SILENT: (u64, Option<FailureKind>) = (500, Some(FailureKind::Unfinished));
    for (measure, expression, passed, value, is_lower_bound) in [
        (RowMeasure::Response, "med<20ms", true, 10_000.0, false),
        (RowMeasure::Response, "p(99)<100ms", false, 500_000.0, true),
        (RowMeasure::Service, "max<1h", false, 500_000.0, true),
        (RowMeasure::Response, "p(99)>400ms", true, 500_000.0, true),
        (RowMeasure::Response, "avg<1h", false, 255_000.0, true),
        (RowMeasure::Response, "p(99)<100ms for 2s", false, 500_000.0, true),
        (RowMeasure::Failed, "rate<1%", false, 0.5, false),
        (RowMeasure::Failed, "rate<1% for 2s", false, 1.0, false),
    ] {
        let mut run = SyntheticRun::new(&[threshold(measure, expression)], 1);
        for requests in [&[GOOD; 4][..], &[GOOD; 4], &[], &[]] {
            run.next(requests);
        }
        // They are cut off two seconds after the load has ended.
        run.hand_over(0, 5, &[SILENT; 8]);
        let verdict = run.finish_at(6 * SECOND, 4 * SECOND).remove(0);
        let found = verdict.value.expect("there are values");
        assert_eq!((verdict.passed, found.is_lower_bound), (passed, is_lower_bound), "{expression}: {found:?}");
        assert!((found.value - value).abs() <= value / 500.0, "{expression}: {found:?}");
    }
}

#[test]
fn one_bad_stretch_fails_a_window_and_not_the_whole_run() {
    let thresholds = ["p(99)<100ms for 3s", "p(50)<100ms"].map(|text| threshold(RowMeasure::Response, text));
    let mut run = SyntheticRun::new(&thresholds, 1);
    for second in 0..20 {
        let requests = if second == 10 { [BAD; 4] } else { [GOOD; 4] };
        run.next(&requests);
    }
    let verdicts = run.finish_at(20 * SECOND, 20 * SECOND);
    assert_eq!((verdicts[0].passed, verdicts[0].at), (false, Some(11)), "the first window that holds the bad second");
    assert!(verdicts[1].passed);
}

#[test]
fn a_window_that_holds_shows_what_came_nearest_to_its_limit() {
    let mut run = SyntheticRun::new(&[threshold(RowMeasure::Response, "max<100ms for 2s")], 1);
    for millis in [10, 20, 60, 30, 5, 5, 5] {
        run.next(&[(millis, None)]);
    }
    let verdict = run.finish();
    assert_eq!((verdict.passed, verdict.at), (true, Some(3)));
    assert!(verdict.value.is_some_and(|number| (59_900.0..60_100.0).contains(&number.value)));
}

#[test]
fn a_run_shorter_than_a_window_is_judged_once_at_its_end() {
    let mut run = SyntheticRun::new(&[threshold(RowMeasure::Response, "max<100ms for 30s")], 1);
    run.next(&[GOOD, BAD]);
    let verdict = run.finish();
    assert_eq!((verdict.passed, verdict.at), (false, None));
}

#[test]
fn a_window_is_not_judged_before_the_run_has_lasted_so_long_nor_when_it_drains() {
    let mut run = SyntheticRun::new(&[threshold(RowMeasure::Requests, "rate>3 for 2s")], 1);
    for requests in [0, 8, 8, 8, 0, 0, 0] {
        run.next(&vec![GOOD; requests]);
        if run.second == 4 {
            break;
        }
    }
    run.hand_over(0, 4, &[]);
    run.hand_over(0, 5, &[]);
    let verdict = run.finish_at(6 * SECOND, 4 * SECOND).remove(0);
    assert_eq!((verdict.passed, verdict.value), (true, Some(Estimate::known(4.0))));
}

#[test]
fn a_threshold_aborts_when_it_does_not_hold_and_not_before_its_delay() {
    for (case, expression, delay, expected) in [
        ("at once", "rate<50%", 0, [false, true]),
        ("not yet", "rate<50%", 3, [false, false]),
        ("from a window on", "rate<50% for 2s", 0, [false, true]),
    ] {
        let mut fatal = threshold(RowMeasure::Failed, expression);
        fatal.abort = Some(delay);
        let mut run = SyntheticRun::new(&[fatal], 1);
        let seen = [run.next(&[GOOD]), run.next(&[BAD, BAD])];
        assert_eq!(seen, expected, "{case}");
        let verdict = run.finish();
        assert_eq!((verdict.passed, verdict.aborted), (false, expected[1]), "{case}");
        assert_eq!(verdict.at, expected[1].then_some(2), "{case}");
    }
}

#[test]
fn the_number_that_aborted_stays_whatever_comes_after() {
    let mut fatal = threshold(RowMeasure::Failed, "rate<10%");
    fatal.abort = Some(0);
    let mut run = SyntheticRun::new(&[fatal], 1);
    assert!(run.next(&[BAD, GOOD]));
    run.hand_over(0, 1, &[GOOD; 100]);
    let verdict = run.finish_at(2 * SECOND, SECOND).remove(0);
    assert_eq!((verdict.value, verdict.at, verdict.aborted), (Some(Estimate::known(0.5)), Some(1), true));
}

#[test]
fn a_second_waits_for_every_worker_but_not_for_one_that_is_left_behind() {
    let mut fatal = threshold(RowMeasure::Failed, "rate<50% for 1s");
    fatal.abort = Some(0);
    let mut run = SyntheticRun::new(&[fatal], 2);
    run.hand_over(0, 0, &[BAD]);
    assert!(!run.judge_complete(SECOND), "the other worker had only good replies, perhaps");
    run.hand_over(1, 0, &[GOOD, GOOD]);
    assert!(!run.judge_complete(SECOND), "a third has failed");
    run.hand_over(0, 1, &[BAD]);
    run.hand_over(0, 2, &[GOOD]);
    assert!(!run.judge_complete(3 * SECOND), "the other may come");
    run.hand_over(0, 3, &[GOOD]);
    assert!(run.judge_complete(4 * SECOND), "it has ended");
}

#[test]
fn aggregations_that_a_metric_lacks_are_known() {
    let response = Measure::Rows(RowMeasure::Response, vec![0]);
    assert_eq!(response.quantity(crate::script::threshold_syntax::Aggregation::Value), None);
    assert_eq!(response.quantity(crate::script::threshold_syntax::Aggregation::Count), Some(Quantity::Number));
}
