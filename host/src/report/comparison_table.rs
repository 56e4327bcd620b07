//! The table that shows a comparison to people.

use unicode_width::UnicodeWidthStr;

use super::compare::{ChangeInterval, ChangeVerdict, ComparedMetric, MetricChange, ReportComparison};
use super::format::{latency, short};
use crate::script::outcome::OutcomeFilter;
use crate::text::one_line;

/// The number of columns.
pub(crate) const COLUMNS: usize = 6;

/// The names of the columns.
const HEADER: [&str; COLUMNS] = ["Action", "", "base", "new", "change (99 %)", ""];

/// Renders the whole text, ending with a line feed.
pub(crate) fn render(comparison: &ReportComparison, base: &str, tolerance: f64) -> String {
    let mut lines = vec![HEADER.map(str::to_owned)];
    lines.extend(rows(comparison));
    let widths: [usize; COLUMNS] =
        std::array::from_fn(|column| lines.iter().map(|cells| cells[column].width()).max().unwrap_or(0));
    let text: String = lines.iter().map(|cells| line(cells, &widths)).collect();
    text + &summary(comparison, base, tolerance) + "\n"
}

/// Returns the cells of all rows: a row for each number of each action, whose name stands in the first.
pub(crate) fn rows(comparison: &ReportComparison) -> impl Iterator<Item = [String; COLUMNS]> {
    comparison.actions.iter().flat_map(|action| {
        action.changes.iter().enumerate().map(|(index, change)| {
            let name = if index == 0 { one_line(&action.name) } else { String::new() };
            cells(name, change, comparison.outcome)
        })
    })
}

/// Says how many numbers are worse.
pub(crate) fn summary(comparison: &ReportComparison, base: &str, tolerance: f64) -> String {
    let worse: usize = comparison.actions.iter().map(|action| worse_count(&action.changes)).sum();
    let tolerance = percent(tolerance);
    match worse {
        0 => format!("Nothing is worse than in `{base}` by more than {tolerance}."),
        1 => format!("1 number is worse than in `{base}` by more than {tolerance}."),
        more => format!("{more} numbers are worse than in `{base}` by more than {tolerance}."),
    }
}

fn worse_count(changes: &[MetricChange]) -> usize {
    changes.iter().filter(|change| change.verdict == ChangeVerdict::Worse).count()
}

fn cells(name: String, change: &MetricChange, outcome: OutcomeFilter) -> [String; COLUMNS] {
    let of = outcome.prefix(" ");
    let what = match change.metric {
        ComparedMetric::Rps => "rps",
        ComparedMetric::Errors => "errors",
        ComparedMetric::P50 => &format!("{of}p50"),
        ComparedMetric::P95 => &format!("{of}p95"),
        ComparedMetric::P99 => &format!("{of}p99"),
    };
    let show = |value: Option<f64>| match (value, change.metric) {
        (None, _) => "-".to_owned(),
        (Some(value), ComparedMetric::Rps) => short(value),
        (Some(value), ComparedMetric::Errors) => percent(value),
        (Some(value), _) => latency(value, " "),
    };
    let unit = if change.metric == ComparedMetric::Errors { " points" } else { "" };
    let interval = change
        .interval
        .map_or("-".to_owned(), |ChangeInterval { low, high }| format!("{} to {}{unit}", signed(low), signed(high)));
    let judgement = match change.verdict {
        ChangeVerdict::WithinTolerance => "same",
        ChangeVerdict::Better => "better",
        ChangeVerdict::Worse => "WORSE",
        ChangeVerdict::Inconclusive => "unclear",
        ChangeVerdict::TooFewSamples => "too little to tell",
    };
    [name, what.to_owned(), show(change.base), show(change.new), interval, judgement.to_owned()]
}

fn percent(share: f64) -> String {
    format!("{} %", trimmed(share * 100.0))
}

fn signed(share: f64) -> String {
    let sign = if share > 0.0 { "+" } else { "" };
    format!("{sign}{} %", trimmed(share * 100.0))
}

/// Formats a number with at most two decimals, and never as minus zero.
fn trimmed(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0 + 0.0;
    format!("{rounded}")
}

fn line(cells: &[String; COLUMNS], widths: &[usize; COLUMNS]) -> String {
    let padded = cells.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
        let space = " ".repeat(width - cell.width());
        if (2..4).contains(&column) { format!("{space}{cell}") } else { format!("{cell}{space}") }
    });
    let line = padded.collect::<Vec<_>>().join("  ");
    format!("{}\n", line.trim_end())
}

#[cfg(test)]
mod tests {
    use super::super::{compare, test_reports};
    use super::*;

    #[test]
    fn a_table_of_changes() {
        let (base, new) =
            (test_reports::steady(100, (20_000, 10_000), 5), test_reports::steady(100, (22_000, 11_000), 5));
        let text = render(&compare::compare(&base, &new, OutcomeFilter::All, 0.05).unwrap(), "base.json", 0.05);
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/golden/changes.txt");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &text).expect("golden file is writable");
        }
        assert_eq!(text, std::fs::read_to_string(&path).unwrap_or_default());
    }
}
