//! Merges of a run that was split over machines: in any order, they give the report of the whole run.

use proptest::prelude::*;

use super::super::formats::json;
use super::super::test_reports;
use super::*;

fn text(report: &Report) -> String {
    let mut bytes = Vec::new();
    json::write(report, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn named(reports: &[Report]) -> Vec<NamedReport> {
    let name = |(index, report): (usize, &Report)| NamedReport { name: index.to_string(), report: report.clone() };
    reports.iter().enumerate().map(name).collect()
}

/// Returns the report as that of another run.
fn of_run(id: &str, report: &Report) -> Report {
    let mut report = report.clone();
    report.run.ids = vec![id.to_owned()];
    report
}

/// Returns the parts that do not depend on the machine: all but settings, workers, the users of scenarios and the
/// percentiles of single seconds.
fn whole(report: &Report) -> serde_json::Value {
    let mut value = serde_json::to_value(report).unwrap();
    value["settings"] = serde_json::Value::Null;
    value["run"]["ids"] = serde_json::Value::Null;
    value["generator"]["workers"] = serde_json::Value::Null;
    value["generator"]["processes"] = serde_json::Value::Null;
    for scenario in value["scenarios"].as_array_mut().unwrap() {
        scenario["users"] = serde_json::Value::Null;
    }
    // The last bit of a sum of fractions depends on their order.
    for metric in value["metrics"].as_array_mut().unwrap() {
        if let Some(mean) = metric["distribution"]["mean"].as_f64() {
            metric["distribution"]["mean"] = format!("{mean:.9}").into();
        }
    }
    for row in value["series"]["actions"].as_array_mut().unwrap() {
        row["response_p50_us"] = serde_json::Value::Null;
        row["response_p95_us"] = serde_json::Value::Null;
        for times in row["by_outcome"].as_object_mut().into_iter().flat_map(|outcomes| outcomes.values_mut()) {
            (times["response_p50_us"], times["response_p95_us"]) = Default::default();
        }
    }
    value
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_run_that_was_split_merges_to_the_whole(parts in 2_usize..5, seconds in 1_u32..30, seed: u64) {
        let (split, together) = test_reports::split(parts, seconds, seed);
        let merged = merge(named(&split)).unwrap();
        prop_assert_eq!(whole(&merged), whole(&together));
    }

    #[test]
    fn the_order_does_not_matter(seconds in 1_u32..20, seed: u64, rotated in 0_usize..3) {
        let (mut split, _) = test_reports::split(3, seconds, seed);
        let expected = text(&merge(named(&split)).unwrap());
        split.rotate_left(rotated);
        prop_assert_eq!(text(&merge(named(&split)).unwrap()), expected.clone());
        split.swap(0, 1);
        prop_assert_eq!(text(&merge(named(&split)).unwrap()), expected);
    }
}

#[test]
fn one_report_is_itself() {
    for report in [test_reports::movies(), test_reports::wide(), test_reports::nothing()] {
        assert_eq!(text(&merge(named(std::slice::from_ref(&report))).unwrap()), text(&report));
    }
}

#[test]
fn twice_the_same_is_twice_as_much_in_the_same_time() {
    let report = test_reports::wide();
    let merged = merge(named(&[report.clone(), of_run("another", &report)])).unwrap();
    assert_eq!(merged.totals.requests.total, 2 * report.totals.requests.total);
    assert_eq!(merged.run.elapsed_us, report.run.elapsed_us);
    assert_eq!(merged.settings.users, 2 * report.settings.users);
    let (one, two) = (report.totals.response_time_us.clone().unwrap(), merged.totals.response_time_us.clone().unwrap());
    assert_eq!((two.count, two.p50, two.p99, two.max), (2 * one.count, one.p50, one.p99, one.max));
    let trend = |report: &Report| report.metrics.iter().find(|metric| metric.kind == "trend").cloned().unwrap();
    let trend = trend(&merged);
    assert_eq!((trend.count, trend.distribution.unwrap().mean), (4, 1.5e6));
}

#[test]
fn a_run_is_added_once() {
    let [a, b] = ["a", "b"].map(|id| of_run(id, &test_reports::movies()));
    let sum = merge(named(&[a.clone(), b])).unwrap();
    assert_eq!(sum.run.ids, ["a", "b"]);
    let again = [("a", a), ("sum", sum)].map(|(name, report)| NamedReport { name: name.into(), report });
    let message = merge(again.into()).unwrap_err().message;
    assert!(message.contains("`a`") && message.ends_with("hold the same run"), "{message}");
}

#[test]
fn reports_of_other_scripts_are_rejected() {
    let (a, b) = (test_reports::movies(), of_run("another", &test_reports::wide()));
    let said = merge(named(&[a.clone(), b])).unwrap_err().message;
    assert!(said.contains("`Catalog` (action `http`)") && said.contains("`login` (action `login`)"), "{said}");
    let mut other = of_run("another", &a);
    other.settings.script = "checkout.yml".into();
    let said = merge(named(&[a, other])).unwrap_err().message;
    assert!(said.contains("`movies.yml`") && said.contains("`checkout.yml`"), "{said}");
}
