//! Times of successful and failed requests, told apart in every form of the report; and Apdex scores. The numbers are
//! compared with those that the histograms of the JSON report give.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use serde_json::{Value, json};
use stampede_tests::{Finished, Report, Row, Run, site};

use crate::shooter;

/// Quick successes and slow failures: one user, so that an action alternates between the two.
const SCRIPT: &str = "
data: {paths: [/bytes/100, /delay/200]}
thresholds:
  http_duration{outcome:failed}: [min>=190ms, count==10]
  http_duration{outcome:ok, step:Mixed}: [count==10, max<1h]
  http_service_time{outcome:ok}: count==50
  http_duration: count==60
  apdex: value>=0
  apdex{step:Mixed}: [value<=0.5, 'value>=0']
steps:
  - {name: Mixed, url: '{{next paths}}', expect_body: {regex: .}, apdex: 1h}
  - {name: Good, url: /bytes/1, apdex: 1ms}
  - {name: Also good, url: /bytes/1}
";

fn run(arguments: &str) -> Finished {
    let site = site();
    let run = shooter().script(SCRIPT).report().args("--users 1 --iterations 20 --base-url").arg(site.base_url());
    run.args(arguments).finish()
}

/// Returns the histogram at a JSON pointer of a row.
fn histogram(row: Row<'_>, pointer: &str) -> Histogram<u64> {
    let text = row.at(pointer).as_str().expect("a histogram");
    let bytes = STANDARD.decode(text).expect("base64");
    Deserializer::new().deserialize(&mut bytes.as_slice()).expect("a histogram")
}

/// Returns the response times of successful requests: all times without those of failures.
fn ok_times(row: Row<'_>) -> Histogram<u64> {
    let mut times = histogram(row, "/histograms/response_time");
    if row.at("/histograms/failed_response_time").is_string() {
        times.subtract(histogram(row, "/histograms/failed_response_time")).expect("a part of the times");
    }
    times
}

fn assert_numbers(stats: &Value, times: &Histogram<u64>, what: &str) {
    for (name, share) in [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)] {
        assert_eq!(stats[name], json!(times.value_at_quantile(share)), "{what} {name}");
    }
    assert_eq!((&stats["count"], &stats["max"]), (&json!(times.len()), &json!(times.max())), "{what}");
    let mean = stats["mean"].as_f64().expect("a number");
    assert!((mean - times.mean()).abs() <= 0.05 + mean / 1_000.0, "{what}: {mean}, {}", times.mean());
}

fn verdicts(report: &Report) -> BTreeMap<(String, String), (bool, Value)> {
    let all = report.at("/thresholds").as_array().expect("a list").iter();
    let text = |one: &Value, key: &str| one[key].as_str().expect("a text").to_owned();
    all.map(|one| ((text(one, "metric"), text(one, "expression")), (one["passed"] == true, one["value"].clone())))
        .collect()
}

#[test]
fn the_report_has_the_times_of_successes_and_of_failures_beside_those_of_all() {
    let report = run("").report();
    for (row, counts) in [(report.row("Mixed"), (10, 10)), (report.row("Good"), (20, 0)), (report.totals(), (50, 10))] {
        let name = row.name().to_owned();
        let times = row.at("/by_outcome");
        let count = |outcome: &str| times[outcome]["response_time_us"]["count"].as_u64().unwrap_or(0);
        assert_eq!((count("ok"), count("failed")), counts, "{name}");
        assert_eq!(row.number("/response_time_us/count"), counts.0 + counts.1, "{name}");
        assert_numbers(&times["ok"]["response_time_us"], &ok_times(row), &format!("{name} ok"));
        if counts.1 > 0 {
            let failed = histogram(row, "/histograms/failed_response_time");
            assert_numbers(&times["failed"]["response_time_us"], &failed, &format!("{name} failed"));
            assert!(failed.min() >= 190_000, "the target took its time: {}", failed.min());
            assert!(times["failed"]["service_time_us"]["p50"].as_u64().is_some_and(|p50| p50 >= 190_000), "{times}");
        } else {
            assert_eq!(times["ok"]["response_time_us"], *row.at("/response_time_us"), "{name}");
            assert_eq!(times["failed"], json!({"response_time_us": null, "service_time_us": null}), "{name}");
        }
    }
    let series = report.at("/series/actions/0/by_outcome");
    let longest = |outcome: &str| {
        let list = series[outcome]["response_max_us"].as_array().expect("a list").iter();
        list.filter_map(Value::as_u64).max().expect("some second has times")
    };
    let row = report.row("Mixed");
    assert_eq!(longest("ok"), row.number("/by_outcome/ok/response_time_us/max"));
    assert_eq!(longest("failed"), row.number("/by_outcome/failed/response_time_us/max"));
    assert_eq!(*report.at("/series/actions/1/by_outcome"), Value::Null, "nothing of it failed");
    report.assert_consistent();
}

#[test]
fn thresholds_select_requests_by_their_outcome() {
    let run = run("").exits(0);
    let report = run.report();
    let found = verdicts(&report);
    let value = |metric: &str, expression: &str| &found[&(metric.to_owned(), expression.to_owned())];
    let failed = report.totals().number("/by_outcome/failed/response_time_us/min");
    // Of a bin, thresholds take the greatest time and the report's minimum the least.
    let (holds, least) = value("http_duration{outcome:failed}", "min>=190ms");
    let least = least.as_f64().expect("a time");
    assert!(*holds && (least / failed as f64 - 1.0).abs() < 0.002, "{least} {failed}");
    let most = report.row("Mixed").number("/by_outcome/ok/response_time_us/max");
    assert_eq!(*value("http_duration{outcome:ok, step:Mixed}", "max<1h"), (true, json!(most as f64)));
    let score = report.row("Mixed").at("/apdex/score").clone();
    assert_eq!(*value("apdex{step:Mixed}", "value<=0.5"), (true, score));
    assert_eq!(*value("apdex", "value>=0"), (true, report.totals().at("/apdex/score").clone()));
    let line = run.stdout.lines().find(|line| line.contains("apdex{step:Mixed}")).expect("a line of a threshold");
    assert!(line.trim_start().starts_with("passed") && line.ends_with(" 0.500"), "{line}");
}

#[test]
fn an_apdex_score_follows_from_the_times_and_failures_frustrate() {
    let run = run("--apdex 3ms --out run.csv --out run.md");
    let report = run.report();
    for (name, target) in [("Mixed", 3_600_000_000), ("Good", 1_000), ("Also good", 3_000)] {
        let row = report.row(name);
        let times = ok_times(row);
        let upto = |limit: u64| -> u64 {
            let bins = times.iter_recorded().map(|bin| (bin.value_iterated_to(), bin.count_at_value()));
            bins.filter(|(value, _)| times.lowest_equivalent(*value) <= limit).map(|(_, count)| count).sum()
        };
        let (satisfied, tolerating) = (upto(target), upto(4 * target) - upto(target));
        let all = row.total();
        let expected = json!({
            "target_us": target,
            "satisfied": satisfied,
            "tolerating": tolerating,
            "frustrated": all - satisfied - tolerating,
            "score": (satisfied as f64 + tolerating as f64 / 2.0) / all as f64,
        });
        assert_eq!(*row.at("/apdex"), expected, "{name}");
    }
    assert_eq!(*report.row("Mixed").at("/apdex/frustrated"), json!(10));
    assert_eq!(*report.totals().at("/apdex/target_us"), Value::Null, "the targets differ");
    let titles: Vec<&str> = run.stdout.lines().next().unwrap_or_default().split_whitespace().collect();
    assert_eq!(titles, ["Action", "OK", "ERR", "p50", "p90", "p99", "apdex", "rps"]);
    let line = run.stdout.lines().find(|line| line.starts_with("Mixed")).expect("a row");
    assert!(line.contains(" 0.50 "), "{line}");
    assert!(run.read("run.md").contains("| apdex |"), "{}", run.read("run.md"));
    let table = run.read("run.csv");
    let mut lines = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let at = lines.next().expect("a header").iter().position(|title| *title == "apdex").expect("a column");
    assert_eq!(lines.next().expect("a row")[at..at + 2], ["0.5", "3600000000"]);
}

#[test]
fn one_flag_chooses_the_requests_whose_times_are_shown() {
    for outcome in ["ok", "failed"] {
        let flags = format!(
            "--latency-of {outcome} --percentiles 50,97.5 --out a.csv --out a.series.csv --out a.md --out a.hgrm"
        );
        let run = run(&flags);
        let report = run.report();
        assert_eq!(*report.at("/settings/latency_of"), json!(outcome));
        let titles: Vec<&str> = run.stdout.lines().next().unwrap_or_default().split_whitespace().collect();
        assert_eq!(titles, ["Action", "OK", "ERR", outcome, "p50", outcome, "p97.5", "apdex", "rps"]);
        assert!(run.read("a.md").contains(&format!("| {outcome} p97.5 |")), "{}", run.read("a.md"));
        let row = report.row("Mixed");
        let time = |name: &str| row.number(&format!("/by_outcome/{outcome}/response_time_us/{name}"));
        let table = run.read("a.csv");
        let mut lines = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let header = lines.next().expect("a header");
        let cells = lines.next().expect("a row");
        let cell = |title: &str| cells[header.iter().position(|known| *known == title).expect(title)];
        assert_eq!(cell(&format!("{outcome}_response_p97_5_us")), time("percentiles/1/value").to_string());
        assert_eq!(cell(&format!("{outcome}_response_max_us")), time("max").to_string());
        let series = run.read("a.series.csv");
        let mut lines = series.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let header = lines.next().expect("a header");
        assert_eq!(header[13], format!("{outcome}_response_max_us"));
        let longest = lines.filter(|cells| cells[4] == "Mixed").filter_map(|cells| cells[13].parse::<u64>().ok()).max();
        assert_eq!(longest, Some(time("max")));
        let all = report.totals().at(&format!("/by_outcome/{outcome}/response_time_us"));
        let (max, count) = (all["max"].as_f64().expect("a time") / 1e3, all["count"].as_u64().expect("a count"));
        let footer = format!("#[Max     = {max:>12.3}, Total count    = {count:>12}]");
        assert!(run.read("a.hgrm").contains(&footer), "{footer}: {}", run.read("a.hgrm"));
    }
}

/// Returns a report as a version wrote it that did not tell outcomes apart.
fn without_outcomes(report: &str) -> String {
    let mut report: Value = serde_json::from_str(report).expect("JSON");
    let remove = |value: &mut Value, key: &str| drop(value.as_object_mut().expect("an object").remove(key));
    let mut totals = report["totals"].take();
    for row in report["actions"].as_array_mut().expect("a list").iter_mut().chain([&mut totals]) {
        remove(row, "by_outcome");
        remove(&mut row["histograms"], "failed_response_time");
        remove(&mut row["histograms"], "failed_service_time");
    }
    report["totals"] = totals;
    for row in report["series"]["actions"].as_array_mut().expect("a list") {
        remove(row, "by_outcome");
    }
    remove(&mut report["settings"], "latency_of");
    report.to_string()
}

#[test]
fn merged_and_compared_reports_tell_outcomes_apart() {
    let [first, second] = ["--latency-of ok"; 2].map(|flags| run(flags).read("report.json"));
    let with = || -> Run { shooter().file("a.json", &first).file("b.json", &second) };
    let merged = with().args("merge a.json b.json --out sum.json").finish().exits(0);
    let [a, b, sum] = [first.as_str(), &second, &merged.read("sum.json")].map(Report::parse);
    let row = sum.row("Mixed");
    let mut expected = ok_times(a.row("Mixed"));
    expected.add(ok_times(b.row("Mixed"))).expect("the same bounds");
    assert_numbers(row.at("/by_outcome/ok/response_time_us"), &expected, "the sum");
    assert_eq!(row.number("/by_outcome/failed/response_time_us/count"), 20);
    assert_eq!((row.at("/apdex/satisfied"), row.at("/apdex/score")), (&json!(20), &json!(0.5)));
    assert!(merged.stdout.lines().next().is_some_and(|titles| titles.contains(" ok p50 ")), "{}", merged.stdout);
    let merged = with().args("merge a.json b.json --latency-of failed").finish().exits(0);
    assert!(merged.stdout.contains(" failed p50 "), "{}", merged.stdout);
    let compared = with().args("compare a.json b.json --latency-of failed --tolerance 1000%").finish();
    assert!(compared.stdout.contains("failed p50"), "{}", compared.stdout);
    let old = without_outcomes(&first);
    let run = with().file("old.json", &old).args("compare old.json b.json --latency-of ok").finish().exits(2);
    assert!(run.stderr.contains("a report of an earlier version does not tell"), "{}", run.stderr);
    let merged = with().file("old.json", &old).args("merge old.json b.json --out sum.json").finish().exits(0);
    let sum = Report::parse(&merged.read("sum.json"));
    assert_eq!(*sum.row("Mixed").at("/by_outcome"), Value::Null, "the earlier version did not tell them apart");
    assert_eq!(sum.row("Good").number("/by_outcome/ok/response_time_us/count"), 40);
}

#[test]
fn requests_that_were_cut_off_are_failures_of_at_least_their_time() {
    let site = site();
    let run = shooter().script("- {name: Page, url: /delay/600000, timeout: 1h}\n").report();
    let run = run.args("--users 3 --duration 1s --graceful-stop 100ms --latency-of failed --base-url");
    let run = run.arg(site.base_url()).finish();
    let row = run.report();
    let row = row.row("Page");
    assert_eq!(*row.at("/by_outcome/ok/response_time_us"), Value::Null);
    let failed = row.at("/by_outcome/failed/response_time_us");
    assert_eq!((&failed["count"], &failed["cut_off"]), (&json!(0), &json!(3)));
    assert_eq!(failed, row.at("/response_time_us"));
    let line = run.stdout.lines().find(|line| line.starts_with("Page")).expect("a row");
    assert!(line.contains('≥'), "{line}");
}
