//! Checks and thresholds, as numbers of the report and as lines of the table.

use bytesize::ByteSize;
use unicode_width::UnicodeWidthStr;

use super::format::{grouped, grouped_decimal, latency, percent};
use super::model::{CheckReport, Report, ThresholdReport};
use crate::metrics::aggregate::Aggregate;
use crate::metrics::threshold::ThresholdVerdict;
use crate::script::threshold_syntax::Quantity;
use crate::text::one_line;

/// Returns the checks with their counts.
pub(super) fn checks(aggregate: &Aggregate) -> Vec<CheckReport> {
    let counted = aggregate.checks().iter().map(|info| {
        let tally = &aggregate.metrics()[usize::from(info.metric)].tally;
        CheckReport {
            step: aggregate.row_infos()[usize::from(info.row)].name.clone(),
            name: info.name.clone(),
            passed: tally.hits,
            failed: tally.count - tally.hits,
            share: (tally.count > 0).then(|| tally.hits as f64 / tally.count as f64),
        }
    });
    counted.collect()
}

/// Returns the report's entry of a threshold.
pub(super) fn threshold(verdict: &ThresholdVerdict) -> ThresholdReport {
    let threshold = &verdict.threshold;
    ThresholdReport {
        metric: threshold.metric.clone(),
        expression: threshold.expression.clone(),
        passed: verdict.passed,
        value: verdict.value.map(|number| number.value),
        at_least: verdict.value.is_some_and(|number| number.is_lower_bound),
        limit: threshold.limit,
        unit: threshold.quantity.name().into(),
        at_s: verdict.at,
        aborted: verdict.aborted,
    }
}

/// Renders a line for each check; empty if there are none.
pub(super) fn check_lines(report: &Report) -> String {
    let cells = report.checks.iter().map(|check| {
        let total = check.passed + check.failed;
        let rate = match total {
            0 => "never asked".into(),
            _ => format!("{} ({} of {})", percent(check.passed, total), grouped(check.passed), grouped(total)),
        };
        [one_line(&check.step), one_line(&check.name), rate]
    });
    titled_table("Checks, with the share of replies that passed:", cells.collect())
}

/// Renders a line for each threshold; empty if there are none.
pub(super) fn threshold_lines(report: &Report) -> String {
    let cells = report.thresholds.iter().map(|threshold| {
        let verdict = if threshold.passed { "passed" } else { "FAILED" };
        [verdict.into(), one_line(&threshold.metric), one_line(&threshold.expression), deciding_value(threshold)]
    });
    titled_table("Thresholds:", cells.collect())
}

/// Renders the value that decided the verdict, and its time: `512 ms, at 34 s`.
pub(super) fn deciding_value(threshold: &ThresholdReport) -> String {
    let Some(value) = threshold.value else { return "no values".into() };
    let sign = if threshold.at_least { "≥ " } else { "" };
    let shown = format!("{sign}{}", format_value(&threshold.unit, value));
    match threshold.at_s {
        Some(second) if threshold.aborted => format!("{shown}, aborted the run after {second} s"),
        Some(second) => format!("{shown}, at {second} s"),
        None => shown,
    }
}

/// Formats a value of a threshold in its unit.
pub(super) fn format_value(unit: &str, value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    let size = value.abs();
    let shown = match unit {
        _ if unit == Quantity::Time.name() => latency(size, " "),
        _ if unit == Quantity::Share.name() => percent((size * 1e9).round() as u64, 1_000_000_000),
        _ if unit == Quantity::Bytes.name() => ByteSize(size.round() as u64).to_string(),
        _ if unit == Quantity::Score.name() => format!("{size:.3}"),
        _ => grouped_decimal(size),
    };
    format!("{sign}{shown}")
}

/// Renders columns of text under a title; the last column is not padded.
fn titled_table<const N: usize>(title: &str, lines: Vec<[String; N]>) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let width = |column: usize| lines.iter().map(|cells| cells[column].width()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(|column| if column + 1 == N { 0 } else { width(column) });
    let line = |cells: &[String; N]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| {
            let space = " ".repeat(width.saturating_sub(cell.width()));
            format!("  {cell}{space}")
        });
        format!("{}\n", padded.collect::<String>())
    };
    format!("{title}\n{}", lines.iter().map(line).collect::<String>())
}
