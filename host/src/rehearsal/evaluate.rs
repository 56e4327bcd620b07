//! What came of a case, held against what was to come of it.

use std::time::Duration;

use stampede_time::{Nanos, nanos};

use super::cases::{Case, Expectation};
use crate::metrics::aggregate::{Aggregate, MetricTotal};
use crate::metrics::custom_metric::{MetricKind, MetricTally};
use crate::metrics::sample::{FailureKind, RowId};

/// What came of a case.
pub struct CaseResult {
    /// What was not as it should have been; nothing if the case passed.
    pub faults: Vec<String>,
    /// How long it took, in virtual time.
    pub duration: Nanos,
    /// What the host and the plugin would have logged as the reason of a failure.
    pub examples: Vec<String>,
}

/// Timers of the runtime are as fine as this.
const MILLISECOND: Nanos = 1_000_000;

/// Relative difference of two values of a metric that are the same: sums of fractions are not exact.
const RELATIVE_TOLERANCE: f64 = 1e-9;

/// Judges a case by what was counted, what the target noticed, and how long it took.
pub fn evaluate(case: &Case, counted: &Aggregate, target_faults: &[String], duration: Nanos) -> CaseResult {
    let expected = &case.expectation;
    let examples = examples(counted);
    let mut faults = target_faults.to_vec();
    faults.extend(outcome_fault(expected, counted));
    faults.extend(failure_faults(expected, counted, &examples));
    if let Some(takes) = &expected.duration {
        let wanted = nanos(takes.value);
        if duration.abs_diff(wanted) > MILLISECOND {
            faults.push(format!("it was to take {}, and took {}", format_millis(wanted), format_millis(duration)));
        }
    }
    faults.extend(expected.metrics.iter().filter_map(|(name, wanted)| metric_fault(counted, &name.value, *wanted)));
    let texts = examples.into_iter().map(|(kind, text)| format!("{}: {text}", kind.name()));
    CaseResult { faults, duration, examples: texts.collect() }
}

/// A duration, to a millisecond.
pub fn format_millis(time: Nanos) -> String {
    let millis = (time + MILLISECOND / 2) / MILLISECOND;
    humantime::format_duration(Duration::from_millis(millis)).to_string()
}

fn outcome_fault(expected: &Expectation, counted: &Aggregate) -> Option<String> {
    let tasks = counted.total().tasks;
    let failed = tasks.started - tasks.passed;
    match (expected.expects_failure, failed) {
        (true, 0) => Some("it was to fail, and passed".into()),
        (false, 1..) => Some(format!("it was to pass, and {failed} of {} tasks did not", tasks.started)),
        _ => None,
    }
}

/// The kinds of failure that occurred, with what they looked like.
pub fn examples(counted: &Aggregate) -> Vec<(FailureKind, String)> {
    let rows = 0..counted.rows().len() as RowId;
    let of_row = |row| FailureKind::ALL.map(|kind| Some((kind, counted.example(row, kind)?.text().to_owned())));
    rows.flat_map(of_row).flatten().collect()
}

fn failure_faults(expected: &Expectation, counted: &Aggregate, examples: &[(FailureKind, String)]) -> Vec<String> {
    let mut faults = Vec::new();
    let occurred: Vec<_> = FailureKind::ALL
        .into_iter()
        .filter(|kind| counted.total().err[*kind as usize] > 0)
        .map(FailureKind::name)
        .collect();
    if let Some(wanted) = &expected.failure
        && !occurred.contains(&wanted.value.as_str())
    {
        let actual = if occurred.is_empty() { "none".into() } else { occurred.join(", ") };
        faults.push(format!("a failure of category `{}` was to come, and came: {actual}", wanted.value));
    }
    if let Some(wanted) = &expected.detail
        && !examples.iter().any(|(_, text)| text.contains(&wanted.value))
    {
        faults.push(format!("no failure says `{}`", wanted.value));
    }
    faults
}

fn metric_fault(counted: &Aggregate, name: &str, wanted: f64) -> Option<String> {
    let Some(metric) = counted.metrics().iter().find(|metric| metric.info.name == name) else {
        return Some(format!("the plugin defines no metric `{name}`"));
    };
    let value = metric_value(metric);
    let same = (value - wanted).abs() <= RELATIVE_TOLERANCE * wanted.abs().max(1.0);
    (!same).then(|| format!("the metric `{name}` was to be {wanted}, and is {value}"))
}

/// The one number of a metric.
fn metric_value(MetricTotal { info, tally, .. }: &MetricTotal) -> f64 {
    let MetricTally { count, sum, hits, last, .. } = tally;
    let each = |sum: f64| if *count == 0 { 0.0 } else { sum / *count as f64 };
    match info.kind {
        MetricKind::Counter => *sum,
        MetricKind::Gauge => *last,
        MetricKind::Rate => each(*hits as f64),
        MetricKind::Trend => each(*sum),
    }
}
