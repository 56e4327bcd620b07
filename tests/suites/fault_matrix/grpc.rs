//! The `grpc` action, whose peer may break HTTP/2, the framing of gRPC, or the messages.

use stampede_tests::Act::{self, GoAway, Preface, Reset, Stream};
use stampede_tests::http2::END_STREAM;

use super::cell::Cell;
use super::http2::{CANCEL, INTERNAL_ERROR, NO_ERROR, always, data, head, held, last, once, reset};
use super::runner::{Protocol, of_any_connection};

pub(super) const SCHEMA: &str = "syntax = \"proto3\";
package test;
service Service { rpc Unary(Text) returns (Text); }
message Text { string text = 1; }
";

/// The text `hello` as a message.
const MESSAGE: &[u8] = b"\x0a\x05hello";

/// Returns a message in its frame; `flag` is 1 if it is said to be compressed.
fn framed(flag: u8, length: u32, message: &[u8]) -> Vec<u8> {
    [&[flag], length.to_be_bytes().as_slice(), message].concat()
}

fn hello() -> Vec<u8> {
    framed(0, 7, MESSAGE)
}

fn begin() -> Act {
    head(&[(":status", "200"), ("content-type", "application/grpc")], 0)
}

fn end(status: &str) -> Act {
    head(&[("grpc-status", status)], END_STREAM)
}

fn answered(content: impl Into<Vec<u8>>) -> Vec<Act> {
    always([begin(), data(content), end("0")])
}

fn table() -> Vec<Cell> {
    let own = vec![
        Cell::passes("as it should be", answered(hello())).status(200),
        Cell::passes("GOAWAY in each reply", held([begin(), data(hello()), GoAway(true, NO_ERROR), end("0")])),
        Cell::fails("protocol", "no trailers", always([begin(), last(hello())])),
        Cell::fails(
            "protocol",
            "trailers without a status",
            always([begin(), data(hello()), head(&[("x", "y")], END_STREAM)]),
        ),
        Cell::fails("status", "UNAVAILABLE", always([begin(), end("14")])),
        Cell::fails(
            "status",
            "UNIMPLEMENTED without content",
            always([head(
                &[(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "12")],
                END_STREAM,
            )]),
        ),
        Cell::fails("status", "HTTP status 503", always([head(&[(":status", "503")], END_STREAM)])).status(503),
        Cell::fails(
            "protocol",
            "HTML",
            always([head(&[(":status", "200"), ("content-type", "text/html")], 0), last("<html>")]),
        ),
        Cell::fails("protocol", "OK without a message", always([begin(), end("0")])),
        Cell::fails("protocol", "two messages", answered(hello().repeat(2))),
        Cell::fails("protocol", "a message cut short", answered(framed(0, 9, MESSAGE))),
        Cell::fails("protocol", "a length cut short", answered([0; 3])),
        Cell::fails("protocol", "an unknown flag", answered(framed(7, 7, MESSAGE))),
        Cell::fails("protocol", "1 GiB announced", always([begin(), data(framed(0, 1 << 30, MESSAGE))])),
        Cell::fails("protocol", "not a message of the schema", answered(framed(0, 2, b"\x0a\xff"))),
        Cell::fails("check", "another text", answered(framed(0, 4, b"\x0a\x02no"))),
        Cell::fails("network", "RST_STREAM with CANCEL", always([reset(CANCEL)])),
        Cell::fails(
            "network",
            "RST_STREAM in a message",
            always([begin(), data(&hello()[..5]), reset(INTERNAL_ERROR)]),
        ),
        Cell::fails("network", "GOAWAY with an error", once([GoAway(true, INTERNAL_ERROR)])),
        Cell::fails("protocol", "closed in a message", once([begin(), data(&hello()[..5])])),
        Cell::fails("network", "reset in a message", once([begin(), data(&hello()[..5]), Reset])).or("protocol"),
        Cell::times_out("stalls after the head", held([begin()])),
        Cell::times_out("stalls in a message", held([begin(), data(&hello()[..5])])),
        Cell::fails(
            "protocol",
            "speaks HTTP/1.1",
            [Act::Any, Act::Send(b"HTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n".into())],
        ),
        Cell::fails("protocol", "garbage", [Act::Any, Act::Send(vec![0xf7; 300])]),
    ];
    [of_any_connection(&[Preface(vec![]), Stream]), own].concat()
}

fn protocol(tls: bool) -> Protocol {
    Protocol {
        name: if tls { "gRPC over TLS" } else { "gRPC" },
        tls,
        alpn: &["h2"],
        step: |server| {
            let call = "action: grpc, method: test.Service/Unary, proto: [test.proto], message: {text: hi}";
            format!("{call}, expect: {{json: $.text, equals: hello}}, url: '{}'", server.base_url())
        },
        files: &[("test.proto", SCHEMA)],
    }
}

#[test]
fn every_fault_of_a_grpc_peer_ends_as_the_table_says_and_both_sides_count_the_same() {
    let (protocol, table) = (protocol(false), table());
    protocol.run(&table);
    protocol.count(&table);
}

#[test]
fn every_fault_of_a_grpc_peer_behind_tls_ends_as_the_table_says_and_both_sides_count_the_same() {
    let (protocol, table) = (protocol(true), table());
    protocol.run(&table);
    protocol.count(&table);
}
