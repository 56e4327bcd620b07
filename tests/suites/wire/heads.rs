//! Heads of replies that the standard allows and few servers send.

use std::collections::BTreeMap;

use stampede_tests::{RawRequest, RawServer, switching};

use super::ran;

/// Serves a reply with these fields on every path.
fn with(fields: impl Into<Vec<u8>>) -> RawServer {
    let fields = fields.into();
    RawServer::start(move |_| [b"HTTP/1.1 200 OK\r\n", &fields[..], b"content-length: 2\r\n\r\nok"].concat())
}

#[test]
fn a_value_may_go_on_in_the_next_line() {
    for (case, fields) in [
        ("blanks", "x-note:\r\n    one;\r\n    two\r\n"),
        ("a tab", "x-note: one;\r\n\ttwo\r\n"),
        ("bare line feeds", "x-note: one;\n two\n"),
        ("a colon in the next line", "x-note: one;\r\n two\r\nx-other: a\r\n b: c\r\n"),
    ] {
        let server = with(fields);
        let script = "
- {name: Page, url: /, capture: {note: {header: x-note}}}
- {name: Next, url: '/?{{urlencode (var note)}}'}
";
        let (run, report) = ran(script, "--iterations 3", &server.base_url());
        assert_eq!((report.totals().ok(), report.totals().err()), (6, 0), "{case}\n{}", run.stdout);
        let lines: Vec<_> = server.take().into_iter().map(|request| request.line).collect();
        assert_eq!(lines[1], "GET /?one%3B%20two HTTP/1.1", "{case}");
    }
}

#[test]
fn a_cookie_may_go_on_in_the_next_line() {
    let server = with("set-cookie: a=1;\r\n path=/\r\nset-cookie:\r\n b=2\r\n");
    ran("[{name: Page, url: /}]", "--iterations 2", &server.base_url());
    assert_eq!(server.take()[1].header("cookie"), "a=1; b=2");
}

#[test]
fn the_number_of_fields_has_no_limit_but_their_bytes() {
    for (count, accepted) in [(101, true), (1_000, true), (8_000, true), (20_000, false)] {
        let server = with("x: y\r\n".repeat(count));
        let (_, report) = ran("[{name: Page, url: /}]", "--iterations 2", &server.base_url());
        let errors = if accepted { BTreeMap::new() } else { BTreeMap::from([("protocol", 2)]) };
        assert_eq!(report.row("Page").errors(), errors, "{count}");
    }
}

#[test]
fn a_handshake_may_have_many_fields_and_folded_ones() {
    let server = RawServer::hanging_up(|request| {
        let reply = String::from_utf8(switching(request, None)).expect("a text");
        let more = format!("x-folded: a\r\n b\r\n{}\r\n", "x: y\r\n".repeat(200));
        let head = reply.strip_suffix("\r\n").expect("an empty line");
        [head.as_bytes(), more.as_bytes(), b"\x81\x05hello\x88\x02\x03\xe8"].concat()
    });
    let url = server.base_url().replace("http", "ws");
    let script = format!("[{{name: Say, action: websocket, url: '{url}', expect: hello}}]");
    let (run, report) = ran(&script, "--iterations 2", &server.base_url());
    assert_eq!(report.row("Say").ok(), 2, "{}", run.stdout);
}

#[test]
fn a_location_is_followed_byte_for_byte() {
    for (case, location, path) in [
        ("Latin-1", &b"/caf\xe9?n=\xfc"[..], "/caf%E9?n=%FC"),
        ("UTF-8", "/café".as_bytes(), "/caf%C3%A9"),
        ("both", b"/\xc3\xa9\xe9", "/%C3%A9%E9"),
    ] {
        let server = RawServer::start(move |request: &RawRequest| {
            if request.line.starts_with("GET /start") {
                [b"HTTP/1.1 302 Found\r\nlocation: ", location, b"\r\ncontent-length: 0\r\n\r\n"].concat()
            } else {
                b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec()
            }
        });
        let (run, report) = ran("[{name: Page, url: /start}]", "--iterations 1", &server.base_url());
        assert_eq!((report.row("Page").ok(), report.row("Page").err()), (2, 0), "{case}\n{}", run.stdout);
        let lines: Vec<_> = server.take().into_iter().map(|request| request.line).collect();
        assert_eq!(lines, ["GET /start HTTP/1.1".to_owned(), format!("GET {path} HTTP/1.1")], "{case}");
    }
}
