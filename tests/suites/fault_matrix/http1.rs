//! HTTP/1.1, in the clear and over TLS.

use stampede_tests::Act::{self, Again, Bytewise, Drip, Endless, HalfClose, Hold, Request, Reset, Send};

use super::cell::Cell;
use super::runner::{Protocol, of_any_connection};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
const GZIP_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 10\r\n\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

fn send(text: impl Into<Vec<u8>>) -> Act {
    Send(text.into())
}

/// Returns the acts of a peer that answers one request so, and then closes.
fn once(reply: impl Into<Vec<u8>>) -> Vec<Act> {
    vec![Request, send(reply)]
}

/// Returns the acts of a peer that answers every request so.
fn always(reply: impl Into<Vec<u8>>) -> Vec<Act> {
    vec![Request, send(reply), Again]
}

/// Returns the acts of a peer that answers so and leaves the connection open.
fn held(reply: impl Into<Vec<u8>>) -> Vec<Act> {
    vec![Request, send(reply), Hold]
}

fn chunked(rest: &str) -> String {
    format!("{CHUNKED}{rest}")
}

/// Heads and bodies that end too early, and peers that are slow.
pub(super) fn cut_short() -> Vec<Cell> {
    vec![
        Cell::fails("protocol", "closed in the head", once("HTTP/1.1 200 OK\r\ncont")),
        Cell::fails("network", "reset in the head", [Request, send("HTTP/1.1 200 OK\r\ncont"), Reset]),
        Cell::fails("protocol", "closed in the body", once("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello"))
            .status(200),
        Cell::fails(
            "network",
            "reset in the body",
            [Request, send("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello"), Reset],
        ),
        Cell::fails("protocol", "closed in a chunk", once(chunked("10\r\nhello"))).status(200),
        Cell::fails("protocol", "closed before the last chunk", once(chunked("5\r\nhello\r\n"))).status(200),
        Cell::fails("protocol", "closed before the end of the last chunk", once(chunked("5\r\nhello\r\n0\r\n")))
            .status(200),
        Cell::fails("network", "closes its side before the reply", [Request, HalfClose]),
        Cell::times_out("stalls in the head", held("HTTP/1.1 200 OK\r\ncont")),
        Cell::times_out("stalls in the body", held("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello")),
        Cell::times_out("stalls in a chunk", held(chunked("10\r\nhello"))),
        Cell::times_out("body that ends with the connection, which stays open", held("HTTP/1.1 200 OK\r\n\r\nhello")),
        Cell::times_out(
            "drips for longer than the timeout",
            [Request, Drip([b"HTTP/1.1 200 OK\r\nx: ".as_slice(), &[b'y'; 500]].concat())],
        )
        .slow(),
        Cell::passes("drips for less than the timeout", [Request, Drip(OK.into()), Again]).slow(),
        Cell::passes("a byte at a time", [Request, Bytewise(OK.into()), Again]),
    ]
}

/// Bytes that are not HTTP/1.1.
pub(super) fn malformed() -> Vec<Cell> {
    let head = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\nhello");
    let broken = |name, reply: String| Cell::fails("protocol", name, held(reply));
    vec![
        broken("speaks another protocol", "220 mail.test ESMTP ready\r\n".into()),
        Cell::fails("protocol", "garbage", once((0..=255).rev().collect::<Vec<u8>>())),
        Cell::fails("protocol", "speaks HTTP/2", once(*b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64")),
        broken("version HTTP/3.0", "HTTP/3.0 200 OK\r\ncontent-length: 0\r\n\r\n".into()),
        broken("status 000", "HTTP/1.1 000 X\r\ncontent-length: 0\r\n\r\n".into()),
        broken("status of two digits", "HTTP/1.1 20 X\r\ncontent-length: 0\r\n\r\n".into()),
        broken("field name with a space", head("x y: z\r\n")),
        broken("NUL in a field", head("x: z\0z\r\n")),
        broken("content-length -1", head("content-length: -1\r\n")),
        broken("content-length 2^64", head("content-length: 18446744073709551616\r\n")),
        broken("conflicting content-lengths", head("content-length: 5\r\ncontent-length: 6\r\n")),
        broken("chunk size xyz", chunked("xyz\r\nhello\r\n0\r\n\r\n")).status(200),
        broken("negative chunk size", chunked("-5\r\nhello\r\n0\r\n\r\n")).status(200),
        broken("chunk size beyond 64 bits", chunked("fffffffffffffffff\r\nhello")).status(200),
        broken("chunk size 0x5", chunked("0x5\r\nhello\r\n0\r\n\r\n")).status(200),
        broken("empty chunk size", chunked("\r\nhello\r\n0\r\n\r\n")).status(200),
        broken("chunk longer than its size", chunked("3\r\nhello\r\n0\r\n\r\n")).status(200),
        broken("no line end after a chunk", chunked("5\r\nhelloX\r\n0\r\n\r\n")).status(200),
        Cell::fails(
            "protocol",
            "gzip that ends too early",
            always([GZIP_HEAD, b"\x1f\x8b\x08\0\0\0\0\0\0\x03"].concat()),
        )
        .with("compression: true, expect_body: x"),
    ]
}

/// Sections and bodies without an end, or longer than a client takes.
pub(super) fn endless() -> Vec<Cell> {
    let long = |name, reply: String| Cell::fails("protocol", name, held(reply));
    let floods = |head: &str, more: String| [Request, send(head), Endless(more.into_bytes())];
    vec![
        long("status line of 300,000 bytes", format!("HTTP/1.1 200 {}\r\n\r\n", "A".repeat(300_000))),
        long("chunk extension of 200,000 bytes", chunked(&format!("5;{}", "a".repeat(200_000)))).status(200),
        long("trailer section of 240,000 bytes", chunked(&format!("0\r\n{}", "a: b\r\n".repeat(40_000)))).status(200),
        Cell::fails(
            "protocol",
            "fields without an end",
            floods("HTTP/1.1 200 OK\r\n", format!("x-a: {}\r\n", "y".repeat(900))),
        ),
        Cell::fails("protocol", "a field without an end", floods("HTTP/1.1 200 OK\r\nx: ", "y".repeat(1_000))),
        Cell::times_out("interim replies without an end", floods("", "HTTP/1.1 100 Continue\r\n\r\n".repeat(100)))
            .slow(),
        Cell::times_out("chunks without an end", floods(CHUNKED, format!("1000\r\n{}\r\n", "z".repeat(4_096)))).slow(),
        Cell::times_out("a body without an end", floods("HTTP/1.1 200 OK\r\n\r\n", "z".repeat(4_096))).slow(),
    ]
}

/// Unusual replies that are right, or whose status is not.
fn unusual() -> Vec<Cell> {
    let status = |name, reply: &str| Cell::fails("status", name, always(reply));
    let interim = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(2_000);
    vec![
        Cell::passes("as it should be", always(OK)).status(200),
        Cell::passes("says that it closes, and closes", once(OK.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"))),
        Cell::passes(
            "says that it closes, and does not",
            held(OK.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n")),
        ),
        Cell::passes("a body that ends with the connection", once("HTTP/1.1 200 OK\r\n\r\nhello")),
        Cell::passes("2,000 interim replies", always(format!("{interim}{OK}"))),
        Cell::passes("content-length twice, the same", always(OK.replace("\r\n\r\n", "\r\ncontent-length: 5\r\n\r\n"))),
        Cell::passes("lines that end with LF", always("HTTP/1.1 200 OK\ncontent-length: 5\n\nhello")),
        Cell::passes("bytes after the reply", held(format!("{OK}HTTP/1.1 200 OK\r\n"))).excess(),
        Cell::passes("two replies at once", held(OK.repeat(2))).excess(),
        Cell::passes("204 with a content-length", always("HTTP/1.1 204 No\r\ncontent-length: 5\r\n\r\n")).status(204),
        Cell::passes(
            "12 cookies of 4,000 bytes",
            always(OK.replace(
                "\r\n\r\n",
                &format!("\r\n{}\r\n", format!("set-cookie: c={}\r\n", "v".repeat(4_000)).repeat(12)),
            )),
        ),
        Cell::passes("a folded field", always(OK.replace("\r\n\r\n", "\r\nx: a\r\n b\r\n\r\n"))),
        Cell::passes(
            "1,000 short fields",
            always(OK.replace("\r\n\r\n", &format!("\r\n{}\r\n", "x: y\r\n".repeat(1_000)))),
        ),
        status("status 503", "HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n").status(503),
        status("status 999", "HTTP/1.1 999 X\r\ncontent-length: 0\r\n\r\n").status(999),
        Cell::fails(
            "status",
            "early 413 to an upload",
            held("HTTP/1.1 413 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        )
        .with("method: POST, body: x")
        .status(413),
    ]
}

fn table() -> Vec<Cell> {
    [of_any_connection(&[Request]), cut_short(), malformed(), endless(), unusual()].concat()
}

fn protocol(tls: bool) -> Protocol {
    Protocol {
        name: if tls { "HTTP/1.1 over TLS" } else { "HTTP/1.1" },
        tls,
        alpn: &["http/1.1"],
        step: |server| format!("url: '{}/'", server.base_url()),
        files: &[],
    }
}

#[test]
fn every_fault_of_an_http1_peer_ends_as_the_table_says_and_both_sides_count_the_same() {
    let (protocol, table) = (protocol(false), table());
    protocol.run(&table);
    protocol.count(&table);
}

#[test]
fn every_fault_of_an_http1_peer_behind_tls_ends_as_the_table_says_and_both_sides_count_the_same() {
    let (protocol, table) = (protocol(true), table());
    protocol.run(&table);
    protocol.count(&table);
}
