//! The metrics of runs that were not measured: their text, and the dashboard that shows them.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::*;
use crate::metrics::aggregate::RowInfo;
use crate::metrics::threshold::{Measure, RowMeasure, ThresholdRule};
use crate::report::test_reports;
use crate::script::threshold_syntax::{Aggregation, Comparison, Quantity};
use crate::sinks::metric_families::{FamilyKind, families};

/// The dashboard that ships with the program.
const DASHBOARD: &str = include_str!("../../../../docs/grafana/stampede-shooter.json");

fn run_info(steps: &[&str]) -> RunInfo {
    let row = |name: &&str| RowInfo {
        scenario: None,
        name: (*name).into(),
        action: "http".into(),
        tags: Vec::new(),
        apdex_target: None,
        part: None,
    };
    RunInfo {
        id: 0x5eed,
        started_at: Duration::from_secs(1_790_000_000),
        settings: test_reports::nothing().settings,
        rows: steps.iter().map(row).collect(),
        metrics: Vec::new(),
        checks: Vec::new(),
        thresholds: vec![few_failures()],
    }
}

/// Returns the threshold `http_failed: rate<1%` on the first row.
fn few_failures() -> ThresholdRule {
    ThresholdRule {
        metric: "http_failed".into(),
        expression: "rate<1%".into(),
        measure: Measure::Rows(RowMeasure::Failed, vec![0]),
        aggregation: Aggregation::Rate,
        comparison: Comparison::Less,
        limit: 0.01,
        quantity: Quantity::Share,
        window: None,
        abort: None,
    }
}

/// Returns the sums of the run in the first specification.
fn movies(steps: &[&str]) -> Arc<Mutex<RunSums>> {
    let mut sums = RunSums::new(&run_info(steps));
    sums.finish(&test_reports::movies());
    Arc::new(Mutex::new(sums))
}

fn written(form: Exposition, sums: &Arc<Mutex<RunSums>>) -> String {
    String::from_utf8(form.write(sums).to_vec()).expect("a text")
}

/// Returns the values of a text by name and labels.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let sample = lines.map(|line| {
        let (name, value) = line.rsplit_once(' ').expect("a value");
        (name.to_owned(), value.parse().expect("a number"))
    });
    sample.collect()
}

#[test]
fn the_text_has_the_counts_of_the_report() {
    let text = written(Exposition::OpenMetrics, &movies(&["Catalog", "StreamInit"]));
    let samples = samples(&text);
    let run = "run=\"0000000000005eed\"";
    let catalog = format!("{run},step=\"Catalog\",action=\"http\"");
    for (name, value) in [
        (format!("stampede_requests_total{{{catalog},outcome=\"ok\"}}"), 9_000.0),
        (format!("stampede_requests_total{{{run},step=\"StreamInit\",action=\"http\",outcome=\"error\"}}"), 12.0),
        (format!("stampede_errors_total{{{run},step=\"StreamInit\",action=\"http\",category=\"status\"}}"), 10.0),
        (format!("stampede_responses_total{{{catalog},code=\"200\"}}"), 9_000.0),
        (format!("stampede_request_duration_seconds_count{{{catalog}}}"), 9_000.0),
        (format!("stampede_request_duration_seconds_bucket{{le=\"+Inf\",{catalog}}}"), 9_000.0),
        (format!("stampede_received_bytes_total{{{catalog}}}"), 9_000.0 * 48_200.0),
        (format!("stampede_run_ended{{{run}}}"), 1.0),
    ] {
        let name = name.replace(&format!("{{le=\"+Inf\",{run}"), &format!("{{{run},le=\"+Inf\""));
        assert_eq!(samples.get(&name), Some(&value), "{name}\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn the_older_text_declares_counters_by_their_full_names_and_has_the_same_values() {
    let sums = movies(&["Catalog", "StreamInit"]);
    let (older, newer) = (written(Exposition::Text, &sums), written(Exposition::OpenMetrics, &sums));
    assert_eq!(samples(&older), samples(&newer));
    assert!(older.contains("# TYPE stampede_requests_total counter\n"), "{older}");
    assert!(older.contains("# HELP stampede_received_bytes_total Bytes of replies, above TLS.\n"), "{older}");
    assert!(!older.contains("# UNIT") && !older.contains("# EOF"), "{older}");
}

#[test]
fn hostile_names_of_steps_stay_inside_their_quotes() {
    let text = written(Exposition::Text, &movies(&["a\"} 1\nstampede_evil 1", "back\\slash"]));
    assert!(text.contains(r#"step="a\"} 1 stampede_evil 1",action"#), "{text}");
    assert!(text.contains(r#"step="back\\slash",action"#), "{text}");
    assert!(text.lines().all(|line| line.starts_with("# ") || line.starts_with("stampede_") && line.contains('{')));
}

#[test]
fn the_client_chooses_the_form() {
    use Exposition::{OpenMetrics, Protobuf, Text};
    for (accept, form) in [
        ("", Text),
        ("*/*", Text),
        ("text/html,application/xhtml+xml,*/*;q=0.8", Text),
        ("application/openmetrics-text", OpenMetrics),
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            OpenMetrics,
        ),
        ("text/plain;version=0.0.4, application/openmetrics-text;q=0.2", Text),
        ("application/openmetrics-text;q=0", Text),
        ("application/vnd.google.protobuf;proto=other.Message, image/png", Text),
        (
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,\
             application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            Protobuf,
        ),
    ] {
        assert_eq!(Exposition::negotiate(accept), form, "{accept}");
    }
}

/// Returns the names that a query can ask for, each with the labels of its points.
fn queryable(sums: &RunSums) -> BTreeMap<String, BTreeSet<String>> {
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for family in families(sums) {
        let name = family.full_name();
        let suffixes: &[&str] = match family.kind {
            FamilyKind::Counter | FamilyKind::Gauge => &[""],
            FamilyKind::Histogram => &["_bucket", "_sum", "_count"],
        };
        let own = family.points.iter().flat_map(|point| point.labels.iter().map(|(name, _)| (*name).to_owned()));
        let labels: BTreeSet<_> = own.chain(["run".into(), "scenario".into(), "le".into()]).collect();
        suffixes.iter().for_each(|suffix| names.entry(format!("{name}{suffix}")).or_default().extend(labels.clone()));
    }
    names
}

#[test]
fn the_dashboard_asks_for_nothing_that_does_not_exist() {
    let mut sums = RunSums::new(&RunInfo {
        checks: vec![crate::metrics::aggregate::CheckInfo { row: 0, name: "movies".into(), metric: 0 }],
        ..run_info(&["Catalog", "StreamInit"])
    });
    sums.finish(&test_reports::movies());
    sums.thresholds[0].passed = Some(true);
    let known = queryable(&sums);
    let board: serde_json::Value = serde_json::from_str(DASHBOARD).expect("JSON");
    let targets = board["panels"].as_array().expect("panels").iter().flat_map(|panel| panel["targets"].as_array());
    let (name, label) = (Regex::new(r"stampede_\w+").unwrap(), Regex::new(r"(\w+)\s*(?:=~|!~|!=|=)").unwrap());
    let (selector, by) = (Regex::new(r"(stampede_\w+)\{([^}]*)\}").unwrap(), Regex::new(r"by \(([^)]*)\)").unwrap());
    let mut asked = BTreeSet::new();
    for expression in targets.flatten().map(|target| target["expr"].as_str().expect("an expression")) {
        for found in name.find_iter(expression) {
            assert!(known.contains_key(found.as_str()), "{} in {expression}", found.as_str());
            asked.insert(found.as_str());
        }
        for found in selector.captures_iter(expression) {
            let labels = label.captures_iter(&found[2]).map(|label| label[1].to_owned());
            let grouped =
                by.captures_iter(expression).flat_map(|by| by[1].split(", ").map(str::to_owned).collect::<Vec<_>>());
            for label in labels.chain(grouped) {
                assert!(known[&found[1]].contains(&label), "`{label}` of {} in {expression}", &found[1]);
            }
        }
    }
    assert!(asked.len() >= 15, "{asked:?}");
}
