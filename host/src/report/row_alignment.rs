//! Makes two reports of one script have the same rows. A row below a step is left out of a report without requests in
//! it, so each of them may have rows that the other has not.

use super::model::{Report, RowReport, RowSeries, TimeSeries};
use super::times::PercentileSeries;

/// Adds the rows below steps that only one of the reports has to the other, without counts. Other rows stay as they
/// are.
pub(crate) fn align(a: &mut Report, b: &mut Report) {
    for at in 0.. {
        match (a.actions.get(at), b.actions.get(at)) {
            (None, None) => return,
            (Some(row), Some(other)) if is_same(row, other) => {}
            (Some(row), other) if row.step.is_some() && !other.is_some_and(|other| comes_later(b, at, row, other)) => {
                insert(b, at, &row.without_counts());
            }
            (_, Some(row)) if row.step.is_some() => insert(a, at, &row.without_counts()),
            _ => {}
        }
    }
}

fn is_same(row: &RowReport, other: &RowReport) -> bool {
    (&row.scenario, &row.name, &row.step) == (&other.scenario, &other.name, &other.step)
}

/// Returns `true` if a row comes after `next`, the row at this place of a report, below the same step.
fn comes_later(report: &Report, at: usize, row: &RowReport, next: &RowReport) -> bool {
    let below = report.actions[at..].iter().take_while(|other| other.step.is_some());
    next.step.is_some() && below.skip(1).any(|other| is_same(row, other))
}

fn insert(report: &mut Report, at: usize, row: &RowReport) {
    let series = silent_series(row, &report.series);
    let place = at.min(report.series.actions.len());
    report.series.actions.insert(place, series);
    report.actions.insert(at, row.clone());
}

/// Returns the series of a row without exchanges.
fn silent_series(row: &RowReport, series: &TimeSeries) -> RowSeries {
    let length = series.users_active.len();
    let percentiles = series.actions.first().map_or(&[][..], |row| &row.response_percentiles);
    let silent = |one: &PercentileSeries| PercentileSeries { values_us: vec![None; length], ..one.clone() };
    RowSeries {
        name: row.name.clone(),
        ok: vec![0; length],
        err: vec![0; length],
        bytes_out: vec![0; length],
        bytes_in: vec![0; length],
        response_p50_us: vec![None; length],
        response_p95_us: vec![None; length],
        response_max_us: vec![None; length],
        response_percentiles: percentiles.iter().map(silent).collect(),
        by_outcome: None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_reports;
    use super::*;

    /// Returns a report with the rows of these names; those with a `/` are below steps.
    fn report(names: &[&str]) -> Report {
        let mut report = test_reports::movies();
        let (row, series) = (report.actions[0].clone(), report.series.actions[0].clone());
        let named = |name: &&str| {
            let step = name.split_once('/').map(|(step, _)| step.to_owned());
            RowReport { name: (*name).into(), step, ..row.clone() }
        };
        report.actions = names.iter().map(named).collect();
        report.series.actions = names.iter().map(|name| RowSeries { name: (*name).into(), ..series.clone() }).collect();
        report
    }

    #[test]
    fn rows_below_steps_are_added_where_they_are_missing() {
        for (case, a, b, both) in [
            ("the same", &["A", "A/x"][..], &["A", "A/x"][..], &["A", "A/x"][..]),
            ("at the end", &["A", "A/x"], &["A"], &["A", "A/x"]),
            ("in between", &["A", "A/x", "A/z", "B"], &["A", "A/y", "A/z", "B"], &["A", "A/x", "A/y", "A/z", "B"]),
            ("before others", &["A", "A/z", "B"], &["A", "A/x", "A/y", "A/z", "B"], &["A", "A/x", "A/y", "A/z", "B"]),
            ("steps of one name", &["A", "A/x", "A"], &["A", "A", "A/x"], &["A", "A/x", "A", "A/x"]),
        ] {
            let (mut a, mut b) = (report(a), report(b));
            align(&mut a, &mut b);
            for report in [a, b] {
                let names: Vec<_> = report.actions.iter().map(|row| row.name.as_str()).collect();
                assert_eq!(names, both, "{case}");
                let of_series: Vec<_> = report.series.actions.iter().map(|row| row.name.as_str()).collect();
                assert_eq!(of_series, both, "{case}");
            }
        }
    }

    #[test]
    fn added_rows_have_no_counts() {
        let (mut a, mut b) = (report(&["A", "A/x"]), report(&["A"]));
        align(&mut a, &mut b);
        let added = &b.actions[1];
        assert_eq!((added.requests.total, &added.response_time_us, added.step.as_deref()), (0, &None, Some("A")));
        assert!(b.series.actions[1].ok.iter().all(|count| *count == 0));
        assert_eq!(b.series.actions[1].ok.len(), b.series.users_active.len());
        assert!(!added.is_shown() && a.actions[1].is_shown());
        assert_eq!(b.with_shown_rows().series.actions.len(), 1);
    }
}
