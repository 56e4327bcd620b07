//! Signals and limits of the process, while requests are in every state.

use std::collections::BTreeMap;

use stampede_tests::Act::{Hold, Line, Message, Preface, Request, Send, Stream, Switch};
use stampede_tests::{FaultServer, RawServer, Signal, wait_for};

use super::grpc::SCHEMA;
use super::http2::head;
use super::{left_out, thorough};
use crate::{shooter, shooter_after};

const SIGNALS: [Signal; 4] = [Signal::Interrupt, Signal::Terminate, Signal::HangUp, Signal::Quit];
const USERS: u64 = 2;

/// Servers that leave requests in every state, each with the keys of a step.
fn stuck() -> Vec<(&'static str, FaultServer, String)> {
    let begun = b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello";
    let events = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: a\n\n";
    let start = |acts: &[_]| FaultServer::start(acts, None);
    let http = |server: &FaultServer, more: &str| format!("url: '{}/'{more}", server.base_url());
    let (head_2, window) = (head(&[(":status", "200")], 0), vec![]);
    let servers = [
        ("waits for the head", start(&[Request, Hold])),
        ("in the head", start(&[Request, Send(begun[..20].into()), Hold])),
        ("in the body", start(&[Request, Send(begun.into()), Hold])),
        ("in a body of HTTP 2", start(&[Preface(window), Stream, head_2, Hold])),
        ("in a call", start(&[Preface(vec![]), Stream, Hold])),
        ("in a page", start(&[Request, Hold])),
        ("in a stream", start(&[Request, Send(events.into()), Hold])),
        ("in a line", start(&[Line, Hold])),
        ("in a message", start(&[Request, Switch, Message, Hold])),
    ];
    let keys = |name: &str, server: &FaultServer| match name {
        "in a body of HTTP 2" => http(server, ", http_version: 2"),
        "in a call" => http(server, ", action: grpc, method: test.Service/Unary, proto: [test.proto]"),
        "in a page" => http(server, ", action: page"),
        "in a stream" => http(server, ", action: sse, events: 2"),
        "in a line" => format!("action: tcp, address: '{}', send: \"a\\n\", expect: x", server.address()),
        "in a message" => format!("action: websocket, url: 'ws://{}/', send: a, expect: b", server.address()),
        _ => http(server, ""),
    };
    let stuck = servers.into_iter().map(|(name, server)| {
        let keys = keys(name, &server);
        (name, server, keys)
    });
    stuck.collect()
}

/// Ends a run whose requests are in every state.
fn ended_by(signal: Signal) {
    let stuck = stuck();
    let steps = stuck.iter().map(|(name, _, keys)| format!("    - {{name: '{name}', timeout: 1h, {keys}}}\n"));
    let script = format!("- parallel:\n{}", steps.collect::<String>());
    let run = shooter()
        .file("test.proto", SCHEMA)
        .script(&script)
        .args("--users 2 --duration 1h --graceful-stop 100ms")
        .report();
    let running = run.spawn();
    for (name, server, _) in &stuck {
        wait_for(name, || server.requests() == USERS);
    }
    running.signal(signal);
    let report = running.finish().exits(130).report();
    report.assert_consistent();
    assert_eq!(report.at("/run/ended"), "interrupted", "{signal:?}");
    for (name, server, _) in stuck {
        let row = report.row(name);
        assert_eq!(row.errors(), BTreeMap::from([("cancelled", USERS)]), "{signal:?}, {name}: {row:?}");
        assert_eq!((row.total(), server.finish().requests), (USERS, USERS), "{signal:?}, {name}");
    }
}

#[test]
fn a_signal_ends_requests_in_every_state_and_each_is_counted_as_cancelled() {
    for signal in if thorough() { &SIGNALS[..] } else { &SIGNALS[..2] } {
        ended_by(*signal);
    }
    if !thorough() {
        left_out("signals in every state", 2);
    }
}

/// The limit leaves room for one connection of each user; the redirect needs a second one, which the plan cannot know.
#[test]
fn a_limit_of_open_files_that_is_reached_in_mid_run_fails_requests_and_not_the_run() {
    const USERS: u64 = 60;
    let other = RawServer::recording();
    let to = other.base_url();
    let target = RawServer::start(move |_| {
        format!("HTTP/1.1 302 Found\r\nlocation: {to}/\r\ncontent-length: 0\r\n\r\n").into_bytes()
    });
    let script = "- {name: Page, url: /}\n- {name: Stay, action: sleep, for: 300ms}\n";
    let host = other.base_url().replace("http://", "");
    let run = shooter_after("ulimit -n 128").script(script).args("--users 60 --timeout 20s --allow-host").arg(host);
    let report = run.arg("--base-url").arg(target.base_url()).report().finish().exits(0).report();
    report.assert_consistent();
    let row = report.row("Page");
    let (first, second) = (target.take().len() as u64, other.take().len() as u64);
    assert_eq!((row.ok(), row.tasks("passed")), (first + second, second), "{row:?}");
    assert_eq!((row.err(), row.tasks("failed")), (USERS - second, USERS - second), "{row:?}");
    assert!(row.errors().keys().all(|category| *category == "network"), "{row:?}");
}
