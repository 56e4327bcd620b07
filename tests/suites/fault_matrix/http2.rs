//! HTTP/2, in the clear and over TLS.

use stampede_tests::Act::{self, Again, Bytewise, Control, Endless, Frame, GoAway, Hold, Preface, Reset, Send, Stream};
use stampede_tests::http2::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, PUSH_PROMISE, RST_STREAM,
};
use stampede_tests::http2::{SETTINGS, field};

use super::cell::Cell;
use super::runner::{Protocol, of_any_connection};

/// Error codes (RFC 9113 section 7).
pub(super) const NO_ERROR: u32 = 0;
pub(super) const INTERNAL_ERROR: u32 = 2;
pub(super) const CANCEL: u32 = 8;
const ENHANCE_YOUR_CALM: u32 = 11;

/// Returns the acts of a peer that answers each request so.
pub(super) fn always(reply: impl IntoIterator<Item = Act>) -> Vec<Act> {
    [Preface(vec![]), Stream].into_iter().chain(reply).chain([Again]).collect()
}

/// Returns the acts of a peer that answers one request so, and then closes.
pub(super) fn once(reply: impl IntoIterator<Item = Act>) -> Vec<Act> {
    [Preface(vec![]), Stream].into_iter().chain(reply).collect()
}

/// Returns the acts of a peer that answers one request so, and leaves the connection open.
pub(super) fn held(reply: impl IntoIterator<Item = Act>) -> Vec<Act> {
    once(reply.into_iter().chain([Hold]))
}

/// Returns a head; `more` is a flag beside the end of the fields.
pub(super) fn head(fields: &[(&str, &str)], more: u8) -> Act {
    let block = fields.iter().flat_map(|(name, value)| field(name, value)).collect();
    Frame(HEADERS, END_HEADERS | more, block)
}

pub(super) fn data(content: impl Into<Vec<u8>>) -> Act {
    Frame(DATA, 0, content.into())
}

pub(super) fn last(content: impl Into<Vec<u8>>) -> Act {
    Frame(DATA, END_STREAM, content.into())
}

/// Returns the end of a stream with an error code.
pub(super) fn reset(code: u32) -> Act {
    Frame(RST_STREAM, 0, code.to_be_bytes().into())
}

fn ok() -> Vec<Act> {
    vec![head(&[(":status", "200"), ("content-length", "5")], 0), last("hello")]
}

/// Returns the beginning of a reply of 50 bytes.
fn begun() -> Vec<Act> {
    vec![head(&[(":status", "200"), ("content-length", "50")], 0), data("hello")]
}

fn with(acts: Vec<Act>, more: impl IntoIterator<Item = Act>) -> Vec<Act> {
    acts.into_iter().chain(more).collect()
}

fn settings(identifier: u16, value: u32) -> Vec<u8> {
    [&identifier.to_be_bytes()[..], &value.to_be_bytes()].concat()
}

/// Streams and connections that end too early.
fn ended() -> Vec<Cell> {
    vec![
        Cell::fails("network", "RST_STREAM with an error", always([reset(INTERNAL_ERROR)])),
        Cell::fails("network", "RST_STREAM in the body", always(with(begun(), [reset(INTERNAL_ERROR)]))),
        Cell::fails("protocol", "RST_STREAM without an error in the body", always(with(begun(), [reset(NO_ERROR)]))),
        Cell::fails("network", "GOAWAY with an error", once([GoAway(true, INTERNAL_ERROR)])),
        Cell::passes("GOAWAY before the reply to the same request", once(with(vec![GoAway(true, NO_ERROR)], ok()))),
        Cell::fails("protocol", "closed in the body", once(begun())).status(200),
        Cell::fails("network", "reset in the body", once(with(begun(), [Reset]))).or("protocol"),
        Cell::times_out("stalls in the body", held(begun())),
        Cell::times_out("stalls after the settings", held([])),
        Cell::fails(
            "network",
            "GOAWAY that asks for calm at once",
            [Preface(vec![]), GoAway(false, ENHANCE_YOUR_CALM)],
        )
        .at_once(),
        Cell::fails("status", "status 503", always([head(&[(":status", "503")], END_STREAM)])).status(503),
    ]
}

/// Frames that break the protocol.
fn malformed() -> Vec<Cell> {
    let fails = |name, acts: Vec<Act>| Cell::fails("protocol", name, held(acts));
    let first = |text: &[u8]| vec![Act::Any, Send(text.into())];
    vec![
        Cell::fails("protocol", "garbage instead of settings", first(&[0xf7; 300])),
        Cell::fails(
            "protocol",
            "a reply of HTTP/1.1 instead of settings",
            first(b"HTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n"),
        ),
        fails("garbage after the head", vec![head(&[(":status", "200")], 0), Send(vec![0xff; 300])]),
        fails("malformed field block", vec![Frame(HEADERS, END_HEADERS | END_STREAM, vec![0xff; 6])]),
        fails("DATA before HEADERS", vec![last("hello")]),
        fails("DATA on a stream that does not exist", vec![Send(b"\0\0\x05\0\x01\0\0\0\x63hello".into())]),
        fails("a frame longer than allowed", vec![head(&[(":status", "200")], 0), last(vec![b'x'; 20_000])]),
        Cell::fails("protocol", "no status", always(vec![head(&[("content-length", "0")], END_STREAM)])),
        Cell::fails(
            "protocol",
            "content-length beyond the content",
            always(vec![head(&[(":status", "200"), ("content-length", "50")], 0), last("hello")]),
        ),
        Cell::fails(
            "protocol",
            "content-length below the content",
            always(vec![head(&[(":status", "200"), ("content-length", "3")], 0), last("hello")]),
        ),
        fails("a pushed reply", with(vec![Frame(PUSH_PROMISE, END_HEADERS, b"\0\0\0\x02\x82\x86\x84".into())], ok())),
        Cell::times_out(
            "content without an end, whatever the window",
            held([
                head(&[(":status", "200")], 0),
                Endless([b"\0\x40\0\0\0\0\0\0\x01".as_slice(), &[b'x'; 16_384]].concat()),
            ]),
        )
        .or("protocol")
        .slow(),
    ]
}

/// Flow control, floods, and replies that are right.
fn unusual() -> Vec<Cell> {
    let floods = |name, act: Act| Cell::times_out(name, held([act])).slow();
    vec![
        Cell::passes("as it should be", always(ok())).status(200),
        // The first stream of a connection, and `:status 204` in the static table.
        Cell::passes(
            "a byte at a time",
            held([GoAway(true, NO_ERROR), Bytewise(b"\0\0\x01\x01\x05\0\0\0\x01\x89".into())]),
        )
        .status(204),
        Cell::passes(
            "200 interim replies",
            always(with((0..200).map(|_| head(&[(":status", "103")], 0)).collect(), ok())),
        ),
        Cell::passes(
            "500 pings before the reply",
            always(with((0..500).map(|_| Control(PING, 0, vec![7; 8])).collect(), ok())),
        ),
        Cell::times_out("a window that is not opened for an upload", vec![Preface(vec![]), Stream, Hold])
            .with("method: POST, body: '{{randString 60000}}{{randString 60000}}'"),
        Cell::times_out("allows no streams", vec![Preface(settings(3, 0)), Stream, Hold]),
        floods("pings without an end", Endless(b"\0\0\x08\x06\0\0\0\0\0\0\0\0\0\0\0\0\0".repeat(100))),
        Cell::fails("protocol", "an acknowledgement of nothing", held([Control(SETTINGS, ACK, vec![])])),
        Cell::fails(
            "protocol",
            "fields without an end",
            held([
                Frame(HEADERS, 0, field(":status", "200")),
                Act::Endless([b"\0\0\x69\x09\0\0\0\0\x01".as_slice(), &[0, 1, b'a', 100], &[b'b'; 101]].concat()),
            ]),
        )
        .slow(),
        Cell::fails(
            "protocol",
            "fields of another stream in between",
            held([Frame(HEADERS, 0, field(":status", "200")), Control(CONTINUATION, END_HEADERS, vec![])]),
        ),
    ]
}

fn table() -> Vec<Cell> {
    [of_any_connection(&[Preface(vec![]), Stream]), ended(), malformed(), unusual()].concat()
}

fn protocol(tls: bool) -> Protocol {
    Protocol {
        name: if tls { "HTTP/2 over TLS" } else { "HTTP/2" },
        tls,
        alpn: &["h2"],
        step: |server| format!("url: '{}/', http_version: 2", server.base_url()),
        files: &[],
    }
}

#[test]
fn every_fault_of_an_http2_peer_ends_as_the_table_says_and_both_sides_count_the_same() {
    let (protocol, table) = (protocol(false), table());
    protocol.run(&table);
    protocol.count(&table);
}

#[test]
fn every_fault_of_an_http2_peer_behind_tls_ends_as_the_table_says_and_both_sides_count_the_same() {
    let (protocol, table) = (protocol(true), table());
    protocol.run(&table);
    protocol.count(&table);
}
