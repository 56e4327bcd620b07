//! WebSocket servers that are right in an unusual way, or wrong: the report shows what they sent.

use std::collections::BTreeMap;

use stampede_tests::{RawServer, switching};

use super::ran;

/// Serves handshakes with these `connection` fields, and then these bytes.
fn server(connection: &'static str, then: Vec<u8>) -> (RawServer, String) {
    let server = RawServer::hanging_up(move |request| {
        let reply = String::from_utf8(switching(request, None)).expect("a text");
        let reply = reply.replace("connection: Upgrade\r\n", connection);
        [reply.into_bytes(), then.clone()].concat()
    });
    let url = server.base_url().replace("http", "ws");
    (server, url)
}

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    let length = u8::try_from(reason.len() + 2).expect("a short reason");
    [&[0x88, length], &code.to_be_bytes()[..], reason].concat()
}

const HELLO: &[u8] = b"\x81\x05hello";

#[test]
fn the_connection_field_of_a_handshake_is_a_list() {
    for (connection, accepted) in [
        ("connection: Upgrade\r\n", true),
        ("connection: upgrade\r\n", true),
        ("connection: keep-alive, Upgrade\r\n", true),
        ("Connection: Upgrade , keep-alive\r\n", true),
        ("connection: keep-alive\r\nconnection: UPGRADE\r\n", true),
        ("connection: Upgrade\r\nconnection: keep-alive\r\n", true),
        ("connection: keep-alive\r\n", false),
        ("connection: upgraded\r\n", false),
        ("", false),
    ] {
        let (server, url) = server(connection, [HELLO, &close(1000, b"")].concat());
        let script = format!("[{{name: Say, action: websocket, url: '{url}', expect: hello}}]");
        let (run, report) = ran(&script, "--iterations 2", &server.base_url());
        let errors = if accepted { BTreeMap::new() } else { BTreeMap::from([("protocol", 2)]) };
        assert_eq!(report.row("Say").errors(), errors, "{connection}\n{}", run.stdout);
    }
}

#[test]
fn the_code_of_a_close_frame_is_the_servers_own() {
    for (code, reason, text) in [
        (1006, "", "the server closed the connection with code 1006"),
        (2999, "why", "the server closed the connection with code 2999 and `why`"),
        (999, "", "the server closed the connection with code 999"),
        (1005, "", "the server closed the connection with code 1005"),
        (1011, "böse", "the server closed the connection with code 1011 and `böse`"),
    ] {
        let (server, url) = server("connection: Upgrade\r\n", close(code, reason.as_bytes()));
        let script = format!(
            "
- {{name: Hear, action: websocket, url: '{url}', expect: hello}}
- {{name: Open, action: websocket.open, url: '{url}'}}
- {{name: Close, action: websocket.expect, expect: {{kind: close, code: {code}}}}}
"
        );
        let (run, report) = ran(&script, "--iterations 2", &server.base_url());
        assert_eq!(report.row("Hear").example("status"), text);
        assert_eq!(report.row("Close").errors(), BTreeMap::new(), "{code}\n{}", run.stdout);
    }
}

#[test]
fn a_frame_that_is_too_long_is_named_with_its_length() {
    for length in [1 << 63, u64::MAX, 1 << 32, (1 << 32) + 5, 2_000_000] {
        let (server, url) = server("connection: Upgrade\r\n", [&[0x82, 127], &length.to_be_bytes()[..]].concat());
        let script = format!("[{{name: Hear, action: websocket, url: '{url}', expect: hello}}]");
        let (_, report) = ran(&script, "--iterations 1", &server.base_url());
        let text = format!("a message has {length} bytes, more than the 1048576 of `most`");
        assert_eq!(report.row("Hear").example("protocol"), text);
    }
}
