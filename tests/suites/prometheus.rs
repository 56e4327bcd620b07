//! The metrics of a run, as a real Prometheus reads them.

use std::collections::BTreeSet;

use serde_json::Value;
use stampede_tests::{Prometheus, Report, Running, Signal, http_get, promtool_check, settled, site, wait_for};

use crate::{shooter, tests_folder};

const SCRIPT: &str = r#"
scenarios:
  browse:
    users: 5
    rps: 20
    duration: 1h
    steps:
      - {name: Catalog, url: "/api/v1/catalog?page=1", checks: {movies: {body: title}}}
      - {name: "Miss \"it\"", url: /status/404, expect_status: 200}
      - {name: Gone, url: /reset}
  arrive: {arrival_rate: 5/s, duration: 1h, max_users: 2, steps: [{name: Slow, url: /delay/20}]}
thresholds:
  http_failed: rate<1%
"#;

/// Returns the address that a run prints.
fn address(running: &Running) -> String {
    let mut address = None;
    wait_for("the run to print its address", || {
        let text = running.complained();
        let printed = text.lines().find_map(|line| line.strip_prefix("metrics for Prometheus: http://"));
        address = printed.and_then(|rest| Some(rest.strip_suffix("/metrics")?.to_owned()));
        address.is_some()
    });
    address.expect("it was printed")
}

/// Returns the expressions of the dashboard, with values for its variables.
fn dashboard() -> BTreeSet<String> {
    let file = tests_folder().join("../docs/grafana/stampede-shooter.json");
    let board: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let panels = board["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let expressions = targets.map(|target| target["expr"].as_str().unwrap());
    let filled = |text: &str| text.replace("$__rate_interval", "10s").replace("$run", ".*").replace("$scenario", ".*");
    expressions.map(filled).collect()
}

#[test]
fn a_real_prometheus_reads_a_run_and_its_last_values_equal_the_report() {
    let site = site();
    let run = shooter()
        .script(SCRIPT)
        .args("--prometheus 127.0.0.1:0 --linger 1h --workers 2 --control run.sock --base-url")
        .arg(site.base_url())
        .report()
        .spawn();
    let address = address(&run);
    let prometheus = Prometheus::start(&address);
    wait_for("Prometheus to read requests", || {
        prometheus.number("sum(stampede_requests_total{outcome=\"ok\"})").is_some_and(|requests| requests > 0.0)
    });
    let expressions = dashboard();
    assert!(expressions.len() >= 15, "{expressions:?}");
    for expression in &expressions {
        assert_eq!(prometheus.query(expression).err(), None, "{expression}");
    }
    shooter().args("control").arg(run.path("run.sock")).arg("stop").finish().exits(0);
    wait_for("Prometheus to read the last values", || prometheus.number("stampede_run_ended") == Some(1.0));
    let compared = compare(&prometheus, &Report::parse(&std::fs::read_to_string(run.path("report.json")).unwrap()));
    assert!(compared > 30, "{compared} numbers");
    let text = http_get(&address, "/metrics", "accept: text/plain\r\n").1;
    assert_eq!(promtool_check(&text), "");
    run.signal(Signal::Interrupt);
    let finished = run.finish().exits(99);
    assert!(
        finished.stderr.contains("the last values stay readable for 1h; Ctrl-C ends the wait\n"),
        "{}",
        finished.stderr
    );
    assert_eq!(finished.report().totals().total(), settled(&site.stats()).requests);
}

/// Compares every number of the report with that of Prometheus, and returns how many there are.
fn compare(prometheus: &Prometheus, report: &Report) -> usize {
    let mut compared = 0;
    let mut same = |query: String, expected: f64| {
        let got = prometheus.number(&query);
        assert!(got.is_some_and(|got| (got - expected).abs() <= expected.abs() * 2e-3), "{query}: {got:?}, {expected}");
        compared += 1;
    };
    for row in report.at("/actions").as_array().unwrap() {
        let labels = format!("step={},scenario={},run={}", row["name"], row["scenario"], report.at("/run/ids/0"));
        let count = |value: &Value| value.as_u64().unwrap() as f64;
        let mut sum = |name: &str, more: &str, expected: f64| same(format!("sum({name}{{{labels}{more}}})"), expected);
        sum("stampede_requests_total", "", count(&row["requests"]["total"]));
        sum("stampede_requests_total", ",outcome=\"ok\"", count(&row["requests"]["ok"]));
        sum("stampede_tasks_total", ",result=\"passed\"", count(&row["tasks"]["passed"]));
        sum("stampede_tasks_total", ",result=\"cancelled\"", count(&row["tasks"]["cancelled"]));
        sum("stampede_received_bytes_total", "", count(&row["bytes"]["in"]));
        sum("stampede_sent_bytes_total", "", count(&row["bytes"]["out"]));
        for (code, replies) in row["statuses"].as_object().unwrap() {
            sum("stampede_responses_total", &format!(",code=\"{code}\""), count(replies));
        }
        for error in row["errors"].as_array().unwrap() {
            sum("stampede_errors_total", &format!(",category={}", error["category"]), count(&error["count"]));
        }
        for (name, field) in [("request", "response_time_us"), ("service", "service_time_us")] {
            let times = &row[field];
            sum(&format!("stampede_{name}_duration_seconds_count"), "", count(&times["count"]));
            sum(&format!("stampede_{name}_duration_seconds_bucket"), ",le=\"+Inf\"", count(&times["count"]));
            if times["cut_off"] == 0 {
                let total = times["mean"].as_f64().unwrap() * count(&times["count"]) / 1e6;
                sum(&format!("stampede_{name}_duration_seconds_sum"), "", total);
            }
        }
    }
    for scenario in report.at("/scenarios").as_array().unwrap() {
        for result in ["completed", "cut_short", "dropped"] {
            let query = format!("stampede_iterations_total{{scenario={},result=\"{result}\"}}", scenario["name"]);
            same(query, scenario["iterations"][result].as_u64().unwrap() as f64);
        }
    }
    let check = &report.at("/checks/0");
    same("stampede_checks_total{check=\"movies\",result=\"passed\"}".into(), check["passed"].as_u64().unwrap() as f64);
    same("stampede_threshold_passed".into(), 0.0);
    compared
}

#[test]
fn native_histograms_are_read_by_a_prometheus_that_asks_for_them() {
    let site = site();
    let run = shooter()
        .script("- {name: Slow, url: /delay/30}")
        .args("--users 3 --duration 1h --prometheus 127.0.0.1:0 --linger 1h --control run.sock --base-url")
        .arg(site.base_url())
        .report()
        .spawn();
    let prometheus = Prometheus::start_native(&address(&run));
    wait_for("Prometheus to read requests", || prometheus.number("stampede_requests_total{outcome=\"ok\"}").is_some());
    shooter().args("control").arg(run.path("run.sock")).arg("stop").finish().exits(0);
    wait_for("Prometheus to read the last values", || prometheus.number("stampede_run_ended") == Some(1.0));
    let report = Report::parse(&std::fs::read_to_string(run.path("report.json")).unwrap());
    let times = report.at("/actions/0/response_time_us");
    let of_native =
        |function: &str| prometheus.number(&format!("{function} stampede_request_duration_seconds)")).unwrap();
    assert_eq!(of_native("histogram_count("), times["count"].as_f64().unwrap());
    let (median, known) = (of_native("histogram_quantile(0.5,"), times["p50"].as_f64().unwrap() / 1e6);
    assert!((median / known - 1.0).abs() < 0.1, "{median} and {known}");
    run.signal(Signal::Interrupt);
    run.finish().exits(0);
}

#[test]
fn both_text_forms_are_served_and_nothing_else() {
    let site = site();
    let run = shooter()
        .script("- {name: Page, url: /bytes/10}")
        .args("--users 2 --rps 20 --duration 1h --prometheus 0 --linger 0s --control run.sock --base-url")
        .arg(site.base_url())
        .spawn();
    let address = address(&run);
    let (head, body) =
        http_get(&address, "/metrics", "accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n");
    assert!(
        head.contains("\r\ncontent-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"),
        "{head}"
    );
    assert!(body.contains("# TYPE stampede_requests counter\n") && body.ends_with("# EOF\n"), "{body}");
    let (head, body) = http_get(&address, "/metrics", "");
    assert!(head.contains("\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{head}");
    assert!(body.contains("# TYPE stampede_requests_total counter\n") && !body.contains("# EOF"), "{body}");
    assert!(http_get(&address, "/", "").0.starts_with("HTTP/1.0 404 "));
    shooter().args("control").arg(run.path("run.sock")).arg("stop").finish().exits(0);
    let finished = run.finish().exits(0);
    assert!(!finished.stderr.contains("stay readable"), "{}", finished.stderr);
}

#[test]
fn an_address_that_cannot_be_listened_on_is_an_error_before_the_run() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let site = site();
    for command in ["run", "check"] {
        let run = if command == "check" { shooter().args("check") } else { shooter() };
        let run = run.script("- {name: Page, url: /bytes/10}").arg("--prometheus").arg(&address);
        let finished = run.arg("--base-url").arg(site.base_url()).finish().exits(2);
        assert!(
            finished.stderr.contains(&format!("error[usage::addr]: cannot listen on {address}: ")),
            "{}",
            finished.stderr
        );
        assert!(finished.stderr.contains("help: name another address with `--prometheus`"), "{}", finished.stderr);
    }
    assert_eq!(site.stats().snapshot().requests, 0);
}
