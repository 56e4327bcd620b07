//! A canary in each place where a secret may be, before peers that fail in every way or send it back: it reaches the
//! peer, and no output.

use stampede_tests::Act::{Again, GoAway, Hold, Message, Preface, Request, Send, Stream, Switch};
use stampede_tests::http2::END_STREAM;
use stampede_tests::{FaultServer, RawRequest, RawServer, Run};

use super::http2::head;
use crate::shooter;

/// Places of a secret: the name of its variable, and a step of HTTP, with `{S}` for the template.
const PLACES: [(&str, &str); 16] = [
    ("FIELD", "headers: {x-key: '{S}'}"),
    ("BEARER", "auth: {bearer: '{S}'}"),
    ("PASSWORD", "auth: {basic: {user: ann, password: '{S}'}}"),
    ("COOKIE", "headers: {cookie: 'session={S}'}"),
    ("QUERY", "query: {key: '{S}'}"),
    ("TEXT", "method: POST, body: 'key {S}'"),
    ("JSON", "method: POST, json_body: {key: '{S}'}"),
    ("FORM", "method: POST, form_body: {key: '{S}'}"),
    ("EXPECTED", "headers: {x-key: '{S}'}, expect_body: 'no {S}'"),
    ("CHECKED", "headers: {x-key: '{S}'}, checks: {is right: {body: 'no {S}'}}"),
    ("METHOD", "headers: {x-key: '{S}'}, capture: {a: {regex: 'no such text'}}"),
    ("PAGE", "action: page, headers: {x-key: '{S}'}"),
    ("STREAM", "action: sse, headers: {x-key: '{S}'}, events: 1"),
    ("STREAM_TOKEN", "action: sse, auth: {bearer: '{S}'}, events: 1"),
    ("SOCKET", "action: websocket, headers: {x-key: '{S}'}, send: a"),
    ("SOCKET_TEXT", "action: websocket, send: '{S}', expect: '{S}'"),
];

/// Places that are not reached where a handshake comes first.
const AFTER_A_HANDSHAKE: &str = "SOCKET_TEXT";

/// Returns the canary of a place. It is long enough to be found in parts, and its letters are as in base64 and URLs.
fn canary(place: &str) -> String {
    format!("canary7{}7", place.to_lowercase().replace('_', ""))
}

/// Ways in which a peer answers, with the canaries that it was sent in every part of the reply.
const WAYS: [&str; 7] = ["status", "closed", "garbage", "truncated", "redirect", "body", "malformed"];

fn reply(request: &RawRequest) -> Vec<u8> {
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let seen: Vec<_> = request.headers.iter().map(|(_, value)| value.as_str()).chain([body.as_str()]).collect();
    let path = request.line.split(' ').nth(1).unwrap_or_default();
    let seen = format!("{} {path}", seen.join(" "));
    let way = path.trim_start_matches('/').split('?').next().unwrap_or_default();
    let text = match way {
        "status" => format!("HTTP/1.1 503 {seen}\r\nx-seen: {seen}\r\ncontent-length: 0\r\n\r\n"),
        "garbage" => format!("{seen}\r\n\r\n"),
        "truncated" => format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{seen}\r\n"),
        "redirect" => {
            let to: String = seen.chars().filter(char::is_ascii_alphanumeric).collect();
            format!("HTTP/1.1 302 Found\r\nlocation: http://{to}.test/{to}\r\ncontent-length: 0\r\n\r\n")
        }
        "body" => format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{seen}", seen.len()),
        "malformed" => format!("HTTP/1.1 200 OK\r\n{seen}\r\n\r\n"),
        _ => String::new(),
    };
    text.into_bytes()
}

/// Returns a call with a canary in each variable.
fn with_canaries(script: &str) -> Run {
    let run = shooter().script(script).args("--log trace --verbose --iterations 2 --timeout 20s --fail-on never");
    let run = run.args("--out report.json --out report.csv --out report.xml");
    PLACES.iter().fold(run, |run, (place, _)| run.env(place, &canary(place)))
}

/// Runs a script, and checks that no canary is in any output.
#[track_caller]
fn assert_hidden(run: Run, canaries: &[String]) {
    let run = run.finish().exits(0);
    run.report().assert_consistent();
    let outputs = ["report.json", "report.csv", "report.xml"].map(|name| (name, run.read(name)));
    let said = [("stdout", run.stdout.clone()), ("stderr", run.stderr.clone())];
    for (output, text) in said.iter().chain(&outputs) {
        for canary in canaries {
            assert!(!text.to_lowercase().contains(canary.as_str()), "`{canary}` is in {output}:\n{text}");
        }
    }
}

#[test]
fn a_secret_in_any_place_of_a_request_is_in_no_output_whatever_the_peer_answers() {
    let target = RawServer::hanging_up(reply);
    let base = target.base_url();
    let mut script = String::new();
    for (place, keys) in PLACES {
        for way in WAYS {
            let base = if keys.contains("websocket") { base.replacen("http", "ws", 1) } else { base.clone() };
            let keys = keys.replace("{S}", &format!("{{{{env {place}}}}}"));
            script += &format!("- {{name: {place} {way}, url: '{base}/{way}', {keys}}}\n");
        }
    }
    let canaries: Vec<_> = PLACES.iter().map(|(place, _)| canary(place)).collect();
    assert_hidden(with_canaries(&script), &canaries);
    let requests: String = target
        .take()
        .iter()
        .map(|request| format!("{request:?}{:?}", String::from_utf8_lossy(&request.body)))
        .collect();
    for (place, _) in PLACES.iter().filter(|(place, _)| !["PASSWORD", AFTER_A_HANDSHAKE].contains(place)) {
        assert!(requests.contains(&canary(place)), "the canary of {place} was sent");
    }
}

#[test]
fn a_secret_in_bytes_or_in_a_call_is_in_no_output_whatever_the_peer_answers() {
    let [bytes, call] = ["canary7bytes7", "canary7call7"];
    let echo = RawServer::start(|request| format!("{}\r\n", request.line).into_bytes());
    let refused = head(
        &[(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "14"), ("grpc-message", call)],
        END_STREAM,
    );
    let calls = [
        FaultServer::start(&[Preface(vec![]), Stream, refused, Again], None),
        FaultServer::start(&[Preface(vec![]), Stream, GoAway(true, 2)], None),
    ];
    let address = echo.base_url().replace("http://", "");
    let message = [&[0x81, u8::try_from(bytes.len()).expect("a short text")], bytes.as_bytes()].concat();
    let socket = FaultServer::start(&[Request, Switch, Message, Send(message), Hold], None);
    let mut script = format!(
        "
- {{name: Socket, action: websocket, url: 'ws://{socket}/', send: '{{{{env BYTES}}}}', expect: 'no {{{{env BYTES}}}}', timeout: 200ms}}
- {{name: Line, action: tcp, address: '{address}', send: \"GET {{{{env BYTES}}}} a\\r\\n\\r\\n\", expect: {{line: 'no {{{{env BYTES}}}}'}}}}
- {{name: Few, action: tcp, address: '{address}', send: \"GET {{{{env BYTES}}}} a\\r\\n\\r\\n\", expect: 'no {{{{env BYTES}}}}', most: 5}}
",
        socket = socket.address()
    );
    for (at, server) in calls.iter().enumerate() {
        script += &format!(
            "- {{name: Call {at}, action: grpc, url: '{}', method: test.S/Do, proto: [a.proto], message: {{t: '{{{{env CALL}}}}'}}, \
             metadata: {{x-key: '{{{{env CALL}}}}'}}}}\n",
            server.base_url()
        );
    }
    let schema = "syntax = \"proto3\"; package test; service S { rpc Do(T) returns (T); } message T { string t = 1; }";
    let run = with_canaries(&script).file("a.proto", schema).env("BYTES", bytes).env("CALL", call);
    assert_hidden(run, &[bytes.to_owned(), call.to_owned()]);
    assert!(echo.take().iter().all(|request| request.line.contains(bytes)), "they were sent");
    assert!(socket.finish().requests > 0, "the handshake was read");
    assert!(calls.into_iter().all(|server| server.finish().requests > 0), "they were made");
}

/// Signs in at a peer that answers in a way, which is tried again with waits in between.
#[track_caller]
fn assert_hidden_by_a_sign_in(base: &str, way: &str) {
    let script = format!(
        "login: {{url: '{base}/{way}', json_body: {{key: '{{{{env JSON}}}}'}}, headers: {{x-key: '{{{{env FIELD}}}}'}}}}
steps: [{{name: Page, url: '{base}/body', expect_body: no such text}}]
"
    );
    let run = with_canaries(&script).finish();
    let outputs = ["report.json", "report.csv", "report.xml"].map(|name| run.read(name));
    for output in [&run.stdout, &run.stderr].into_iter().chain(&outputs) {
        for canary in [canary("JSON"), canary("FIELD")] {
            assert!(!output.to_lowercase().contains(&canary), "{way}: `{canary}` is in\n{output}");
        }
    }
}

#[test]
fn a_secret_of_a_sign_in_is_in_no_output_whatever_the_peer_answers() {
    let target = RawServer::hanging_up(reply);
    let base = target.base_url();
    std::thread::scope(|scope| {
        for way in WAYS {
            let base = &base;
            scope.spawn(move || assert_hidden_by_a_sign_in(base, way));
        }
    });
    assert!(target.take().iter().any(|request| request.header("x-key") == canary("FIELD")), "it was sent");
}

/// A stream that hangs shows the state of its request.
#[test]
fn a_secret_is_in_no_output_of_a_request_that_was_not_finished() {
    let server = FaultServer::start(&[Request, Hold], None);
    let url = format!("{}/?key={{{{env QUERY}}}}", server.base_url());
    let script = format!("- {{name: Page, url: '{url}', headers: {{x-key: '{{{{env FIELD}}}}'}}, timeout: 100ms}}\n");
    assert_hidden(with_canaries(&script), &[canary("QUERY"), canary("FIELD")]);
    assert!(server.finish().bytes_in > 0);
}
