//! Steps and their connections, on a fake host.

use stampede_plugin::testing::{Host, Peer, Run, json, written_schema};
use stampede_plugin::{Failure, FailureKind};

use super::Tcp;

fn run(params: impl ToString, peer: Peer) -> Run {
    Host::new().variable("key", "name").peer(peer).run::<Tcp>(params).expect("the parameters are right")
}

/// Returns pointer and message for wrong parameters.
fn error(params: impl ToString) -> (String, String) {
    let error = Host::new().run::<Tcp>(params).expect_err("the parameters are wrong");
    (error.pointer, error.message)
}

#[test]
fn each_notation_is_decoded_before_it_is_sent() {
    for (send, written) in [
        (json!("GET {{var key}}\r\n"), b"GET name\r\n".as_slice()),
        (json!({"hex": "00 0A ff"}), b"\x00\x0a\xff"),
        (json!({"base64": "AAr/"}), b"\x00\x0a\xff"),
        (json!({"hex": "6b{{var none}}65"}), b"ke"),
    ] {
        let run = run(json!({"address": "site:6379", "send": send}), Peer::new());
        assert_eq!((run.failure, run.connections[0].written.as_slice()), (None, written), "{send}");
        assert!(!run.connections[0].open, "{send}");
    }
}

#[test]
fn an_answer_may_come_in_pieces() {
    for expect in [json!("+OK"), json!({"regex": "^.OK"}), json!({"line": "OK"}), json!({"bytes": 5})] {
        let peer = Peer::new().expects("PING\r\n").answers("+O").answers("K\r\n");
        let run = run(json!({"address": "site:6379", "send": "PING\r\n", "expect": expect}), peer);
        assert_eq!(run.failure, None, "{expect}");
    }
}

#[test]
fn every_failure_has_its_kind() {
    let step = |peer| run(json!({"address": "site:1", "expect": {"line": "+OK"}, "most": 8}), peer).failure;
    let refused = step(Peer::refuses(FailureKind::Network)).expect("refused");
    assert_eq!(refused.kind(), FailureKind::Network);
    let other = Failure::check("expected a line with `+OK`, got `-ERR\\r\\n`");
    assert_eq!(step(Peer::new().answers("-ERR\r\n")), Some(other));
    let ended = Failure::new(FailureKind::Network, "expected a line with `+OK`, got `+O` before the connection ended");
    assert_eq!(step(Peer::new().answers("+O").closes()), Some(ended));
    let ended =
        Failure::new(FailureKind::Network, "expected a line with `+OK`, got nothing before the connection ended");
    assert_eq!(step(Peer::new().closes()), Some(ended));
    let too_long = Failure::protocol("expected a line with `+OK` within 8 bytes");
    assert_eq!(step(Peer::new().answers("+OK and so on")), Some(too_long));
    let run = run(json!({"address": "site:1", "expect": "a"}), Peer::new());
    assert_eq!(run.failure.map(|failure| failure.kind()), Some(FailureKind::Timeout));
}

#[test]
fn a_kept_connection_serves_the_next_step_of_its_user_only() {
    let peer = Peer::new().expects("a\n").answers("1\n2\n3").expects("b\n").answers("\n");
    let mut session = Host::new().peer(peer).peer(Peer::new().answers("9\n")).session();
    let mut step = |params| session.configure::<Tcp>(params).expect("the parameters are right");
    let first = step(json!({"address": "site:1", "send": "a\n", "expect": {"line": "1"}, "keep_open": true}));
    let second = step(json!({"address": "site:1", "expect": "2\n", "keep_open": true}));
    let third = step(json!({"address": "site:1", "send": "b\n", "expect": {"line": "3"}}));
    let other = step(json!({"address": "site:1", "expect": {"line": "9"}}));
    for (name, at) in [("first", first), ("second", second), ("third", third)] {
        assert_eq!(session.run(at, 0).failure, None, "{name}");
    }
    let run = session.run(other, 1);
    assert_eq!((run.failure, run.connections.len()), (None, 2));
    assert!(run.connections.iter().all(|connection| !connection.open));
}

#[test]
fn a_failed_step_keeps_nothing() {
    let mut session = Host::new().peer(Peer::new().answers("no\n")).peer(Peer::new().answers("ok\n")).session();
    let params = json!({"address": "site:1", "expect": {"line": "ok"}, "keep_open": true});
    let step = session.configure::<Tcp>(params).expect("the parameters are right");
    assert_eq!(session.run(step, 0).failure.map(|failure| failure.kind()), Some(FailureKind::Check));
    let run = session.run(step, 0);
    assert_eq!((run.failure, run.connections.len()), (None, 2));
    assert_eq!([run.connections[0].open, run.connections[1].open], [false, true]);
}

#[test]
fn errors_are_found_before_the_run() {
    for (params, pointer, message) in [
        (json!({"address": "site"}), "/address", "`site` is not an address"),
        (json!({"address": "site:1", "send": {"hex": "0"}}), "/send", "`0` is not hexadecimal digits, two a byte"),
        (json!({"address": "site:1", "send": {"base64": "?"}}), "/send", "`?` is not base64"),
        (json!({"address": "site:1", "send": {"octal": "7"}}), "/send", "unknown notation `octal`"),
        (json!({"address": "site:1", "expect": {"byte": 7}}), "/expect/byte", "unknown key `byte`"),
        (
            json!({"address": "site:1", "expect": {"bytes": 65_537}}),
            "/expect",
            "`expect` waits for more than the 65536 bytes of `most`",
        ),
    ] {
        assert_eq!(error(params), (pointer.to_owned(), message.to_owned()));
    }
}

#[test]
fn the_written_schema_is_that_of_the_parameters() {
    written_schema::<Tcp>("schema/tcp.json");
}
