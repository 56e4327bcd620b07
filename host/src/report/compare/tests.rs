//! Made-up runs, of which it is known by how much they differ.

use proptest::prelude::*;

use super::super::samples;
use super::*;

/// What is said of one number of the only action.
fn of(comparison: &Comparison, what: What) -> &Change {
    comparison.actions[0].1.iter().find(|change| change.what == what).unwrap()
}

fn judged(base: &Report, new: &Report) -> [Judgement; 5] {
    let comparison = compare(base, new, 0.05).unwrap();
    [What::Rps, What::Errors, What::P50, What::P95, What::P99].map(|what| of(&comparison, what).judgement)
}

use Judgement::{Better, Same, Unclear, Unknown, Worse};

#[test]
fn what_changed_is_told_from_what_did_not() {
    // Requests a second, response times in microseconds from and over, failures of a thousand.
    let base = samples::steady(100, (20_000, 10_000), 0);
    let cases = [
        ("nothing", samples::steady(100, (20_000, 10_000), 0), [Same, Same, Same, Same, Same]),
        ("all a tenth slower", samples::steady(100, (22_000, 11_000), 0), [Same, Same, Worse, Worse, Worse]),
        ("all a tenth faster", samples::steady(100, (18_000, 9_000), 0), [Same, Same, Better, Better, Better]),
        ("a fifth of the load gone", samples::steady(80, (20_000, 10_000), 0), [Worse, Same, Same, Same, Same]),
        ("one in thirty fails", samples::steady(100, (20_000, 10_000), 35), [Same, Worse, Same, Same, Same]),
    ];
    for (case, new, expected) in cases {
        assert_eq!(judged(&base, &new), expected, "{case}");
        assert_eq!(compare(&base, &new, 0.05).unwrap().is_worse(), expected.contains(&Worse), "{case}");
    }
}

#[test]
fn too_little_is_said_to_be_too_little() {
    let few = samples::nothing();
    assert_eq!(judged(&few, &few), [Unknown; 5]);
    assert!(!compare(&few, &few, 0.0).unwrap().is_worse());
}

#[test]
fn a_change_at_the_tolerance_is_unclear() {
    let (base, new) = (samples::steady(20, (20_000, 20_000), 0), samples::steady(20, (21_000, 21_000), 0));
    assert_eq!(of(&compare(&base, &new, 0.05).unwrap(), What::P50).judgement, Unclear);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_run_is_never_worse_than_itself(rate in 1_u64..60, from in 1_u64..50_000, over in 1_u64..50_000) {
        let run = samples::steady(rate, (from, over), 3);
        let comparison = compare(&run, &run, 0.0).unwrap();
        prop_assert!(!comparison.is_worse());
        for (_, changes) in &comparison.actions {
            for Change { interval, .. } in changes {
                prop_assert!(interval.is_none_or(|(low, high)| low <= 0.0 && high >= 0.0));
            }
        }
    }
}
