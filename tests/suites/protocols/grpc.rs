//! The `grpc` action, against tonic and servers that are none.

use std::fmt::Display;

use stampede_tests::{Finished, GrpcServer, Refusing, Report, Run, site};

use super::metric;
use crate::shooter;

const FLAGS: &str = "--users 4 --iterations 5 --workers 2";
/// Runs of each step.
const TASKS: u64 = 20;

fn step(name: &str, url: impl Display, method: &str, more: &str) -> String {
    let method = format!("method: stampede.test.Echo/{method}, proto: [echo.proto, kind.proto]");
    format!("  - {{name: {name}, action: grpc, url: '{url}', {method}, {more}}}\n")
}

/// The binary, with the script and the schemas that it names in its folder.
fn with(script: &str) -> Run {
    let run = shooter().file("echo.proto", include_str!("../../harness/protos/echo.proto"));
    run.file("kind.proto", include_str!("../../harness/protos/kind.proto")).script(script)
}

#[track_caller]
fn ran(script: &str, flags: &str) -> (Finished, Report) {
    let run = with(script).args(flags).args("--fail-on never").report().finish().exits(0);
    let report = run.report();
    report.assert_consistent();
    (run, report)
}

fn counted(report: &Report, name: &str) -> u64 {
    metric(report, "grpc", name, "sum") as u64
}

#[test]
fn calls_of_all_four_kinds_are_made_and_counted() {
    let server = GrpcServer::start();
    let step = |name: &str, method: &str, more: &str| step(name, server.base_url(), method, more);
    let message = "{text: 'user {{userId}}', number: '{{iteration}}', kind: LOUD, at: '2026-01-02T03:04:05Z'}";
    let script = [
        "steps:\n".to_owned(),
        step(
            "Say",
            "Say",
            &format!(
                "message: {message}, metadata: {{x-token: 't-{{{{userId}}}}'}}, save: {{token: {{json: $.token}}}}, \
                 expect: {{json: $.kind, equals: LOUD, contains: '\"number\":\"{{{{iteration}}}}\"'}}"
            ),
        ),
        step("Hear", "Hear", "message: {count: 7, size: 3}, expect: {json: $.number, equals: 7}, deadline: 5m"),
        step("Tell", "Tell", "messages: {message: {text: abc}, times: 50000}, expect: {json: $.size, equals: 150000}"),
        step("Talk", "Talk", "messages: [{text: one}, {text: '{{var token}}'}, {}], expect: '{{var token}}'"),
        step("Long", "Talk", "messages: {message: {text: abc}, times: 20000}"),
        step("Missing", "Serve", "message: {code: 5}, expect_status: NOT_FOUND"),
    ]
    .concat();
    let (run, report) = ran(&script, FLAGS);
    for name in ["Say", "Hear", "Tell", "Talk", "Long", "Missing"] {
        let row = report.row(name);
        assert_eq!(
            (row.ok(), row.err(), row.tasks("passed")),
            (TASKS, 0, TASKS),
            "{name}\n{}\n{}",
            run.stdout,
            run.stderr
        );
    }
    let (out, came) = (1 + 1 + 50_000 + 3 + 20_000 + 1, 1 + 7 + 1 + 3 + 20_000);
    assert_eq!((server.came(), counted(&report, "messages_out")), (out * TASKS, out * TASKS));
    assert_eq!((server.went(), counted(&report, "messages_in")), (came * TASKS, came * TASKS));
    assert_eq!(metric(&report, "grpc", "first_message", "count") as u64, 5 * TASKS);
    assert_eq!(report.traps("grpc"), (0, 0));
}

#[test]
fn what_goes_wrong_has_its_category() {
    let (server, refusing, plain) = (GrpcServer::start(), Refusing::bind(), site());
    let base = server.base_url();
    let script = [
        "steps:\n".to_owned(),
        step("Status", &base, "Serve", "message: {code: 5}"),
        step("After", &base, "Hear", "message: {count: 3, code: 13}"),
        step("Fine", &base, "Say", "expect_status: 5"),
        step("Deadline", &base, "Serve", "message: {pause_ms: '60000'}, deadline: 100ms"),
        step("Late", &base, "Serve", "message: {pause_ms: '60000'}, timeout: 100ms"),
        step("Large", &base, "Hear", "message: {count: 1000000, size: 1001}, max_message: 1000"),
        step("Other", &base, "Say", "message: {text: a}, expect: {json: $.text, equals: b}"),
        step("Save", &base, "Say", "message: {text: a}, save: {a: {json: $.nothing}}"),
        step("Stopped", &base, "Talk", "messages: {message: {text: stop}, times: 1000000}"),
        step("Rendered", &base, "Say", "message: {number: 'a{{userId}}'}"),
        step("Unknown", plain.base_url(), "Say", ""),
        step("Refused", refusing.base_url(), "Say", ""),
    ]
    .concat();
    let (run, report) = ran(&script, FLAGS);
    for (name, category, example) in [
        ("Status", "status", "expected status OK, got NOT_FOUND: as ordered: é%"),
        ("After", "status", "expected status OK, got INTERNAL: as ordered: é%"),
        ("Fine", "status", "expected status NOT_FOUND, got OK"),
        ("Late", "timeout", "not done within 100ms"),
        ("Large", "protocol", "a message has 1006 bytes, more than the 1000 of `max_message`"),
        ("Other", "check", "expected a message with `$.text` = `b`, got 1 others"),
        ("Save", "check", "save `a`: nothing at `$.nothing`"),
        ("Stopped", "status", "expected status OK, got ABORTED: stopped"),
        ("Rendered", "check", "the message was rendered to no `stampede.test.Said`"),
        ("Unknown", "status", "expected HTTP status 200, got 404"),
    ] {
        let row = report.row(name);
        assert_eq!(row.errors(), [(category, TASKS)].into(), "{name}\n{}\n{}", run.stdout, run.stderr);
        assert_eq!(row.example(category), example, "{name}");
    }
    assert_eq!(report.row("Deadline").errors(), [("timeout", TASKS)].into(), "{}", run.stdout);
    assert_eq!(report.row("Refused").errors(), [("network", TASKS)].into(), "{}", run.stdout);
    assert_eq!(report.traps("grpc"), (0, 0));
}

#[test]
fn mistakes_are_found_before_the_run() {
    for (method, more, message) in [
        ("Shout", "", "`stampede.test.Echo` has no method `Shout`"),
        ("Say", "message: {texd: a}", "texd"),
        ("Say", "messages: [{}]", "`stampede.test.Echo/Say` takes one message"),
        ("Say", "expect_status: FINE", "`FINE` is no status of gRPC"),
    ] {
        let script = format!("steps:\n{}", step("Say", "http://127.0.0.1:1", method, more));
        let run = with(&script).args("--users 1 --iterations 1").finish();
        assert_eq!(run.code, Some(3), "{}", run.stderr);
        assert!(run.stderr.contains(message), "{}", run.stderr);
    }
}

#[test]
fn a_long_stream_is_read_in_flat_memory() {
    let server = GrpcServer::start();
    let hear = |count: u64| {
        let script = format!(
            "steps:\n{}",
            step("Hear", server.base_url(), "Hear", &format!("message: {{count: {count}, size: 100}}"))
        );
        let (run, report) = ran(&script, "--users 1 --iterations 1 --workers 1");
        assert_eq!((report.row("Hear").ok(), counted(&report, "messages_in")), (1, count), "{}", run.stdout);
        run.peak_kib
    };
    let (short, long) = (hear(100_000), hear(1_000_000));
    assert!(long <= short + (8 << 10), "{short} KiB, then {long} KiB");
}
