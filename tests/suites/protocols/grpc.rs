//! The `grpc` action, against tonic and against servers that do not speak gRPC.

use std::fmt::Display;
use std::slice;

use stampede_tests::{
    Finished, GrpcServer, Http2Server, Nginx, Part, Reflection, Refusing, Report, Run, descriptors, site,
};

use super::metric;
use crate::shooter;

const FLAGS: &str = "--users 4 --iterations 5 --workers 2";
/// Runs of each step.
const TASKS: u64 = 20;

fn step(name: &str, url: impl Display, method: &str, more: &str) -> String {
    let method = format!("stampede.test.Echo/{method}, proto: [echo.proto, kind.proto]");
    without_schema(name, url, &method, more)
}

fn reflected(name: &str, url: impl Display, method: &str, more: &str) -> String {
    without_schema(name, url, &format!("{method}, reflection: true"), more)
}

fn without_schema(name: &str, url: impl Display, method: &str, more: &str) -> String {
    format!("  - {{name: {name}, action: grpc, url: '{url}', method: {method}, {more}}}\n")
}

/// Returns a call with the script, and the schemas that it names, in its folder.
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
fn failures_have_their_category() {
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
        ("Late", "timeout", "not done within 100ms: waiting for the reply"),
        ("Large", "protocol", "a message has 1006 bytes, more than the 1000 of `max_message`"),
        ("Other", "check", "expected a message with `$.text` = `b`, got 1 others"),
        ("Save", "check", "save `a`: nothing at `$.nothing`"),
        ("Stopped", "status", "expected status OK, got ABORTED: stopped"),
        ("Rendered", "check", "the message did not render to a `stampede.test.Said`"),
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
fn schemas_come_from_compiled_sets_too() {
    let server = GrpcServer::start();
    let [echo, health] = descriptors();
    let step = |name: &str, method: &str, more: &str| without_schema(name, server.base_url(), method, more);
    let script = [
        "steps:\n".to_owned(),
        step(
            "Say",
            "stampede.test.Echo/Say, descriptors: echo.bin",
            "message: {kind: LOUD, at: '2026-01-02T03:04:05Z'}, expect: {json: $.kind, equals: LOUD}",
        ),
        step(
            "Health",
            "grpc.health.v1.Health/Check, descriptors: health.bin",
            "message: {service: stampede.test.Echo}, expect: {json: $.status, equals: SERVING}",
        ),
        step(
            "Unknown",
            "grpc.health.v1.Health/Check, descriptors: health.bin",
            "message: {service: stampede.test.Ehco}, expect_status: NOT_FOUND",
        ),
    ]
    .concat();
    let run = shooter().file("echo.bin", echo).file("health.bin", health).script(&script).args(FLAGS);
    let run = run.report().finish().exits(0);
    let report = run.report();
    report.assert_consistent();
    for name in ["Say", "Health", "Unknown"] {
        let row = report.row(name);
        assert_eq!((row.ok(), row.err(), row.tasks("passed")), (TASKS, 0, TASKS), "{name}\n{}", run.stdout);
    }
    assert_eq!((server.came(), server.went()), (TASKS, TASKS));
    let script = ["steps:\n".to_owned(), step("Say", "stampede.test.Echo/Say, descriptors: echo.bin", "")].concat();
    let run = shooter().file("echo.bin", &echo[..100]).script(&script).finish().exits(3);
    assert!(run.stderr.contains("`echo.bin` is not a set of descriptors: "), "{}", run.stderr);
}

#[test]
fn calls_over_tls_have_the_same_results() {
    let server = GrpcServer::start();
    let nginx =
        Nginx::start_tls(&format!("location / {{ grpc_pass {}; }}", server.base_url().replace("http:", "grpc:")));
    let base = nginx.base_url();
    let script = [
        "steps:\n".to_owned(),
        step("Say", &base, "Say", "message: {text: a}, expect: a"),
        step("Hear", &base, "Hear", "message: {count: 7, size: 3}, expect: {json: $.number, equals: 7}"),
        step("Talk", &base, "Talk", "messages: {message: {text: abc}, times: 300}"),
        step("Missing", &base, "Serve", "message: {code: 5}, expect_status: NOT_FOUND"),
    ]
    .concat();
    let (run, report) = ran(&script, &format!("{FLAGS} --insecure-tls"));
    for name in ["Say", "Hear", "Talk", "Missing"] {
        let row = report.row(name);
        assert_eq!((row.ok(), row.err(), row.tasks("passed")), (TASKS, 0, TASKS), "{name}\n{}", run.stdout);
    }
    assert_eq!(server.came(), (1 + 1 + 300 + 1) * TASKS);
    assert_eq!((server.went(), counted(&report, "messages_in")), ((1 + 7 + 300) * TASKS, (1 + 7 + 300) * TASKS));
    let log = nginx.log(4 * TASKS);
    assert!(log.iter().all(|line| line.status == 200 && line.request.ends_with("HTTP/2.0")), "{log:?}");
    // The script does not trust this certificate.
    let script = format!("steps:\n{}", step("Say", &base, "Say", ""));
    let run = with(&script).args(FLAGS).report().finish().exits(5);
    assert_eq!(run.report().row("Say").errors(), [("network", TASKS)].into(), "{}", run.stdout);
}

#[test]
fn forbidden_messages_of_a_server_have_their_category() {
    let server = |parts: &[Part]| Http2Server::start([&[Part::Head("application/grpc")], parts].concat()).base_url();
    let data = |content: &[u8]| Part::Data(content.to_vec());
    let (ok, short) = (Part::Trailer("grpc-status", "0"), data(b"\0\0\0\0\x0aabc"));
    let script = [
        "steps:\n".to_owned(),
        step("Short", server(&[short.clone(), ok.clone()]), "Say", ""),
        step("Long", server(&[data(b"\0\x7f\xff\xff\xff"), ok.clone()]), "Say", ""),
        step("Compressed", server(&[data(b"\x01\0\0\0\0"), ok.clone()]), "Say", ""),
        step("Flag", server(&[data(b"HTTP/1.1 200 OK"), ok.clone()]), "Say", ""),
        step("None", server(slice::from_ref(&ok)), "Say", ""),
        step("Two", server(&[data(b"\0\0\0\0\0"), data(b"\0\0\0\0\0"), ok.clone()]), "Say", ""),
        step("Other", server(&[data(b"\0\0\0\0\x01\xff"), ok.clone()]), "Say", "expect: a"),
        step("Trailers", server(&[data(b"\0\0\0\0\0"), Part::End]), "Say", ""),
        step("Field", server(&[data(b"\0\0\0\0\0"), Part::Trailer("grpc-message", "a")]), "Say", ""),
        step("Word", server(&[data(b"\0\0\0\0\0"), Part::Trailer("grpc-status", "OK")]), "Say", ""),
        step("Type", Http2Server::start([Part::Head("text/plain"), ok]).base_url(), "Say", ""),
        step("Reset", server(&[short.clone(), Part::Reset(2)]), "Say", ""),
        step("Ended", server(&[short.clone(), Part::Reset(0)]), "Say", ""),
        step("Refused", server(&[Part::Reset(7)]), "Say", ""),
        step("Closed", server(&[short, Part::Close]), "Say", ""),
        step("Headless", Http2Server::start([Part::Close]).base_url(), "Say", ""),
    ]
    .concat();
    let (run, report) = ran(&script, FLAGS);
    for (name, category, example) in [
        ("Short", "protocol", "the reply ended within a message"),
        ("Long", "protocol", "a message has 2147483647 bytes, more than the 4194304 of `max_message`"),
        ("Compressed", "protocol", "a message is compressed, and the reply names no `grpc-encoding`"),
        ("Flag", "protocol", "a message begins with 72 instead of 0 or 1"),
        ("None", "protocol", "expected one message, got 0"),
        ("Two", "protocol", "expected one message, got 2"),
        ("Other", "protocol", "a message is not a `stampede.test.Said`"),
        ("Trailers", "protocol", "expected a `grpc-status`, got none"),
        ("Field", "protocol", "expected a `grpc-status`, got none"),
        ("Word", "protocol", "expected a `grpc-status` that is a number"),
        ("Type", "protocol", "expected the content type `application/grpc`, got another"),
        ("Reset", "network", ""),
        ("Ended", "protocol", "reply truncated"),
        ("Refused", "network", ""),
        ("Closed", "protocol", "reply truncated"),
        ("Headless", "network", ""),
    ] {
        let row = report.row(name);
        assert_eq!(row.errors(), [(category, TASKS)].into(), "{name}\n{}\n{}", run.stdout, run.stderr);
        assert_eq!(row.tasks("failed"), TASKS, "{name}");
        assert!(row.example(category).contains(example), "{name}: {}", row.example(category));
    }
    assert_eq!(report.traps("grpc"), (0, 0));
}

#[test]
fn an_expected_deadline_is_not_an_error() {
    let (silent, began) = (Http2Server::start([]), Http2Server::start([Part::Head("application/grpc")]));
    let script = ["steps:\n".to_owned()]
        .into_iter()
        .chain([("Silent", &silent), ("Began", &began)].into_iter().flat_map(|(name, server)| {
            let step = |name: &str, more: &str| {
                step(name, server.base_url(), "Say", &format!("message: {{text: a}}, deadline: 20ms, {more}"))
            };
            [step(name, "expect_status: DEADLINE_EXCEEDED"), step(&format!("{name} unexpected"), "")]
        }))
        .collect::<String>();
    let (run, report) = ran(&script, FLAGS);
    for name in ["Silent", "Began"] {
        let row = report.row(name);
        assert_eq!((row.ok(), row.err(), row.tasks("passed")), (TASKS, 0, TASKS), "{name}\n{}", run.stdout);
        let unexpected = report.row(&format!("{name} unexpected"));
        assert_eq!(unexpected.errors(), [("timeout", TASKS)].into(), "{name}\n{}", run.stdout);
        assert_eq!(unexpected.example("timeout"), "expected status OK, got DEADLINE_EXCEEDED");
    }
}

#[test]
fn the_server_sends_its_schema_once_to_each_worker() {
    for reflection in [Reflection::V1, Reflection::V1Alpha] {
        let server = GrpcServer::reflecting(reflection);
        let step = |name: &str, method: &str, more: &str| reflected(name, server.base_url(), method, more);
        let script = [
            "steps:\n".to_owned(),
            step(
                "Say",
                "stampede.test.Echo/Say",
                "message: {text: 'user {{userId}}', kind: LOUD, at: '2026-01-02T03:04:05Z'}, \
                 expect: {json: $.kind, equals: LOUD, contains: 'user {{userId}}'}",
            ),
            step("Talk", "stampede.test.Echo/Talk", "messages: {message: {text: abc}, times: 300}, deadline: 5m"),
            step("Health", "grpc.health.v1.Health/Check", "expect: {json: $.status, equals: SERVING}"),
        ]
        .concat();
        let (run, report) = ran(&script, FLAGS);
        // Each worker asks each version once for each of the two services, the newer version first.
        let (services, versions) = (2, if reflection == Reflection::V1 { 1 } else { 2 });
        let workers = report.at("/settings/workers").as_u64().expect("a number");
        assert_eq!(server.asked(), workers * services, "{}", run.stdout);
        for (name, asked) in [("Say", workers * versions), ("Talk", 0), ("Health", workers * versions)] {
            let row = report.row(name);
            assert_eq!((row.ok(), row.err(), row.tasks("passed")), (TASKS + asked, 0, TASKS), "{name}\n{}", run.stdout);
        }
        assert_eq!((server.came(), server.went()), (301 * TASKS, 301 * TASKS));
        assert_eq!((counted(&report, "messages_out"), counted(&report, "messages_in")), (302 * TASKS, 302 * TASKS));
        assert_eq!(metric(&report, "grpc", "first_message", "count") as u64, 3 * TASKS);
        assert_eq!(report.traps("grpc"), (0, 0));
    }
}

#[test]
fn a_schema_that_the_server_does_not_send_has_its_category() {
    let (server, silent, refusing) = (GrpcServer::reflecting(Reflection::V1), GrpcServer::start(), Refusing::bind());
    let head = Part::Head("application/grpc");
    // `file_descriptor_response {file_descriptor_proto: …}`: a byte that does not begin a field, and a file that
    // imports another.
    let (file, imports) = (b"\0\0\0\0\x05\x22\x03\x0a\x01\xff", b"\0\0\0\0\x0c\x22\x0a\x0a\x08\x0a\x01a\x1a\x03b.c");
    let answers = [file.as_slice(), &imports.repeat(2), b"\0\0\0\0\x01\xff"];
    let [file, imports, answer] = answers.map(|answer| Http2Server::start([head.clone(), Part::Data(answer.to_vec())]));
    let script = [
        "steps:\n".to_owned(),
        reflected("None", silent.base_url(), "stampede.test.Echo/Say", ""),
        reflected("Service", server.base_url(), "stampede.test.Ehco/Say", ""),
        reflected("Method", server.base_url(), "stampede.test.Echo/Shout", ""),
        reflected("Message", server.base_url(), "stampede.test.Echo/Say", "message: {texd: a}"),
        reflected("Stream", server.base_url(), "stampede.test.Echo/Say", "messages: [{}]"),
        reflected("File", file.base_url(), "stampede.test.Echo/Say", ""),
        reflected("Imports", imports.base_url(), "stampede.test.Echo/Say", ""),
        reflected("Answer", answer.base_url(), "stampede.test.Echo/Say", ""),
        reflected("Refused", refusing.base_url(), "stampede.test.Echo/Say", ""),
    ]
    .concat();
    let (run, report) = ran(&script, FLAGS);
    for (name, category, example) in [
        ("None", "status", "expected server reflection, got UNIMPLEMENTED"),
        ("Service", "status", "expected the schema of `stampede.test.Ehco`, got NOT_FOUND"),
        ("Method", "check", "`stampede.test.Echo` has no method `Shout`"),
        ("Message", "check", "texd"),
        ("Stream", "check", "`stampede.test.Echo/Say` takes one message"),
        ("File", "protocol", "the server's schema is malformed: "),
        ("Imports", "protocol", "the server was asked for the file `b.c` and sent others"),
        ("Answer", "protocol", "an answer of the server's reflection is malformed"),
        ("Refused", "network", "refused"),
    ] {
        let row = report.row(name);
        assert_eq!(row.errors(), [(category, TASKS)].into(), "{name}\n{}\n{}", run.stdout, run.stderr);
        assert_eq!(row.tasks("failed"), TASKS, "{name}");
        assert!(row.example(category).contains(example), "{name}: {}", row.example(category));
    }
    assert_eq!(report.traps("grpc"), (0, 0));
}

#[test]
fn errors_are_found_before_the_run() {
    for (method, more, message) in [
        ("Shout", "", "`stampede.test.Echo` has no method `Shout`"),
        ("Say", "message: {texd: a}", "texd"),
        ("Say", "messages: [{}]", "`stampede.test.Echo/Say` takes one message"),
        ("Say", "expect_status: FINE", "`FINE` is not a gRPC status"),
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
    // On a busy machine the reader lags behind, and what HTTP/2 may send ahead fills up: that much may be added.
    // Whatever is kept of a message has eight bytes at least, which would be 70 MiB more.
    let (short, long) = (hear(3_000_000), hear(12_000_000));
    assert!(long <= short + (32 << 10), "{short} KiB, then {long} KiB");
}
