//! Schemas and messages of `grpc` that servers rarely have: editions, wrappers, many small parts, compression.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use stampede_tests::{Http2Server, Part, Report};

use crate::shooter;

/// A service whose messages are those of protobuf itself, or of many parts.
const SCHEMA: &str = r#"
syntax = "proto3";
package odd.v1;
import "google/protobuf/wrappers.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/empty.proto";
message Item { int32 id = 1; string name = 2; }
message Items { repeated Item items = 1; string last = 2; map<string, Item> by_name = 3; repeated int32 numbers = 4; }
service Odd {
  rpc Text(google.protobuf.StringValue) returns (google.protobuf.StringValue);
  rpc Time(google.protobuf.Timestamp) returns (google.protobuf.Empty);
  rpc List(google.protobuf.Empty) returns (Items);
}
"#;

/// Returns a message on the wire.
fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a short message");
    [&[flag], &length.to_be_bytes()[..], message].concat()
}

/// Returns a field of bytes, with the key `key`.
fn field(key: u8, content: &[u8]) -> Vec<u8> {
    let (mut field, mut length) = (vec![key], content.len());
    while length >= 0x80 {
        field.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    field.push(length as u8);
    [&field, content].concat()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).and_then(|()| encoder.finish()).expect("memory")
}

/// Serves this message as the reply to every call.
fn serving(head: Part, frame: Vec<u8>) -> Http2Server {
    let pieces = frame.chunks(16_000).map(|piece| Part::Data(piece.to_vec())).collect::<Vec<_>>();
    Http2Server::start([vec![head], pieces, vec![Part::Trailer("grpc-status", "0")]].concat())
}

#[track_caller]
fn called(server: &Http2Server, method: &str, more: &str) -> Report {
    let url = server.base_url();
    let script = format!(
        "[{{name: Call, action: grpc, url: '{url}', method: odd.v1.Odd/{method}, proto: [odd.proto], timeout: 1m{more}}}]"
    );
    let run = shooter().file("odd.proto", SCHEMA).script(&script).args("--iterations 2 --fail-on never").report();
    let run = run.finish().exits(0);
    let report = run.report();
    report.assert_consistent();
    assert_eq!(report.traps("grpc"), (0, 0), "{}", run.stderr);
    report
}

const GRPC: &str = "application/grpc";

#[test]
fn editions_are_refused_by_name() {
    let schema = "// A comment.\nedition = \"2023\";\npackage e.v1;\nmessage M { string s = 1; }\nservice S { rpc C(M) returns (M); }\n";
    // A compiled set of the same: one file with a name, a package and `syntax: editions`.
    let set = field(0x0a, &[field(0x0a, b"e.proto"), field(0x12, b"e.v1"), field(0x62, b"editions")].concat());
    for (source, name) in [("proto: [e.proto]", "e.proto"), ("descriptors: e.bin", "e.proto")] {
        let script = format!("[{{name: C, action: grpc, url: 'http://127.0.0.1:9', method: e.v1.S/C, {source}}}]");
        let run = shooter().file("e.proto", schema).file("e.bin", &set).script(&script).args("--iterations 1");
        let run = run.finish().exits(3);
        let text = format!("`{name}` is in an edition of protobuf, and editions are not supported");
        assert!(run.stderr.contains(&text), "{source}\n{}", run.stderr);
    }
}

#[test]
fn a_call_without_a_message_sends_an_empty_one_of_whatever_type() {
    let server = serving(Part::Head(GRPC), framed(0, b""));
    for method in ["Text", "Time", "List"] {
        let report = called(&server, method, "");
        assert_eq!(report.row("Call").tasks("passed"), 2, "{method}: {}", report.at("/actions/0/errors"));
    }
    let report = called(&server, "Text", ", message: 'hello {{userId}}', expect: '\"\"'");
    assert_eq!(report.row("Call").tasks("passed"), 2, "{}", report.at("/actions/0/errors"));
    let report = called(&server, "Time", ", message: '{{isoNow}}'");
    assert_eq!(report.row("Call").tasks("passed"), 2, "{}", report.at("/actions/0/errors"));
}

#[test]
fn messages_of_many_small_parts_are_looked_through_within_the_limits() {
    let item = field(0x0a, b"\x08\x07");
    let entry = |number: usize| {
        let key = field(0x0a, format!("k{number}").as_bytes());
        field(0x1a, &[key, field(0x12, b"\x08\x01")].concat())
    };
    let numbers = field(0x22, &vec![1; 300_000]);
    let last = field(0x12, b"the end");
    for (case, message, path, value) in [
        ("messages", item.repeat(100_000), "$.items[99999].id", "7"),
        ("entries", (0..50_000).flat_map(entry).collect(), "$.byName.k49999.id", "1"),
        ("numbers", numbers, "$.numbers[299999]", "1"),
    ] {
        let server = serving(Part::Head(GRPC), framed(0, &[message, last.clone()].concat()));
        let more = format!(", expect: {{json: '{path}', equals: {value}}}, save: {{end: {{json: $.last}}}}");
        let report = called(&server, "List", &more);
        assert_eq!(report.row("Call").tasks("passed"), 2, "{case}: {}", report.at("/actions/0/errors"));
    }
    let server = serving(Part::Head(GRPC), framed(0, &item.repeat(100_000)));
    let report = called(&server, "List", ", save: {all: {json: '$.items[*].name'}}");
    assert_eq!(
        report.row("Call").example("check"),
        "save `all`: the message has more than 20000 values, too many for `$.items[*].name`"
    );
    let server = serving(Part::Head(GRPC), framed(0, &field(0x0a, b"").repeat(1_000_000)));
    let report = called(&server, "List", ", expect: x");
    assert_eq!(report.row("Call").example("protocol"), "a message is too long as JSON");
}

#[test]
fn compressed_messages_are_read() {
    let message = field(0x12, b"the end");
    for (coding, compressed, text) in [
        ("gzip", gzip(&message), ""),
        ("snappy", message.clone(), "a message is compressed in `snappy`, which is not supported"),
        ("gzip", message.clone(), "a message is not in `gzip`, as the reply says"),
        ("identity", message.clone(), "a message is compressed, and the reply names no `grpc-encoding`"),
    ] {
        let head = Part::Fields(vec![("content-type", GRPC), ("grpc-encoding", coding)]);
        let server = serving(head, framed(1, &compressed));
        let report = called(&server, "List", ", expect: {json: $.last, equals: the end}");
        assert_eq!(report.row("Call").example("protocol"), text);
        assert_eq!(report.row("Call").tasks("passed"), if text.is_empty() { 2 } else { 0 });
        let counted = called(&server, "List", "").row("Call").tasks("passed");
        assert_eq!(counted, if coding == "identity" { 0 } else { 2 }, "{coding}: what is only counted is not read");
    }
}
