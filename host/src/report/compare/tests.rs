//! Comparisons of synthetic runs with known differences.

use proptest::prelude::*;

use super::super::test_reports;
use super::*;

/// Returns the change of one number of the only action.
fn of(comparison: &ReportComparison, what: ComparedMetric) -> &MetricChange {
    comparison.actions[0].changes.iter().find(|change| change.metric == what).unwrap()
}

fn judged(base: &Report, new: &Report) -> [ChangeVerdict; 5] {
    let comparison = compare(base, new, OutcomeFilter::All, 0.05).unwrap();
    [ComparedMetric::Rps, ComparedMetric::Errors, ComparedMetric::P50, ComparedMetric::P95, ComparedMetric::P99]
        .map(|what| of(&comparison, what).verdict)
}

use ChangeVerdict::{Better, Inconclusive, TooFewSamples, WithinTolerance, Worse};

#[test]
fn changed_values_are_distinguished_from_unchanged_ones() {
    // Requests per second, least response time and span in microseconds, failures per thousand.
    let base = test_reports::steady(100, (20_000, 10_000), 0);
    let cases = [
        (
            "nothing",
            test_reports::steady(100, (20_000, 10_000), 0),
            [WithinTolerance, WithinTolerance, WithinTolerance, WithinTolerance, WithinTolerance],
        ),
        (
            "all a tenth slower",
            test_reports::steady(100, (22_000, 11_000), 0),
            [WithinTolerance, WithinTolerance, Worse, Worse, Worse],
        ),
        (
            "all a tenth faster",
            test_reports::steady(100, (18_000, 9_000), 0),
            [WithinTolerance, WithinTolerance, Better, Better, Better],
        ),
        (
            "a fifth of the load gone",
            test_reports::steady(80, (20_000, 10_000), 0),
            [Worse, WithinTolerance, WithinTolerance, WithinTolerance, WithinTolerance],
        ),
        (
            "one in thirty fails",
            test_reports::steady(100, (20_000, 10_000), 35),
            [WithinTolerance, Worse, WithinTolerance, WithinTolerance, WithinTolerance],
        ),
    ];
    for (case, new, expected) in cases {
        assert_eq!(judged(&base, &new), expected, "{case}");
        assert_eq!(
            compare(&base, &new, OutcomeFilter::All, 0.05).unwrap().is_worse(),
            expected.contains(&Worse),
            "{case}"
        );
    }
}

#[test]
fn too_few_samples_are_reported_as_too_few() {
    let few = test_reports::nothing();
    assert_eq!(judged(&few, &few), [TooFewSamples; 5]);
    assert!(!compare(&few, &few, OutcomeFilter::All, 0.0).unwrap().is_worse());
}

#[test]
fn a_change_at_the_tolerance_is_unclear() {
    let (base, new) = (test_reports::steady(20, (20_000, 20_000), 0), test_reports::steady(20, (21_000, 21_000), 0));
    assert_eq!(of(&compare(&base, &new, OutcomeFilter::All, 0.05).unwrap(), ComparedMetric::P50).verdict, Inconclusive);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_run_is_never_worse_than_itself(rate in 1_u64..60, from in 1_u64..50_000, over in 1_u64..50_000) {
        let run = test_reports::steady(rate, (from, over), 3);
        let comparison = compare(&run, &run, OutcomeFilter::All, 0.0).unwrap();
        prop_assert!(!comparison.is_worse());
        for action in &comparison.actions {
            for MetricChange { interval, .. } in &action.changes {
                prop_assert!(interval.is_none_or(|interval| interval.low <= 0.0 && interval.high >= 0.0));
            }
        }
    }
}

#[test]
fn times_of_failures_are_compared_by_themselves() {
    // Only requests that succeed have become slower: those that fail are as many and as slow as before.
    let (base, new) = (test_reports::two_outcomes(10_000, 40_000), test_reports::two_outcomes(20_000, 40_000));
    let verdict = |outcome| of(&compare(&base, &new, outcome, 0.05).expect("comparable"), ComparedMetric::P50).verdict;
    assert_eq!([OutcomeFilter::Ok, OutcomeFilter::Failed].map(verdict), [Worse, WithinTolerance]);
    let mut old = base.clone();
    old.actions[0].by_outcome = None;
    assert!(compare(&old, &new, OutcomeFilter::Ok, 0.05).is_err_and(|error| error.contains("an earlier version")));
    assert!(compare(&old, &new, OutcomeFilter::All, 0.05).is_ok());
}
