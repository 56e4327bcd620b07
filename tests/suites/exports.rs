//! The outputs of a run to other tools: to a real InfluxDB, to a receiver of StatsD, and to one of OTLP whose metrics
//! Python reads.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use stampede_tests::{InfluxDb, RawRequest, RawServer, Report, Run, decode_otlp, settled, site};

use crate::{shooter, tools};

/// Four seconds of two scenarios with successes, failures and checks, so that several seconds and the end are sent.
const SCRIPT: &str = r#"
scenarios:
  browse:
    users: 3
    rps: 20
    duration: 3s
    steps:
      - {name: "Catalog, all=1", url: "/api/v1/catalog?page=1"}
      - {name: Miss, url: /status/404, expect_status: 200}
  slow: {users: 1, duration: 3s, graceful_stop: 0s, steps: [{name: Slow, url: /delay/900}]}
thresholds:
  http_failed: rate<1%
"#;

fn run(base_url: &str) -> Run {
    shooter().script(SCRIPT).args("--base-url").arg(base_url).args("--workers 2").report()
}

/// Returns a row of each step with the numbers that every output has.
fn rows(report: &Report) -> Vec<StepCounts> {
    let rows = report.at("/actions").as_array().unwrap().iter();
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    let row = rows.map(|row| StepCounts {
        step: row["name"].as_str().unwrap().to_owned(),
        total: number(&row["requests"]["total"]),
        ok: number(&row["requests"]["ok"]),
        received: number(&row["bytes"]["in"]),
        codes: row["statuses"].as_object().unwrap().iter().map(|(code, n)| (code.clone(), number(n))).collect(),
    });
    row.collect()
}

/// The numbers of one step.
struct StepCounts {
    step: String,
    total: u64,
    ok: u64,
    received: u64,
    codes: BTreeMap<String, u64>,
}

/// Compares the sums of what was written with the report.
fn assert_in_influx(database: &InfluxDb, report: &Report) {
    for row in rows(report) {
        let select = |field: &str, measurement: &str, more: &str| {
            let query = format!("SELECT SUM({field}) FROM stampede_{measurement} WHERE step = '{}'{more}", row.step);
            database.number(&query) as u64
        };
        assert_eq!(select("ok", "requests", ""), row.ok, "{}", row.step);
        let failed = select("error", "requests", "") + select("aborted", "requests", "");
        assert_eq!(failed, row.total - row.ok, "{}", row.step);
        assert_eq!(select("\"count\"", "errors", ""), row.total - row.ok, "{}", row.step);
        assert_eq!(select("bytes_received", "requests", ""), row.received, "{}", row.step);
        for (code, count) in &row.codes {
            assert_eq!(select("\"count\"", "responses", &format!(" AND code = '{code}'")), *count, "{code}");
        }
    }
    assert!(database.number("SELECT COUNT(active) FROM stampede_users") >= 3.0, "a point for each second");
    assert!(database.number("SELECT MAX(response_p95_us) FROM stampede_requests WHERE step = 'Slow'") >= 900_000.0);
    let iterations = "SELECT SUM(completed) FROM stampede_iterations WHERE scenario = 'browse'";
    assert_eq!(database.number(iterations) as u64, report.at("/scenarios/0/iterations/completed").as_u64().unwrap());
}

#[test]
fn a_real_influxdb_has_the_counts_of_the_report() {
    let (site, database) = (site(), InfluxDb::start());
    let run = run(&site.base_url()).arg("--influx").arg(database.write_url()).finish().exits(99);
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    assert_eq!(run.report().totals().total(), settled(&site.stats()).requests);
    assert_in_influx(&database, &run.report());
}

/// Returns everything that has arrived at a socket, in order. A run that has ended has sent all of it.
fn received(socket: &UdpSocket) -> Vec<String> {
    socket.set_nonblocking(true).unwrap();
    let (mut lines, mut packet) = (Vec::new(), vec![0; 65_536]);
    while let Ok(length) = socket.recv(&mut packet) {
        assert!(length <= 1_400, "{length}");
        lines.extend(std::str::from_utf8(&packet[..length]).unwrap().lines().map(str::to_owned));
    }
    lines
}

#[test]
fn lines_over_udp_are_those_that_influxdb_takes() {
    let (site, database, socket) = (site(), InfluxDb::start(), UdpSocket::bind("127.0.0.1:0").unwrap());
    let url = format!("udp://{}", socket.local_addr().unwrap());
    let run = run(&site.base_url()).arg("--influx").arg(url).finish().exits(99);
    let lines = received(&socket);
    assert_eq!(database.write(&lines.join("\n")), None);
    assert_in_influx(&database, &run.report());
}

#[test]
fn statsd_counters_add_up_to_the_report_in_both_forms() {
    for (form, prefix) in [("dogstatsd", "stampede.requests:"), ("plain", "stampede.browse.")] {
        let (site, socket) = (site(), UdpSocket::bind("127.0.0.1:0").unwrap());
        let address = socket.local_addr().unwrap().to_string();
        let run = run(&site.base_url()).arg("--statsd").arg(address).args("--statsd-format").arg(form).finish();
        let run = run.exits(99);
        let lines = received(&socket);
        assert!(lines.iter().any(|line| line.starts_with(prefix)), "{lines:?}");
        let sum = |parts: &[&str]| -> u64 {
            let counters = lines.iter().filter(|line| parts.iter().all(|part| line.contains(part)));
            let counts = counters.filter_map(|line| line.split_once(':')?.1.split_once("|c")?.0.parse::<u64>().ok());
            counts.sum()
        };
        for row in rows(&run.report()) {
            let step = if form == "plain" {
                let part = row.step.replace([',', ' ', '='], "_");
                format!(".{part}.")
            } else {
                format!(",step:{}", row.step.replace(',', "_"))
            };
            assert_eq!(sum(&["requests", "ok", &step]), row.ok, "{form} {}", row.step);
            assert_eq!(sum(&["stampede", "requests", &step]), row.total, "{form} {}", row.step);
            for (code, count) in &row.codes {
                assert_eq!(sum(&["responses", code, &step]), *count, "{form} {code}");
            }
            assert_eq!(sum(&["bytes", "received", &step]), row.received, "{form} {}", row.step);
        }
        assert!(lines.iter().any(|line| line.contains("response_time_ms.p99:") && line.contains("|g")), "{lines:?}");
    }
}

#[test]
fn outputs_that_nothing_takes_are_named_and_change_nothing_else() {
    let (site, refusing) = (site(), RawServer::start(|_| b"HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n".to_vec()));
    let closed = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let run = run(&site.base_url())
        .arg("--influx")
        .arg(format!("{}/write?db=load&p=secret-of-the-test", refusing.base_url()))
        .args("--statsd")
        .arg(closed.to_string())
        .args("--otlp http://127.0.0.1:1")
        .env("OTEL_METRIC_EXPORT_INTERVAL", "1000")
        .env("OTEL_EXPORTER_OTLP_HEADERS", "authorization=secret-of-the-test")
        .env("INFLUX_TOKEN", "secret-of-the-test")
        .finish()
        .exits(99);
    assert_eq!(run.report().totals().total(), settled(&site.stats()).requests);
    for output in ["statsd", "influx", "otlp"] {
        let warning = format!("warning: the output `{output}` is not complete: it lost ");
        assert!(run.stderr.contains(&warning), "{}", run.stderr);
    }
    assert!(run.stderr.contains("answers with status 401"), "{}", run.stderr);
    assert!(!run.stderr.contains("secret-of-the-test") && !run.stdout.contains("secret-of-the-test"), "{}", run.stderr);
    assert!(refusing.take().iter().all(|request| request.header("authorization") == "Token secret-of-the-test"));
}

/// Returns the points of a metric of a message.
fn points<'a>(message: &'a Value, name: &str, kind: &str) -> Vec<&'a Value> {
    let metrics = message["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().unwrap();
    let metric = metrics.iter().find(|metric| metric["name"] == name).unwrap_or_else(|| panic!("{name} in {message}"));
    metric[kind]["dataPoints"].as_array().unwrap().iter().collect()
}

fn attribute<'a>(of: &'a Value, key: &str) -> Option<&'a str> {
    let attributes = of["attributes"].as_array()?;
    attributes.iter().find(|attribute| attribute["key"] == key)?["value"]["stringValue"].as_str()
}

/// Returns a whole number, which JSON of protobuf writes as a text.
fn whole(value: &Value) -> u64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or(0)
}

#[test]
fn otlp_is_read_by_a_foreign_library_and_its_last_sums_are_those_of_the_report() {
    let site = site();
    let asked = AtomicUsize::new(0);
    // The second request is to come again later.
    let collector = RawServer::start(move |_| match asked.fetch_add(1, Ordering::Relaxed) {
        1 => b"HTTP/1.1 503 Busy\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n".to_vec(),
        _ => b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n".to_vec(),
    });
    let run = run(&site.base_url())
        .args("--otlp")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.base_url())
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=secret-of-the-test")
        .env("OTEL_METRIC_EXPORT_INTERVAL", "1000")
        .env("OTEL_RESOURCE_ATTRIBUTES", "team=load%20tests")
        .env("OTEL_SERVICE_NAME", "nightly")
        .env("OTEL_TRACES_EXPORTER", "none")
        .finish()
        .exits(99);
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    let requests = collector.take();
    let is_right = |request: &RawRequest| {
        request.line == "POST /v1/metrics HTTP/1.1"
            && request.header("content-type") == "application/x-protobuf"
            && request.header("x-api-key") == "secret-of-the-test"
    };
    assert!(requests.len() >= 4 && requests.iter().all(is_right), "{requests:?}");
    assert_eq!(requests[1].body, requests[2].body, "the one that was not taken is sent again");
    let bodies: Vec<_> = requests.into_iter().map(|request| request.body).collect();
    let messages = decode_otlp(&tools(), "metrics", &bodies);
    let report = run.report();
    let last = messages.last().unwrap();
    let resource = &last["resourceMetrics"][0]["resource"];
    assert_eq!(attribute(resource, "service.name"), Some("nightly"));
    assert_eq!(attribute(resource, "team"), Some("load tests"));
    assert_eq!(attribute(resource, "test.run.id"), report.at("/run/ids/0").as_str());
    for row in rows(&report) {
        let of_row =
            |name, kind| points(last, name, kind).into_iter().filter(|p| attribute(p, "step") == Some(&row.step));
        let sum: u64 = of_row("stampede.requests", "sum").map(|point| whole(&point["asInt"])).sum();
        assert_eq!(sum, row.total, "{}", row.step);
        let received: u64 = of_row("stampede.received", "sum").map(|point| whole(&point["asInt"])).sum();
        assert_eq!(received, row.received, "{}", row.step);
        let times = of_row("stampede.request.duration", "exponentialHistogram").next().unwrap();
        let buckets = times["positive"]["bucketCounts"].as_array().unwrap();
        assert_eq!(buckets.iter().map(whole).sum::<u64>(), whole(&times["count"]), "{}", row.step);
    }
    let totals: Vec<u64> = messages
        .iter()
        .map(|message| points(message, "stampede.requests", "sum").iter().map(|point| whole(&point["asInt"])).sum())
        .collect();
    assert!(totals.is_sorted(), "sums only grow: {totals:?}");
}

#[test]
fn a_collector_that_never_answers_delays_the_end_by_its_timeout_alone() {
    let (site, silent) = (site(), std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let run = run(&site.base_url())
        .arg("--otlp")
        .arg(format!("http://{}", silent.local_addr().unwrap()))
        .env("OTEL_METRIC_EXPORT_INTERVAL", "1000")
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", "50")
        .finish()
        .exits(99);
    assert!(run.stderr.contains("does not answer in time"), "{}", run.stderr);
    assert_eq!(run.report().totals().total(), settled(&site.stats()).requests);
}

#[test]
fn settings_that_cannot_be_used_are_errors_before_the_run() {
    let site = site();
    for (arguments, variable, message) in [
        ("--influx http://user:hidden@127.0.0.1:8086", ("A", ""), "error[usage::influx]: cannot write to the URL"),
        ("--statsd nowhere", ("A", ""), "error[usage::addr]: cannot send to `nowhere`: "),
        (
            "--otlp",
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            "error[usage::otlp]: cannot use `OTEL_EXPORTER_OTLP_PROTOCOL`",
        ),
        (
            "--otlp",
            ("OTEL_EXPORTER_OTLP_HEADERS", "hidden"),
            "error[usage::otlp]: cannot use `OTEL_EXPORTER_OTLP_HEADERS`",
        ),
    ] {
        let run = run(&site.base_url()).args(arguments).env(variable.0, variable.1).finish().exits(2);
        assert!(run.stderr.contains(message) && !run.stderr.contains("hidden"), "{}", run.stderr);
    }
    assert_eq!(site.stats().snapshot().requests, 0);
}
