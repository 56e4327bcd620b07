//! The `websocket` action: handshakes, frames and closing handshakes that are wrong.

use stampede_tests::Act::{self, Bytewise, Drip, Endless, Hold, Message, Request, Reset, Send, Switch};

use super::cell::Cell;
use super::runner::{Protocol, of_any_connection};

/// First bytes of frames (RFC 6455 section 5.2): the end of a message, and kinds.
const LAST: u8 = 0x80;
const MORE: u8 = 0;
const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len();
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ 0..126), _) => [&[first, length], payload].concat(),
        (_, Ok(length)) => [&[first, 126], length.to_be_bytes().as_slice(), payload].concat(),
        _ => [&[first, 127], (length as u64).to_be_bytes().as_slice(), payload].concat(),
    }
}

fn hello() -> Vec<u8> {
    frame(LAST | TEXT, b"hello")
}

/// Returns the acts of a peer that answers the first message so, and the client's close frame as it should.
fn answers(bytes: impl Into<Vec<u8>>) -> Vec<Act> {
    vec![Request, Switch, Message, Send(bytes.into()), Message, Send(frame(LAST | CLOSE, &1000_u16.to_be_bytes()))]
}

/// Returns the acts of a peer that acts so after the first message.
fn then(acts: impl IntoIterator<Item = Act>) -> Vec<Act> {
    [Request, Switch, Message].into_iter().chain(acts).collect()
}

fn handshakes() -> Vec<Cell> {
    let held = |name, category, reply: &str| Cell::fails(category, name, [Request, Send(reply.into()), Hold]);
    let wrong_key = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
                     sec-websocket-accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n";
    vec![
        held("handshake with 200", "status", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").status(200),
        held("handshake with 503", "status", "HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n").status(503),
        held("handshake with a wrong key", "protocol", wrong_key),
        held("handshake without its fields", "protocol", "HTTP/1.1 101 Switching Protocols\r\n\r\n"),
        Cell::fails("protocol", "handshake of garbage", [Request, Send((0..=255).rev().collect())]),
        Cell::fails("protocol", "half a handshake, and closed", [Request, Send(b"HTTP/1.1 101 Swi".into())]),
        Cell::fails("network", "half a handshake, and reset", [Request, Send(b"HTTP/1.1 101 Swi".into()), Reset]),
        Cell::fails(
            "protocol",
            "handshake without an end",
            [
                Request,
                Send(b"HTTP/1.1 101 Switching Protocols\r\n".into()),
                Endless(b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(30)),
            ],
        ),
    ]
}

fn messages() -> Vec<Cell> {
    let broken = |name, bytes: Vec<u8>| Cell::fails("protocol", name, then([Send(bytes), Hold]));
    vec![
        Cell::passes("as it should be", answers(hello())),
        Cell::passes(
            "in two fragments with a ping between",
            then([
                Send([frame(TEXT, b"hel"), frame(LAST | PING, b"p"), frame(LAST, b"lo")].concat()),
                Message,
                Message,
                Send(frame(LAST | CLOSE, &1000_u16.to_be_bytes())),
            ]),
        ),
        Cell::passes(
            "a byte at a time",
            then([Bytewise(hello()), Message, Send(frame(LAST | CLOSE, &1000_u16.to_be_bytes()))]),
        ),
        broken("masked", b"\x81\x85abcdhello".into()),
        broken("reserved bit", frame(0xc1, b"hello")),
        broken("reserved kind", frame(LAST | 3, b"hello")),
        broken("text that is not UTF-8", frame(LAST | TEXT, b"\xff\xfe")),
        broken("a continuation of nothing", frame(LAST | MORE, b"hello")),
        broken("a ping in fragments", frame(PING, b"x")),
        broken("a ping of 126 bytes", frame(LAST | PING, &[b'x'; 126])),
        broken("2^63 bytes announced", [&[LAST | TEXT, 127][..], &(1_u64 << 63).to_be_bytes()].concat()),
        broken("1 GiB announced", [&[LAST | TEXT, 127][..], &(1_u64 << 30).to_be_bytes()].concat()),
        broken("a message of 2 MiB", frame(LAST | TEXT, &vec![b'x'; 2 << 20])),
        broken("a close frame of a byte", frame(LAST | CLOSE, &[3])),
        Cell::fails(
            "protocol",
            "fragments without an end",
            then([Send(frame(TEXT, b"a")), Endless(frame(MORE, &[b'b'; 1_000]))]),
        ),
        Cell::fails("status", "closes with 1000", then([Send(frame(LAST | CLOSE, &1000_u16.to_be_bytes())), Hold])),
        Cell::fails("status", "closes with 1011", then([Send(frame(LAST | CLOSE, &1011_u16.to_be_bytes())), Hold])),
        Cell::fails("network", "closed without a close frame", then([])),
        Cell::fails("network", "reset instead of an answer", then([Reset])),
        Cell::fails("network", "half a frame, and closed", then([Send(hello()[..4].into())])),
        Cell::fails("network", "half a frame, and reset", then([Send(hello()[..4].into()), Reset])),
        Cell::times_out("never answers the message", then([Hold])),
        Cell::times_out("stalls in a frame", then([Send(hello()[..4].into()), Hold])),
        Cell::times_out("never answers the close frame", then([Send(hello()), Hold])),
        Cell::times_out("pings without an end", then([Endless(frame(LAST | PING, b"x").repeat(50))])).slow(),
        Cell::times_out("other messages without an end", then([Endless(frame(LAST | TEXT, b"other").repeat(50))]))
            .slow(),
        Cell::times_out("drips for longer than the timeout", then([Drip(frame(LAST | TEXT, &[b'x'; 120]))])).slow(),
    ]
}

#[test]
fn every_fault_of_a_websocket_peer_ends_as_the_table_says_and_both_sides_count_the_same() {
    let table = [of_any_connection(&[Request]), handshakes(), messages()].concat();
    for tls in [false, true] {
        let protocol = Protocol {
            name: if tls { "WebSocket over TLS" } else { "WebSocket" },
            tls,
            alpn: &["http/1.1"],
            step: |server| {
                let url = server.base_url().replacen("http", "ws", 1);
                format!("action: websocket, send: hi, expect: hello, url: '{url}/'")
            },
            files: &[],
        };
        protocol.run(&table);
        protocol.count(&table);
    }
}
