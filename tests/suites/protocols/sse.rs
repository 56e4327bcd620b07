//! The `sse` action, against axum and servers that end too early.

use stampede_tests::{EventStreams, Http2Server, Part, RawServer, Refusing};

use super::{metric, ran};

const FLAGS: &str = "--users 4 --iterations 5 --workers 2";
/// Runs of each step.
const TASKS: u64 = 20;

fn step(name: &str, url: impl std::fmt::Display, more: &str) -> String {
    format!("  - {{name: {name}, action: sse, url: '{url}', {more}}}\n")
}

#[test]
fn a_stream_is_read_for_a_count_a_time_an_event_or_to_its_end() {
    let server = EventStreams::start();
    let url = |path: &str| format!("{}/events/{path}", server.base_url());
    let script = [
        "steps:\n".to_owned(),
        step("Count", url("1000000000/1"), "events: 3"),
        step("Time", url("1000000000/1"), "for: 30ms"),
        step("First", url("1000000000/60000"), "for: 1m, events: 1"),
        step("Event", url("1000000000/1"), "expect: {regex: '^event [5-9]$'}"),
        step("End", url("7/0"), "method: POST, json_body: {a: 1}, expect: event 7"),
        step("Two", url("1000000000/1"), "events: 2, http_version: 2"),
    ]
    .concat();
    let (run, report) = ran(&script, FLAGS);
    for name in ["Count", "Time", "First", "Event", "End", "Two"] {
        let row = report.row(name);
        assert_eq!((row.ok(), row.err(), row.tasks("passed")), (TASKS, 0, TASKS), "{name}\n{}", run.stdout);
        assert_eq!(row.statuses(), [(200, TASKS)].into(), "{name}");
    }
    // The events of `Time` are as many as arrive.
    let events = metric(&report, "sse", "events", "sum") as u64;
    assert!(events >= (3 + 1 + 1 + 5 + 7 + 2) * TASKS, "{events}");
    assert_eq!(metric(&report, "sse", "first_event", "count") as u64, 6 * TASKS);
    assert_eq!(metric(&report, "sse", "gap", "count") as u64, events - 6 * TASKS);
    server.settle();
}

/// The user's turns are a second apart. Neither the time of the first event nor `for` has such a wait in it.
#[test]
fn no_time_includes_the_wait_for_a_turn() {
    let server = EventStreams::start();
    let url = format!("{}/events/1000000000/1", server.base_url());
    let steps = [step("Time", &url, "for: 300ms"), step("Count", &url, "events: 1")].concat();
    let (run, report) = ran(&format!("rps: 1\nsteps:\n{steps}"), "--users 1 --iterations 2");
    assert_eq!((report.row("Time").ok(), report.row("Count").ok()), (2, 2), "{}", run.stdout);
    assert!(metric(&report, "sse", "first_event", "max") < 500e6, "waits of a second: {}", run.stdout);
    server.settle();
}

#[test]
fn failures_have_their_category() {
    let server = EventStreams::start();
    let base = server.base_url();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";
    let half = RawServer::start(move |_| format!("{head}content-length: 100\r\n\r\ndata: a\n\n").into_bytes());
    let chunk = RawServer::start(move |_| format!("{head}transfer-encoding: chunked\r\n\r\nxyz\r\n").into_bytes());
    let large = "a".repeat((1 << 20) + 1);
    let large = RawServer::start(move |_| format!("{head}content-length: 9999999\r\n\r\n{large}").into_bytes());
    let script = [
        "steps:\n".to_owned(),
        step("Status", format!("{base}/status"), ""),
        step("Type", format!("{base}/page"), ""),
        step("Early", format!("{base}/events/2/0"), "events: 3"),
        step("Short", format!("{base}/events/2/0"), "for: 5m"),
        step("Other", format!("{base}/events/1000000/0"), "events: 3, expect: event 4"),
        step("Late", format!("{base}/events/2/60000"), "events: 2, timeout: 100ms"),
        step("Half", half.base_url(), "events: 2, timeout: 100ms"),
        step("Malformed", chunk.base_url(), "events: 2"),
        step("Large", large.base_url(), "events: 2"),
    ]
    .concat();
    let (run, report) = ran(&script, FLAGS);
    for (name, category, example) in [
        ("Status", "status", "expected status 200, got 503"),
        ("Type", "protocol", "expected the content type `text/event-stream`, got `text/plain`"),
        ("Early", "network", "expected 3 events, got 2 before the stream ended"),
        ("Short", "network", "expected events for 300s, got 2 before the stream ended"),
        ("Other", "check", "expected an event to contain `event 4`, got 3 others"),
        ("Late", "timeout", "not done within 100ms: in the body, after 27 bytes"),
        ("Half", "timeout", "not done within 100ms: in the body, after 9 bytes"),
        ("Large", "protocol", "an event has more than 1048576 bytes"),
    ] {
        let row = report.row(name);
        assert_eq!(row.errors(), [(category, TASKS)].into(), "{name}\n{}", run.stdout);
        assert_eq!(row.example(category), example, "{name}");
    }
    assert_eq!(report.row("Malformed").errors(), [("protocol", TASKS)].into());
    server.settle();
}

#[test]
fn a_stream_that_is_cut_off_has_its_category() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";
    let raw = |rest: &'static str| RawServer::hanging_up(move |_| format!("{head}{rest}").into_bytes());
    let [length, chunk] = [
        raw("content-length: 100\r\n\r\ndata: a\n\ndata: b"),
        raw("transfer-encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\n9\r\ndata"),
    ];
    let two = |end: Part| {
        let data = Part::Data(b"data: a\n\ndata: b".to_vec());
        Http2Server::start([Part::Head("text/event-stream"), data, end])
    };
    let (closed, reset) = (two(Part::Close), two(Part::Reset(2)));
    // A reply that ends too early is malformed; a stream that the server resets with an error is a broken connection.
    let servers = [
        ("Length", length.base_url(), "", "protocol"),
        ("Chunk", chunk.base_url(), "", "protocol"),
        ("Closed", closed.base_url(), ", http_version: 2", "protocol"),
        ("Reset", reset.base_url(), ", http_version: 2", "network"),
    ];
    let steps = servers.iter().map(|(name, url, more, _)| step(name, url, &format!("events: 2{more}")));
    let (run, report) = ran(&format!("steps:\n{}", steps.collect::<String>()), FLAGS);
    for (name, .., category) in servers {
        let row = report.row(name);
        assert_eq!((row.errors(), row.tasks("failed")), ([(category, TASKS)].into(), TASKS), "{name}\n{}", run.stdout);
        assert_eq!(row.statuses(), [(200, TASKS)].into(), "{name}");
    }
    assert_eq!(metric(&report, "sse", "events", "sum") as u64, 4 * TASKS);
}

#[test]
fn a_server_that_refuses_or_hangs_up_is_a_failure_of_the_network() {
    let refusing = Refusing::bind();
    let gone = RawServer::start(|_| Vec::new());
    let script = ["steps:\n".to_owned(), step("Refused", refusing.base_url(), ""), step("Gone", gone.base_url(), "")];
    let (run, report) = ran(&script.concat(), FLAGS);
    for name in ["Refused", "Gone"] {
        assert_eq!(report.row(name).errors(), [("network", TASKS)].into(), "{name}\n{}", run.stdout);
    }
}

/// The rate limit lets one user begin one stream a second, so the second stream of each is never begun.
#[test]
fn a_stream_that_has_not_begun_does_not_hold_up_the_end_of_the_run() {
    let target = RawServer::start(|_| {
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 9\r\n\r\ndata: a\n\n".to_vec()
    });
    let script = format!("rps: 0.1\nsteps:\n{}", step("Stream", target.base_url(), "events: 1"));
    let (run, report) = ran(&script, "--users 1 --duration 1s --graceful-stop 1h");
    let row = report.row("Stream");
    assert_eq!((row.total(), row.ok(), row.tasks("started")), (1, 1, 1), "{}", run.stdout);
}
