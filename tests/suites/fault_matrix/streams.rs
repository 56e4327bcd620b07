//! The `sse` and `tcp` actions.

use stampede_tests::Act::{self, Again, Bytewise, Drip, Endless, HalfClose, Hold, Line, Request, Reset, Send};

use super::cell::Cell;
use super::runner::{Protocol, of_any_connection};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";
const EVENT: &str = "data: x\n\n";
/// An event in a chunk.
const CHUNK: &str = "9\r\ndata: x\n\n\r\n";

fn send(text: &str) -> Act {
    Send(text.into())
}

/// Returns a reply that ends with the connection.
fn open(events: &str) -> String {
    format!("{HEAD}\r\n{events}")
}

fn chunked(chunks: &str) -> String {
    format!("{HEAD}transfer-encoding: chunked\r\n\r\n{chunks}")
}

/// Cells of a step that wants three events.
fn events() -> Vec<Cell> {
    let once = |reply: &str| [Request, send(reply)];
    // The connection may be used again.
    let always = |reply: &str| [Request, send(reply), Again];
    let status = |name, reply: &str| Cell::fails("status", name, always(reply));
    let own = vec![
        Cell::passes("as it should be", once(&open(&EVENT.repeat(3)))).status(200),
        Cell::passes("chunked, and stays open", [Request, send(&chunked(&CHUNK.repeat(3))), Hold]).status(200),
        Cell::passes("a byte at a time", [Request, Bytewise(open(&EVENT.repeat(3)).into())]),
        Cell::passes("all line ends and a BOM", once(&open("\u{feff}data: a\r\n\r\ndata: b\r\rdata: c\n\n"))),
        Cell::passes(
            "bytes that are not UTF-8",
            [Request, Send([open("").as_bytes(), &b"data: \xff\n\n".repeat(3)].concat())],
        ),
        Cell::passes("100,000 events at once", [Request, Send(open(&EVENT.repeat(100_000)).into())]).excess().slow(),
        Cell::times_out("stalls after the head", [Request, send(&chunked("")), Hold]),
        Cell::times_out("stalls after two events", [Request, send(&chunked(&CHUNK.repeat(2))), Hold]),
        Cell::times_out("comments without an end", [Request, send(&open("")), Endless(b": c\n\n".repeat(200))]).slow(),
        Cell::times_out("drips for longer than the timeout", [Request, Drip(open(&EVENT.repeat(20)).into())]).slow(),
        Cell::fails("network", "ends after two events", once(&open(&EVENT.repeat(2)))),
        Cell::fails("protocol", "closed in a chunk", once(&chunked(&format!("{CHUNK}20\r\n{EVENT}")))),
        Cell::fails("network", "reset after two events", [Request, send(&open(&EVENT.repeat(2))), Reset]),
        Cell::fails("protocol", "malformed chunk", once(&chunked(&format!("zz\r\n{EVENT}")))),
        Cell::fails("protocol", "garbage", [Request, Send((0..=255).rev().collect())]),
        Cell::fails(
            "protocol",
            "an event of more than 1 MiB",
            [Request, send(&open("data: ")), Endless(vec![b'x'; 50_000])],
        ),
        Cell::fails(
            "protocol",
            "another content type",
            always("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 0\r\n\r\n"),
        ),
        status("status 500", "HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"),
        status("status 204", "HTTP/1.1 204 No\r\n\r\n"),
        status("a redirect", "HTTP/1.1 302 No\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n"),
    ];
    [of_any_connection(&[Request]), own].concat()
}

/// Cells of a step that sends a line and wants `PONG`.
fn lines() -> Vec<Cell> {
    let own = vec![
        Cell::passes("as it should be", [Line, send("PONG\n")]),
        Cell::passes("a byte at a time", [Line, Bytewise(b"PONG\n".into())]),
        Cell::passes("closes its side after the answer", [Line, send("PONG\n"), HalfClose]),
        Cell::passes("drips for less than the timeout", [Line, Drip(b"PONG\n".into())]).slow(),
        Cell::fails("network", "half a line, and closed", [Line, send("PO")]),
        Cell::fails("network", "half a line, and reset", [Line, send("PO"), Reset]),
        Cell::fails("check", "another line", [Line, send("NOPE\n"), Hold]),
        Cell::fails("protocol", "bytes without a line end", [Line, Endless(vec![0xff; 10_000])]),
        Cell::fails("network", "closes its side before the answer", [Line, HalfClose]),
        Cell::times_out("half a line, and silence", [Line, send("PO"), Hold]),
        Cell::times_out("drips for longer than the timeout", [Line, Drip(vec![b'P'; 500])]).slow(),
    ];
    [of_any_connection(&[Line]), own].concat()
}

fn sse(tls: bool) -> Protocol {
    Protocol {
        name: if tls { "event streams over TLS" } else { "event streams" },
        tls,
        alpn: &["http/1.1"],
        step: |server| format!("action: sse, events: 3, url: '{}/'", server.base_url()),
        files: &[],
    }
}

fn tcp(tls: bool) -> Protocol {
    Protocol {
        name: if tls { "TCP with TLS" } else { "TCP" },
        tls,
        alpn: &[],
        step: |server| {
            let tls = server.base_url().starts_with("https:");
            let address = server.address();
            format!("action: tcp, address: '{address}', tls: {tls}, send: \"PING\\n\", expect: {{line: PONG}}")
        },
        files: &[],
    }
}

#[test]
fn every_fault_of_an_event_stream_ends_as_the_table_says_and_both_sides_count_the_same() {
    let (plain, secured, table) = (sse(false), sse(true), events());
    plain.run(&table);
    secured.run(&table);
    plain.count(&table);
    secured.count(&table);
}

#[test]
fn every_fault_of_a_tcp_peer_ends_as_the_table_says_and_both_sides_count_the_same() {
    let (plain, secured, table) = (tcp(false), tcp(true), lines());
    plain.run(&table);
    secured.run(&table);
    plain.count(&table);
    secured.count(&table);
}
