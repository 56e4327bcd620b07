//! Parameters, and handshakes that fail, on a fake host. A handshake that succeeds needs a server that computes its
//! reply: the suites have one.

use stampede_plugin::testing::{Host, Peer, Reply, Run, json, written_schema};
use stampede_plugin::{Action, Failure, FailureKind};

use super::{Close, Conversation, Expect, Open, Send};

const URL: &str = "ws://site/chat?room=1";

fn run<A: Action>(params: impl ToString, peer: Peer) -> Run {
    Host::new().variable("who", "Ann").peer(peer).run::<A>(params).expect("the parameters are right")
}

/// Runs a step whose handshake gets this reply.
fn shaken<A: Action>(params: impl ToString, reply: Reply) -> Run {
    let host = Host::new().variable("who", "Ann").reply(reply).peer(Peer::new());
    host.run::<A>(params).expect("the parameters are right")
}

/// Returns pointer and message for wrong parameters.
fn error<A: Action>(params: impl ToString) -> (String, String) {
    let error = Host::new().run::<A>(params).expect_err("the parameters are wrong");
    (error.pointer, error.message)
}

#[test]
fn the_handshake_follows_the_parameters() {
    let params = json!({
        "url": "ws://site:8080/chat?who={{var who}}",
        "headers": {"Authorization": "Bearer {{var who}}", "x-b": 7},
        "protocols": ["chat.v2", "chat.v1"],
    });
    let run = shaken::<Open>(params, Reply::new(101));
    let connection = &run.connections[0];
    assert_eq!((connection.host.as_str(), connection.port, connection.tls), ("site", 8080, false));
    assert_eq!(
        (run.requests[0].method.as_str(), run.requests[0].url.as_str()),
        ("GET", "http://site:8080/chat?who=Ann")
    );
    let sent = &run.requests[0].headers;
    for (name, value) in [
        ("authorization", "Bearer Ann"),
        ("x-b", "7"),
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-protocol", "chat.v2, chat.v1"),
        ("sec-websocket-version", "13"),
    ] {
        assert!(sent.contains(&(name.to_owned(), value.to_owned())), "{name}\n{sent:?}");
    }
    assert!(sent.iter().all(|(name, _)| name != "host"), "the host is the host's: {sent:?}");
}

#[test]
fn a_url_without_a_port_has_that_of_its_scheme() {
    for (url, port, tls) in [("ws://site", 80, false), ("wss://site", 443, true), ("wss://[::1]:9/a", 9, true)] {
        let run = shaken::<Open>(json!({"url": url}), Reply::new(101));
        assert_eq!((run.connections[0].port, run.connections[0].tls), (port, tls), "{url}");
    }
}

#[test]
fn a_handshake_that_fails_has_its_category() {
    let switch = || Reply::new(101).header("upgrade", "websocket").header("connection", "Upgrade");
    for (case, reply, failure) in [
        ("forbidden", Reply::new(403), Failure::status("expected status 101, got 403")),
        ("no switch", Reply::new(200), Failure::status("expected status 101, got 200")),
        ("a redirect", Reply::new(302).header("location", "/b"), Failure::status("expected status 101, got 302")),
        (
            "no key",
            switch(),
            Failure::protocol("the server violated the protocol: `sec-websocket-accept` does not fit the key"),
        ),
        (
            "another key",
            switch().header("sec-websocket-accept", "c29tZWJvZHkgZWxzZSdzIGtleQ=="),
            Failure::protocol("the server violated the protocol: `sec-websocket-accept` does not fit the key"),
        ),
        (
            "no upgrade",
            Reply::new(101),
            Failure::protocol("the server violated the protocol: no \"Upgrade: websocket\" header"),
        ),
        ("no reply", Reply::failed(FailureKind::Network), Failure::new(FailureKind::Network, "")),
    ] {
        let run = shaken::<Conversation>(json!({"url": URL}), reply);
        assert_eq!(run.failure, Some(failure), "{case}");
        assert!(run.connections.iter().all(|connection| !connection.open), "{case}");
    }
}

#[test]
fn a_step_without_a_connection_fails() {
    let failure = Some(Failure::check("the user has no open connection"));
    assert_eq!(run::<Send>(json!({"send": "a"}), Peer::new()).failure, failure);
    assert_eq!(run::<Expect>(json!({}), Peer::new()).failure, failure);
    assert_eq!(run::<Close>(json!({}), Peer::new()).failure, failure);
}

#[test]
fn errors_are_found_before_the_run() {
    let open = |params| error::<Open>(params);
    for (found, pointer, message) in [
        (open(json!({"url": "http://site"})), "/url", "`http://site` is not a WebSocket URL"),
        (open(json!({"url": "ws:/site"})), "/url", "`ws:/site` is not a WebSocket URL"),
        (
            open(json!({"url": "wss://user:password@site/"})),
            "/url",
            "the URL has a user name or password in it, which would not be sent",
        ),
        (open(json!({"url": URL, "most": 0})), "/most", "`most` must be at least 1"),
        (open(json!({"url": URL, "headers": {"a b": "c"}})), "/headers", "`a b` is not the name of a header field"),
        (open(json!({"url": URL, "headers": {"Upgrade": "h2c"}})), "/headers", "`Upgrade` belongs to the handshake"),
        (
            open(json!({"url": URL, "headers": {"Sec-WebSocket-Protocol": "a"}})),
            "/headers",
            "`Sec-WebSocket-Protocol` is set by `protocols`",
        ),
        (open(json!({"url": URL, "protocols": ["a,b"]})), "/protocols", "`a,b` is not the name of a sub-protocol"),
        (error::<Send>(json!({"send": {"jason": 1}})), "/send", "unknown kind of message `jason`"),
        (error::<Send>(json!({"send": {"hex": "0"}})), "/send", "`0` is not hexadecimal digits, two a byte"),
        (error::<Send>(json!({"send": {"text": "a", "hex": "00"}})), "/send", "`send` takes one message"),
        (error::<Expect>(json!({"expect": {"equals": "a"}})), "/expect", "`equals` needs `json`"),
        (error::<Expect>(json!({"expect": {"code": 1000}})), "/expect", "`code` needs `kind: close`"),
        (error::<Expect>(json!({"expect": {"king": "text"}})), "/expect/king", "unknown key `king`"),
        (error::<Send>(json!({"send": "a", "within": "2s"})), "/within", "`within` needs `expect`"),
        (error::<Expect>(json!({"within": 2})), "/within", "`2` is not a time"),
        (error::<Expect>(json!({"save": {"a": {}}})), "/save", "`a` takes one of `json` and `regex`"),
        (error::<Close>(json!({"code": 1006})), "/code", "a client does not send the code 1006"),
    ] {
        assert_eq!(found, (pointer.to_owned(), message.to_owned()));
    }
    let (pointer, message) = error::<Expect>(json!({"expect": {"json": "$["}}));
    assert!(pointer == "/expect/json" && message.starts_with("`$[` is not a JSONPath: "), "{pointer} {message}");
    let (pointer, message) = error::<Expect>(json!({"save": {"a": {"regex": "("}}}));
    assert!(
        pointer == "/save/a/regex" && message.starts_with("`(` is not a regular expression: "),
        "{pointer} {message}"
    );
}

#[test]
fn an_invalid_header_or_url_fails_before_anything_is_sent() {
    let host = Host::new().variable("who", "a\r\nb: c");
    let params = json!({"url": URL, "headers": {"x-who": "{{var who}}"}});
    let run = host.run::<Open>(params).expect("the parameters are right");
    assert_eq!(run.failure, Some(Failure::check("HTTP does not allow the value of `x-who`")));
    assert_eq!(run.connections, []);
    for url in ["http://site", "no url", "wss://user@site", "ws://"] {
        let run = Host::new().variable("url", url).run::<Open>(json!({"url": "{{var url}}"}));
        let failure = run.expect("the parameters are right").failure;
        assert_eq!(failure, Some(Failure::check("`url` did not render to a `ws://` or `wss://` URL")), "{url}");
    }
}

#[test]
fn the_written_schemas_are_those_of_the_parameters() {
    written_schema::<Conversation>("schema/websocket.json");
    written_schema::<Open>("schema/websocket.open.json");
    written_schema::<Send>("schema/websocket.send.json");
    written_schema::<Expect>("schema/websocket.expect.json");
    written_schema::<Close>("schema/websocket.close.json");
}
