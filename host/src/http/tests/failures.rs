//! Failures of a target, and their kinds and texts.

use super::*;

/// Returns the outcome of a user's request to a server with this action.
async fn outcome(then: ServerAction) -> Result<(u16, Bytes), String> {
    let server = ScriptedServer::new(&[then]).await;
    let outcome = TestUser::new().get(&server.url("/")).await;
    assert_eq!(server.requests().len(), 1, "a request is sent once");
    outcome
}

#[tokio::test]
async fn replies_that_break_the_rules_are_failures() {
    run(async {
        for (case, answer, failure) in [
            ("nothing", &b""[..], "network: connection closed before the reply"),
            ("half a status line", b"HTTP/1.1 2", "protocol: reply truncated"),
            ("half a header section", b"HTTP/1.1 200 OK\r\ncontent-le", "protocol: reply truncated"),
            ("half the content", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhal", "protocol: reply truncated"),
            (
                "half a chunk",
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhal",
                "protocol: reply truncated",
            ),
            (
                "no last chunk",
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
                "protocol: reply truncated",
            ),
            (
                "no chunk at all",
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n",
                "protocol: malformed reply: invalid chunk",
            ),
            ("no HTTP", b"SSH-2.0-OpenSSH_9.9\r\n", "protocol: malformed reply: invalid version"),
            ("no status", b"HTTP/1.1 abc OK\r\n\r\n", "protocol: malformed reply: invalid status"),
            ("no field name", b"HTTP/1.1 200 OK\r\n: x\r\n\r\n", "protocol: malformed reply: invalid header"),
            (
                "two lengths",
                b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nok",
                "protocol: malformed reply: invalid content-length",
            ),
        ] {
            assert_eq!(outcome(ServerAction::Last(answer)).await.unwrap_err(), failure, "{case}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_reset_is_not_a_truncation() {
    run(async {
        assert_eq!(outcome(ServerAction::Reset).await.unwrap_err(), "network: connection reset");
    })
    .await;
}

#[tokio::test]
async fn header_sections_have_a_limit() {
    run(async {
        let with = |fields: String| -> &'static [u8] {
            format!("HTTP/1.1 200 OK\r\n{fields}content-length: 0\r\n\r\n").into_bytes().leak()
        };
        let large = |size: usize| format!("x: {}\r\n", "y".repeat(size));
        for (case, fields, accepted) in [
            ("60 KiB in one field", large(60 * 1024), true),
            ("over 64 KiB", large(64 * 1024), false),
            ("endless", large(1024 * 1024), false),
            ("99 fields", "x: y\r\n".repeat(98), true),
            ("101 fields", "x: y\r\n".repeat(100), true),
            ("10,000 fields", "x: y\r\n".repeat(10_000), true),
            ("11,000 fields", "x: y\r\n".repeat(11_000), false),
        ] {
            let outcome = outcome(ServerAction::Last(with(fields))).await.map(|(status, _)| status);
            let expected = if accepted { Ok(200) } else { Err("protocol: header section too large".to_owned()) };
            assert_eq!(outcome, expected, "{case}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_closed_port_refuses_the_connection() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let user = TestUser::new();
        assert_eq!(user.get(&url).await.unwrap_err(), "network: connection refused");
        let measured = user.measured();
        assert_eq!((measured.status, measured.bytes_out, measured.bytes_in), (0, 0, 0));
        assert!(measured.end.is_some());
        assert_eq!(measured.phases, Default::default());
    })
    .await;
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_a_failure() {
    run(async {
        let user = TestUser::new();
        let failure = user.get("http://nowhere.invalid/secret?token=1").await.unwrap_err();
        assert_eq!(failure, "network: name does not resolve: nowhere.invalid");
        assert!(user.measured().phases.dns.is_some());
        assert_eq!(user.measured().phases.connect, None);
    })
    .await;
}

#[tokio::test]
async fn content_that_cannot_be_kept_is_counted_all_the_same() {
    run(async {
        let size = LIMIT + 1;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n").into_bytes();
        let server = ScriptedServer::new(&[ServerAction::Answer([head, vec![b'x'; size]].concat().leak())]).await;
        let user = TestUser::new();
        let failure = user.get(&server.url("/")).await.unwrap_err();
        assert_eq!(failure, "protocol: reply content over the limit of 100000 bytes");
        let measured = user.measured();
        assert_eq!((measured.status, measured.body_bytes_in), (200, size as u64));
        let thrown_away = user.send(Request { keep_body: None, ..get(&server.url("/")) }).await;
        assert_eq!(text(thrown_away), Ok((200, Bytes::new())));
        assert_eq!(user.measured().body_bytes_in, size as u64);
        assert_eq!(server.connections(), 1);
    })
    .await;
}

#[tokio::test]
async fn replies_that_are_kept_share_one_budget() {
    run(async {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {LIMIT}\r\n\r\n").into_bytes();
        let answer = ServerAction::Answer([head, vec![b'x'; LIMIT]].concat().leak());
        let server = ScriptedServer::new(&[answer]).await;
        let user = TestUser::new();
        let mut kept = Vec::new();
        for _ in 0..BUDGET / LIMIT {
            kept.push(user.send(get(&server.url("/"))).await.unwrap());
        }
        let failure = "protocol: the contents of replies that are kept take more than 3 MiB in all; `--body-memory` allows \
                       more";
        assert_eq!(user.get(&server.url("/")).await.unwrap_err(), failure);
        assert_eq!(user.measured().body_bytes_in, LIMIT as u64);
        kept.pop();
        assert_eq!(user.get(&server.url("/")).await.unwrap().1.len(), LIMIT);
    })
    .await;
}
