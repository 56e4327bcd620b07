//! Traces: what the target is sent as `traceparent`, and the spans that a collector gets, over http/protobuf and over
//! gRPC, as OpenTelemetry's library for Python reads them. Both must name the same attempts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stampede_tests::{Finished, OtlpCollector, RawRequest, RawServer, Run, decode_otlp};

use crate::{shooter, tools};

/// Two users that walk five times: a rendered URL, a redirect, a failure.
const SCRIPT: &str = r#"
users: 2
iterations: 5
steps:
  - {name: Page, url: "/page/{{randInt 1 9}}?x=1"}
  - {name: Hop, url: /hop}
  - {name: Fail, method: POST, url: /fail, body: content}
"#;
/// Runs of each step.
const RUNS: usize = 10;

/// Starts a target that redirects at `/hop` and fails at `/fail`.
fn target() -> RawServer {
    RawServer::start(|request| {
        let path = request.line.split(' ').nth(1).unwrap_or_default();
        let head = match path {
            "/hop" => "302 Found\r\nlocation: /landing",
            _ if path.starts_with("/fail") => "500 Broken",
            _ => "200 OK",
        };
        format!("HTTP/1.1 {head}\r\ncontent-length: 2\r\n\r\nok").into_bytes()
    })
}

/// Starts a collector that takes everything over http/protobuf.
fn collector() -> RawServer {
    RawServer::recording()
}

fn run(script: &str, target: &RawServer) -> Run {
    shooter().script(script).args("--base-url").arg(target.base_url()).args("--workers 2").report()
}

fn send_to(run: Run, collector: &RawServer, sample: &str) -> Finished {
    let run = run.args("--otlp").arg(collector.base_url()).args("--trace-sample").arg(sample);
    let run = run.env("OTEL_METRIC_EXPORT_INTERVAL", "1000").finish();
    assert!(!run.stderr.contains("warning: the output"), "{}", run.stderr);
    run
}

/// Returns the spans that a collector was sent over http/protobuf.
fn spans(collector: &RawServer) -> Vec<Value> {
    let of_traces = |request: &RawRequest| request.line == "POST /v1/traces HTTP/1.1";
    let requests: Vec<_> = collector.take().into_iter().filter(of_traces).collect();
    assert!(requests.iter().all(|request| request.header("content-type") == "application/x-protobuf"));
    let bodies: Vec<_> = requests.into_iter().map(|request| request.body).collect();
    let messages = decode_otlp(&tools(), "traces", &bodies);
    messages.iter().flat_map(|message| message["spans"].as_array().unwrap().clone()).collect()
}

/// A request that the target saw: its path, trace and span, and whether it was sampled.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    path: String,
    trace: String,
    span: String,
    is_sampled: bool,
}

/// Returns the requests that a target saw, each of which must have a valid `traceparent`.
fn seen(target: &RawServer) -> Vec<Seen> {
    let requests = target.take();
    let seen = requests.iter().map(|request| {
        let field = request.header("traceparent");
        let parts: Vec<_> = field.split('-').collect();
        let is_hex = |text: &str| text.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
        assert!(
            matches!(parts[..], ["00", trace, span, "00" | "01"]
            if trace.len() == 32 && span.len() == 16 && is_hex(trace) && is_hex(span)),
            "{field}"
        );
        Seen {
            path: request.line.split(' ').nth(1).unwrap().to_owned(),
            trace: parts[1].to_owned(),
            span: parts[2].to_owned(),
            is_sampled: parts[3] == "01",
        }
    });
    seen.collect()
}

fn text<'a>(of: &'a Value, field: &str) -> &'a str {
    of[field].as_str().unwrap_or_else(|| panic!("{field} in {of}"))
}

/// Returns the spans of a kind, each of which has a parent or not.
fn of_kind<'a>(spans: &'a [Value], kind: &str, has_parent: bool) -> Vec<&'a Value> {
    let is_one = |span: &&Value| text(span, "kind") == kind && text(span, "parent").is_empty() != has_parent;
    spans.iter().filter(is_one).collect()
}

/// Returns the attempts as the target should have seen them.
fn attempts(spans: &[Value], base_url: &str) -> BTreeSet<Seen> {
    let clients = of_kind(spans, "SPAN_KIND_CLIENT", true).into_iter();
    let seen = clients.map(|span| Seen {
        path: text(&span["attributes"], "url.full").strip_prefix(base_url).unwrap().to_owned(),
        trace: text(span, "trace").to_owned(),
        span: text(span, "span").to_owned(),
        is_sampled: span["flags"] == 0x101,
    });
    seen.collect()
}

/// Checks that each span lies within its parent, in its trace, and that the ids are unique.
fn assert_nested(spans: &[Value]) {
    let by_id: BTreeMap<_, _> = spans.iter().map(|span| (text(span, "span"), span)).collect();
    assert_eq!(by_id.len(), spans.len());
    for span in spans.iter().filter(|span| !text(span, "parent").is_empty()) {
        let parent = by_id[text(span, "parent")];
        assert_eq!(text(span, "trace"), text(parent, "trace"));
        let time = |span: &Value, edge: &str| span[edge].as_u64().unwrap();
        assert!(time(span, "start") >= time(parent, "start") && time(span, "end") <= time(parent, "end"), "{span}");
        assert!(time(span, "start") <= time(span, "end"), "{span}");
    }
}

#[test]
fn every_attempt_is_a_span_with_the_ids_that_the_target_saw() {
    let (target, collector) = (target(), collector());
    let run = send_to(run(SCRIPT, &target), &collector, "1");
    let (seen, spans) = (seen(&target), spans(&collector));
    assert_eq!(run.report().totals().total() as usize, seen.len());
    assert_eq!(seen.len(), 4 * RUNS);
    assert!(seen.iter().all(|seen| seen.is_sampled));
    assert_eq!(attempts(&spans, &target.base_url()), seen.iter().cloned().collect());
    assert_nested(&spans);
    let steps = of_kind(&spans, "SPAN_KIND_INTERNAL", false);
    assert_eq!(steps.iter().map(|step| text(step, "trace")).collect::<BTreeSet<_>>().len(), 3 * RUNS);
    for name in ["Page", "Hop", "Fail"] {
        let of_name = steps.iter().filter(|step| text(step, "name") == name);
        let walks = of_name.map(|step| {
            assert_eq!(text(&step["attributes"], "stampede.step"), name);
            [&step["attributes"]["stampede.user"], &step["attributes"]["stampede.iteration"]].map(Value::as_u64)
        });
        let expected = (0..2).flat_map(|user| (0..5).map(move |iteration| [Some(user), Some(iteration)]));
        assert_eq!(walks.collect::<BTreeSet<_>>(), expected.collect(), "{name}");
    }
    let phases = |name: &str| spans.iter().filter(|span| text(span, "name") == name).count();
    assert_eq!((phases("wait"), phases("receive"), phases("connect"), phases("tls")), (4 * RUNS, 4 * RUNS, 2, 0));
}

/// Returns the attributes of the attempts at a path, which must all have the same but for their URLs.
fn attributes_at(spans: &[Value], path: &str) -> Value {
    let at_path = of_kind(spans, "SPAN_KIND_CLIENT", true);
    let at_path = at_path.iter().filter(|span| text(&span["attributes"], "url.full").contains(path));
    let all: BTreeSet<_> = at_path
        .map(|span| {
            let mut attributes = span["attributes"].as_object().unwrap().clone();
            attributes.remove("url.full");
            attributes.insert("name".into(), span["name"].clone());
            attributes.insert("status".into(), span["status"].clone());
            attributes.insert("message".into(), span["message"].clone());
            Value::Object(attributes).to_string()
        })
        .collect();
    assert_eq!(all.len(), 1, "{all:?}");
    serde_json::from_str(all.first().unwrap()).unwrap()
}

#[test]
fn the_attributes_are_those_of_the_conventions() {
    let (target, collector) = (target(), collector());
    send_to(run(SCRIPT, &target), &collector, "1");
    let spans = spans(&collector);
    let port: u16 = target.base_url().rsplit(':').next().unwrap().parse().unwrap();
    let expected = |more: Value| {
        let mut all = serde_json::json!({
            "http.request.method": "GET",
            "http.response.status_code": 200,
            "server.address": "127.0.0.1",
            "server.port": port,
            "network.protocol.name": "http",
            "network.protocol.version": "1.1",
            "user_agent.synthetic.type": "test",
            "name": "GET",
            "status": "STATUS_CODE_UNSET",
            "message": "",
        });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let page = expected(serde_json::json!({"url.template": "/page/{}?x=1", "name": "GET /page/{}?x=1"}));
    assert_eq!(attributes_at(&spans, "/page/"), page);
    assert_eq!(attributes_at(&spans, "/hop"), expected(serde_json::json!({"http.response.status_code": 302})));
    assert_eq!(attributes_at(&spans, "/landing"), expected(serde_json::json!({"http.request.resend_count": 1})));
    let fail = serde_json::json!({
        "http.request.method": "POST",
        "http.response.status_code": 500,
        "error.type": "500",
        "name": "POST",
        "status": "STATUS_CODE_ERROR",
    });
    let at_fail = attributes_at(&spans, "/fail");
    let reason = at_fail["message"].clone();
    assert!(reason.as_str().unwrap().contains("500"), "{reason}");
    let mut fail = expected(fail);
    fail["message"] = reason.clone();
    assert_eq!(at_fail, fail);
    for step in of_kind(&spans, "SPAN_KIND_INTERNAL", false) {
        let has_failed = text(step, "name") == "Fail";
        assert_eq!(step["attributes"].get("error.type").and_then(Value::as_str), has_failed.then_some("status"));
        assert_eq!(step["message"], if has_failed { reason.clone() } else { "".into() });
    }
}

#[test]
fn with_a_sample_of_none_only_what_failed_is_exported() {
    let (target, collector) = (target(), collector());
    send_to(run(SCRIPT, &target), &collector, "0");
    let (seen, spans) = (seen(&target), spans(&collector));
    assert!(seen.len() == 4 * RUNS && seen.iter().all(|seen| !seen.is_sampled));
    let failed: BTreeSet<_> = seen.into_iter().filter(|seen| seen.path == "/fail").collect();
    assert_eq!(attempts(&spans, &target.base_url()), failed);
    assert_eq!(of_kind(&spans, "SPAN_KIND_INTERNAL", false).len(), RUNS);
}

#[test]
fn what_is_sampled_is_what_is_exported_if_nothing_fails() {
    let (target, collector) = (target(), collector());
    let script = "users: 2\niterations: 200\nsteps: [{name: Page, url: /page}]";
    send_to(run(script, &target), &collector, "8");
    let (seen, spans) = (seen(&target), spans(&collector));
    let sampled: BTreeSet<_> = seen.iter().filter(|seen| seen.is_sampled).cloned().collect();
    assert_eq!(attempts(&spans, &target.base_url()), sampled);
    // One in eight of 400: less than one run of this test in 10^15 has fewer than 5 or more than 150.
    assert!(seen.len() == 400 && (5..150).contains(&sampled.len()), "{}", sampled.len());
}

#[test]
fn a_request_that_is_repeated_says_how_often_it_was_sent_before() {
    let (target, collector) = (target(), collector());
    let script = "steps: [{name: Fail, url: /fail, retry: {times: 2, wait: 1ms}}]";
    send_to(run(script, &target), &collector, "0");
    let spans = spans(&collector);
    let mut clients = of_kind(&spans, "SPAN_KIND_CLIENT", true);
    clients.sort_by_key(|span| span["start"].as_u64());
    let resends: Vec<_> = clients.iter().map(|span| span["attributes"]["http.request.resend_count"].as_u64()).collect();
    assert_eq!(resends, [None, Some(1), Some(2)]);
}

#[test]
fn requests_without_a_reply_are_spans_with_the_kind_of_their_failure() {
    let (silent, collector) = (RawServer::start(|_| Vec::new()), collector());
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let script = format!("steps: [{{name: Cut, url: /cut}}, {{name: Refused, url: 'http://{closed}/'}}]");
    send_to(run(&script, &silent), &collector, "0");
    let spans = spans(&collector);
    let clients = of_kind(&spans, "SPAN_KIND_CLIENT", true);
    let kinds: Vec<_> = clients
        .iter()
        .map(|span| {
            assert_eq!(text(span, "status"), "STATUS_CODE_ERROR");
            assert!(span["attributes"].get("http.response.status_code").is_none());
            let version = span["attributes"].get("network.protocol.version").and_then(Value::as_str);
            (text(&span["attributes"], "error.type"), text(span, "message"), version)
        })
        .collect();
    assert_eq!(
        kinds,
        [("network", "connection closed before the reply", Some("1.1")), ("network", "connection refused", None)]
    );
}

#[test]
fn no_secret_is_exported() {
    let (target, collector) = (target(), collector());
    let script = r#"
users: 1
headers: {x-api-key: "{{env KEY}}"}
steps:
  - {name: Env, url: "/fail?q={{env KEY}}&token=typed-token"}
  - {name: Basic, url: /fail/b, auth: {basic: {user: me, password: "{{env WORD}}"}}}
  - {name: Path, url: "/fail/{{env WORD}}/x"}
"#;
    let run = run(script, &target).env("KEY", "s3cret/of the key").env("WORD", "hidden-word");
    send_to(run, &collector, "1");
    let sent = target.take();
    assert!(sent.iter().any(|request| request.line.contains("hidden-word")), "the target gets it");
    let bodies: Vec<_> = collector.take().into_iter().map(|request| request.body).collect();
    let spans: Vec<_> = bodies.iter().map(|body| String::from_utf8_lossy(body)).collect();
    for shown in ["/fail?q=***&token=***", "/fail/***/x"] {
        assert!(spans.iter().any(|text| text.contains(shown)), "{shown} in {spans:?}");
    }
    for secret in ["s3cret", "of the key", "of%20the%20key", "typed-token", "hidden-word", "bWU6"] {
        assert!(spans.iter().all(|text| !text.contains(secret)), "{secret} in {spans:?}");
    }
}

#[test]
fn the_script_decides_about_the_field_and_a_field_of_its_own_is_left() {
    let own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let plain = "users: 1\niterations: 3\nsteps: [{name: Page, url: /page}, {name: Hop, url: /hop}]";
    let given = format!("{plain}\nheaders: {{traceparent: {own}}}");
    for (case, key, script, is_exported, is_sent) in [
        ("neither", "", plain, false, false),
        ("the script alone", "traceparent: true\n", plain, false, true),
        ("the flag alone", "", plain, true, true),
        ("the flag, and the script against it", "traceparent: false\n", plain, true, false),
        ("a field of the script", "traceparent: true\n", &given, true, true),
    ] {
        let (target, collector) = (target(), collector());
        let run = run(&format!("{key}{script}"), &target);
        if is_exported {
            send_to(run, &collector, "1");
        } else {
            run.finish().exits(0);
            assert!(collector.take().is_empty());
        }
        let requests = target.take();
        assert_eq!(requests.len(), 9, "{case}");
        let fields: Vec<_> = requests.iter().map(|request| request.header("traceparent").to_owned()).collect();
        assert!(fields.iter().all(|field| field.is_empty() != is_sent), "{case}: {fields:?}");
        if case == "a field of the script" {
            assert!(fields.iter().all(|field| field == own), "{fields:?}");
        } else if is_sent {
            let part = |at: usize| fields.iter().map(move |field| field.split('-').nth(at)).collect::<BTreeSet<_>>();
            assert_eq!((part(1).len(), part(2).len()), (6, 9), "{case}: the hops of a step share its trace");
        }
        let of_traces = |request: &RawRequest| request.line.contains("/v1/traces");
        assert_eq!(collector.take().iter().any(of_traces), is_exported, "{case}");
    }
}

#[test]
fn the_same_seed_gives_the_same_requests_with_traces_and_without() {
    let script = "users: 2\niterations: 4\nseed: 7\nsteps: [{name: Page, url: '/page/{{randInt 1 1000000}}'}]";
    let (target, collector) = (target(), collector());
    let paths = |target: &RawServer| target.take().iter().map(|request| request.line.clone()).collect::<BTreeSet<_>>();
    run(script, &target).finish().exits(0);
    let without = paths(&target);
    send_to(run(script, &target), &collector, "2");
    assert_eq!((without.len(), &paths(&target)), (8, &without));
}

#[test]
fn a_handshake_is_an_attempt() {
    let (server, collector) = (stampede_tests::WebSockets::start(), collector());
    let script = format!("steps: [{{name: Open, action: websocket.open, url: '{}/echo'}}]", server.base_url());
    let run = shooter().script(&script).report();
    send_to(run, &collector, "1").exits(0);
    let spans = spans(&collector);
    assert_nested(&spans);
    let clients = of_kind(&spans, "SPAN_KIND_CLIENT", true);
    assert_eq!(clients.len(), 1, "{spans:?}");
    assert_eq!(clients[0]["attributes"]["http.response.status_code"], 101);
}

/// Returns the messages of a signal that a collector has taken over gRPC.
fn taken<'a>(calls: &'a [Value], signal: &str) -> Vec<&'a Value> {
    calls.iter().filter(|call| call["signal"] == signal && call["refused"] == false).collect()
}

#[test]
fn a_real_grpc_server_gets_the_same_after_it_was_unavailable() {
    for compression in ["none", "gzip"] {
        let (target, collector) = (target(), OtlpCollector::start(&tools(), 1));
        let run = run(SCRIPT, &target).args("--otlp --trace-sample 1");
        let run = run
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.base_url())
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
            .env("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
            .env("OTEL_EXPORTER_OTLP_HEADERS", "X-Api-Key=secret-of-the-test")
            .env("OTEL_METRIC_EXPORT_INTERVAL", "1000")
            .env("OTEL_SERVICE_NAME", "nightly")
            .finish();
        assert!(!run.stderr.contains("warning: the output"), "{}", run.stderr);
        let (seen, calls) = (seen(&target), collector.finish());
        for signal in ["metrics", "traces"] {
            let of_signal: Vec<_> = calls.iter().filter(|call| call["signal"] == signal).collect();
            assert!(of_signal[0]["refused"] == true && of_signal[1]["refused"] == false, "{signal}");
            assert_eq!(of_signal[0]["message"], of_signal[1]["message"], "{signal}: it comes again");
            for call in of_signal {
                assert_eq!(call["metadata"]["x-api-key"], "secret-of-the-test");
                assert!((0.0..=10.0).contains(&call["seconds"].as_f64().unwrap()), "{call}");
            }
        }
        let traces = taken(&calls, "traces");
        let resource = &traces[0]["message"]["resource"];
        assert_eq!(
            (&resource["service.name"], &resource["test.run.id"]),
            (&"nightly".into(), run.report().at("/run/ids/0"))
        );
        let all: Vec<_> = traces.iter().flat_map(|call| call["message"]["spans"].as_array().unwrap().clone()).collect();
        assert_eq!(attempts(&all, &target.base_url()), seen.iter().cloned().collect());
        assert_nested(&all);
        let last = &taken(&calls, "metrics").last().unwrap()["message"];
        let metrics = last["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().unwrap();
        let requests = metrics.iter().find(|metric| metric["name"] == "stampede.requests").unwrap();
        let points = requests["sum"]["dataPoints"].as_array().unwrap().iter();
        let sum: u64 = points.map(|point| point["asInt"].as_str().unwrap().parse::<u64>().unwrap()).sum();
        assert_eq!(sum, run.report().totals().total());
    }
}

#[test]
fn a_collector_that_takes_nothing_costs_its_batches_alone() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let busy = RawServer::start(|_| b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n".to_vec());
    let unavailable = OtlpCollector::start(&tools(), u32::MAX);
    let metrics_only = RawServer::start(|request| {
        let status = if request.line.contains("/v1/traces") { "404 Unknown" } else { "200 OK" };
        format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").into_bytes()
    });
    for (endpoint, protocol, signals, why) in [
        (format!("http://{closed}"), "grpc", &["metrics", "spans"][..], "cannot be reached"),
        (busy.base_url(), "http/protobuf", &["metrics", "spans"], "answers with status 503"),
        (unavailable.base_url().to_owned(), "grpc", &["metrics", "spans"], "answers with gRPC status UNAVAILABLE"),
        (metrics_only.base_url(), "http/protobuf", &["spans"], "answers with status 404"),
    ] {
        let target = target();
        let run = run(SCRIPT, &target).args("--trace-sample 1 --otlp").arg(&endpoint);
        let run = run.env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol).finish();
        assert_eq!(run.report().totals().total() as usize, target.take().len());
        let prefix = "warning: the output `otlp` is not complete: it lost ";
        let warnings: Vec<_> = run.stderr.lines().filter(|line| line.starts_with(prefix)).collect();
        assert_eq!(warnings.len(), signals.len(), "{}", run.stderr);
        for (signal, warning) in signals.iter().zip(warnings) {
            assert!(warning.contains(&format!(" batches of {signal}: `{endpoint}` ")), "{warning}");
            assert!(warning.contains(why), "{warning}");
        }
    }
}
