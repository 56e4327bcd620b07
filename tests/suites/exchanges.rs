//! Failed exchanges are shown as they were, in the report, on the terminal and by `try`, and without their secrets.

use serde_json::Value;
use stampede_tests::{RawReply, RawRequest, RawServer, Report};

use crate::shooter;

/// The failed exchanges of a row and kind.
fn exchanges<'r>(report: &'r Report, row: &str, kind: &str) -> &'r [Value] {
    let errors = report.row(row).at("/errors").as_array().expect("a list");
    let error = errors.iter().find(|error| error["category"] == kind);
    error.and_then(|error| error["exchanges"].as_array()).map_or(&[], Vec::as_slice)
}

fn reply(status: &str, fields: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{fields}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// A site that is too busy to take an order, and explains itself.
fn busy(request: &RawRequest) -> Vec<u8> {
    let path = request.line.split(' ').nth(1).and_then(|target| target.split('?').next());
    match path {
        Some("/in") => reply("200 OK", "set-cookie: sid=s3ssion-id; Path=/\r\n", "{\"token\":\"abc\"}"),
        Some("/order") => {
            let fields = "content-type: application/json\r\nset-cookie: seen=t0day; HttpOnly\r\n";
            reply("503 Service Unavailable", fields, "{\"error\":\"too busy\",\"password\":\"hunter22\"}")
        }
        _ => reply("200 OK", "", &"x".repeat(5_000)),
    }
}

const ORDER: &str = r#"
steps:
  - {name: In, url: /in, capture: {token: {json: $.token}}, checks: {has token: {body: token}}}
  - name: Order
    method: POST
    url: "/order?movie=1&api_key=k3y-of-mine"
    json_body: {movie: 1, note: "{{var token}}"}
    headers: {authorization: Bearer l1teral, x-trace: visible}
  - {name: Good, url: /good}
"#;

#[test]
fn the_first_failed_exchanges_of_a_kind_are_in_the_report() {
    let target = RawServer::start(busy);
    let run = shooter().script(ORDER).args("--users 2 --iterations 5 --verbose --base-url").arg(target.base_url());
    let run = run.report().finish().exits(0);
    let report = run.report();
    let kept = exchanges(&report, "Order", "status");
    assert_eq!((kept.len(), report.row("Order").err()), (3, 10));
    for exchange in kept {
        assert_eq!(exchange["status"], 503);
        assert!(exchange["reason"].as_str().is_some_and(|reason| reason.contains("503")), "{exchange}");
        let (request, answer) = (&exchange["request"], &exchange["reply"]);
        let lines: Vec<&str> = request["head"].as_str().expect("a head").lines().collect();
        assert_eq!(lines[0], "POST /order?movie=1&api_key=*** HTTP/1.1");
        for line in ["authorization: Bearer ***", "x-trace: visible", "content-length: 24"] {
            assert!(lines.contains(&line), "`{line}` is not among {lines:?}");
        }
        assert!(lines.iter().any(|line| line.starts_with("cookie: ") && line.contains("sid=***")), "{lines:?}");
        assert_eq!((&request["body"], &request["body_bytes"]), (&"{\"movie\":1,\"note\":\"abc\"}".into(), &24.into()));
        let head = answer["head"].as_str().expect("a head");
        assert!(head.starts_with("HTTP/1.1 503 Service Unavailable\ncontent-type: application/json\n"), "{head}");
        assert!(head.contains("set-cookie: seen=***; HttpOnly"), "{head}");
        assert_eq!(answer["body"], "{\"error\":\"too busy\",\"password\":\"***\"}");
        assert_eq!((&answer["is_cut"], exchange["phases_us"]["first_byte"].is_u64()), (&false.into(), true));
    }
    for secret in ["l1teral", "k3y-of-mine", "s3ssion-id", "t0day", "hunter22"] {
        for (place, text) in [("the report", run.read("report.json")), ("stdout", run.stdout.clone())] {
            assert!(!text.contains(secret), "`{secret}` is in {place}: {text}");
        }
    }
    assert!(run.stdout.contains("  < HTTP/1.1 503 Service Unavailable\n"), "{}", run.stdout);
    assert!(run.stdout.contains("  <   \"error\": \"too busy\",\n"), "JSON is indented: {}", run.stdout);
}

#[test]
fn an_exchange_that_timed_out_shows_its_request() {
    let target = RawServer::deciding(|_| RawReply { bytes: Vec::new(), closes: false });
    let script = "- {name: Slow, url: /slow?a=1, timeout: 1s}\n";
    let run = shooter().script(script).arg("--base-url").arg(target.base_url()).report().finish().exits(9);
    let report = run.report();
    let kept = exchanges(&report, "Slow", "timeout");
    assert_eq!(kept.len(), 1);
    let head = kept[0]["request"]["head"].as_str().expect("a head");
    assert!(head.starts_with("GET /slow?a=1 HTTP/1.1\nhost: "), "{head}");
    assert_eq!((&kept[0]["reply"], &kept[0]["status"]), (&Value::Null, &Value::Null));
    assert!(kept[0]["reason"].as_str().is_some_and(|reason| reason.starts_with("not done within 1s")), "{kept:?}");
}

#[test]
fn a_request_without_a_connection_is_shown_too() {
    let script = "- {name: Gone, url: /gone}\n";
    let run = shooter().script(script).args("--base-url http://127.0.0.1:1").report().finish().exits(5);
    let report = run.report();
    let kept = exchanges(&report, "Gone", "network");
    assert_eq!((kept.len(), &kept[0]["reply"]), (1, &Value::Null));
    assert!(
        kept[0]["request"]["head"].as_str().is_some_and(|head| head.starts_with("GET /gone HTTP/1.1\n")),
        "{kept:?}"
    );
}

#[test]
fn try_shows_every_exchange_with_captures_and_checks() {
    let target = RawServer::start(busy);
    let run = shooter().arg("try").script(ORDER).arg("--base-url").arg(target.base_url()).finish().exits(9);
    let parts = [
        "── In: 200 in ",
        "  > GET /in HTTP/1.1\n",
        "  <   \"token\": \"***\"\n",
        "  check has token: passed\n",
        "  captured token: ***\n",
        "  first byte ",
        "── Order: 503 in ",
        "  status: ",
        "  > POST /order?movie=1&api_key=*** HTTP/1.1\n",
        "── Good: 200 in ",
        "  < … (5 000 bytes in all)\n",
        "3 exchanges, 1 failed\n",
    ];
    let place = |part: &&str| run.stdout.find(part).unwrap_or_else(|| panic!("`{part}` is not in:\n{}", run.stdout));
    let order: Vec<usize> = parts.iter().map(place).collect();
    assert!(order.is_sorted(), "{order:?}\n{}", run.stdout);
    assert_eq!(target.take().len(), 3, "one user walks once");
}

#[test]
fn try_ignores_the_load_of_a_script_and_rejects_that_of_flags() {
    let target = RawServer::start(busy);
    let script = format!(
        "rps: 1\nstages: [1h:100]\nthresholds: {{http_reqs: count>100}}\nbase_url: {}\nsteps:\n  \
         - {{name: Good, url: /good}}\n",
        target.base_url()
    );
    let run = shooter().arg("try").script(&script).finish().exits(0);
    assert!(run.stdout.ends_with("1 exchange, 0 failed\n"), "{}", run.stdout);
    let run = shooter().arg("try").script(&script).args("--users 2").finish().exits(2);
    assert!(
        run.stderr.contains("`--users` has no effect: `try` walks the script once with one user"),
        "{}",
        run.stderr
    );
}
