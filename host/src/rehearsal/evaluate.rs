//! The evaluation of a case: compares its result with the expected one.

use std::time::Duration;

use stampede_time::{Nanos, nanos};

use super::cases::{Case, Expectation, ExpectedValue};
use crate::metrics::aggregate::{Aggregate, MetricTotal};
use crate::metrics::custom_metric::{MetricKind, MetricTally, MetricUnit};
use crate::metrics::sample::{FailureKind, RowId};

/// The result of a case.
pub(crate) struct CaseResult {
    /// The differences from the expected result; none if the case passed.
    pub faults: Vec<String>,
    /// The virtual time that it took.
    pub duration: Nanos,
    /// The category of each failure, and the reason that host or plugin gave.
    pub examples: Vec<String>,
}

/// The resolution of the runtime's timers.
const MILLISECOND: Nanos = 1_000_000;

/// The relative difference up to which two values of a metric count as equal: sums of fractions are not exact.
const RELATIVE_TOLERANCE: f64 = 1e-9;

/// Evaluates a case by its counts, the faults that the target found, and its duration.
pub(super) fn evaluate(case: &Case, counted: &Aggregate, target_faults: &[String], duration: Nanos) -> CaseResult {
    let expected = &case.expectation;
    let examples = examples(counted);
    let mut faults = target_faults.to_vec();
    faults.extend(outcome_fault(expected, counted));
    faults.extend(failure_faults(expected, counted, &examples));
    if let Some(takes) = &expected.duration {
        let expected = nanos(takes.value);
        if duration.abs_diff(expected) > MILLISECOND {
            faults.push(format!("expected to take {}, took {}", format_millis(expected), format_millis(duration)));
        }
    }
    faults.extend(expected.metrics.iter().filter_map(|(name, value)| metric_fault(counted, &name.value, *value)));
    let texts = examples.into_iter().map(|(kind, text)| format!("{}: {text}", kind.name()));
    CaseResult { faults, duration, examples: texts.collect() }
}

/// Formats a duration, rounded to a millisecond.
pub(crate) fn format_millis(time: Nanos) -> String {
    let millis = (time + MILLISECOND / 2) / MILLISECOND;
    humantime::format_duration(Duration::from_millis(millis)).to_string()
}

fn outcome_fault(expected: &Expectation, counted: &Aggregate) -> Option<String> {
    let tasks = counted.total().tasks;
    let failed = tasks.started - tasks.passed;
    match (expected.expects_failure, failed) {
        (true, 0) => Some("expected to fail, passed".into()),
        (false, 1..) => Some(format!("expected to pass, {failed} of {} tasks did not", tasks.started)),
        _ => None,
    }
}

/// Returns the kinds of failure that occurred, with an example of each for each row.
pub(super) fn examples(counted: &Aggregate) -> Vec<(FailureKind, String)> {
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
    if let Some(category) = &expected.failure
        && !occurred.contains(&category.value.as_str())
    {
        let actual = if occurred.is_empty() { "none".into() } else { occurred.join(", ") };
        faults.push(format!("expected a failure of category `{}`, got {actual}", category.value));
    }
    if let Some(detail) = &expected.detail
        && !examples.iter().any(|(_, text)| text.contains(&detail.value))
    {
        faults.push(format!("no failure says `{}`", detail.value));
    }
    faults
}

fn metric_fault(counted: &Aggregate, name: &str, expected: ExpectedValue) -> Option<String> {
    let Some(metric) = counted.metrics().iter().find(|metric| metric.info.name == name) else {
        return Some(format!("the plugin defines no metric `{name}`"));
    };
    let (value, unit) = (metric_value(metric), metric.info.unit);
    let differs = |expected: String, actual: String| {
        Some(format!("expected the metric `{name}` to be {expected}, it is {actual}"))
    };
    match expected {
        ExpectedValue::Time(_) if unit != MetricUnit::Nanoseconds => {
            Some(format!("the metric `{name}` is in {}, not a time", in_unit(unit)))
        }
        ExpectedValue::Bytes(_) if unit != MetricUnit::Bytes => {
            Some(format!("the metric `{name}` is in {}, not a size", in_unit(unit)))
        }
        ExpectedValue::Time(time) if (value - nanos(time) as f64).abs() <= MILLISECOND as f64 => None,
        ExpectedValue::Time(time) => differs(exact_time(nanos(time)), exact_time(value.max(0.0).round() as Nanos)),
        ExpectedValue::Bytes(bytes) if is_same(value, bytes as f64) => None,
        ExpectedValue::Bytes(bytes) => differs(format!("{bytes} bytes"), format!("{value} bytes")),
        ExpectedValue::Number(number) if is_same(value, number) => None,
        ExpectedValue::Number(number) => differs(number.to_string(), value.to_string()),
    }
}

/// Formats a time with all its digits.
fn exact_time(time: Nanos) -> String {
    humantime::format_duration(Duration::from_nanos(time)).to_string()
}

const fn in_unit(unit: MetricUnit) -> &'static str {
    match unit {
        MetricUnit::Number => "plain numbers",
        MetricUnit::Nanoseconds => "nanoseconds",
        MetricUnit::Bytes => "bytes",
    }
}

fn is_same(value: f64, expected: f64) -> bool {
    (value - expected).abs() <= RELATIVE_TOLERANCE * expected.abs().max(1.0)
}

/// Returns a metric as one number.
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
