//! Reuse of connections, and the cases in which a request may be sent again.

use hyper::header::{CONNECTION, HeaderValue};
use tokio::task::coop;

use super::*;
use crate::net::Meter;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn requests_of_a_user_share_a_connection() {
    run(async {
        let server = ScriptedServer::new(&[
            ServerAction::Answer(OK),
            ServerAction::Answer(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            ServerAction::Answer(b"HTTP/1.1 204 No Content\r\n\r\n"),
            ServerAction::Answer(b"HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\n"),
            ServerAction::Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
            ServerAction::Answer(OK),
        ])
        .await;
        let user = TestUser::new();
        for status in [200, 200, 204, 304, 200, 200] {
            assert_eq!(user.get(&server.url("/")).await.unwrap().0, status);
        }
        assert_eq!((server.connections(), server.requests().len()), (1, 6));
    })
    .await;
}

/// Each value of `connections`, in three iterations of two requests each.
#[tokio::test]
async fn connections_last_as_long_as_they_should() {
    run(async {
        for (connections, opened, says_close) in
            [(Lifespan::User, 1, 0), (Lifespan::Iteration, 3, 0), (Lifespan::Request, 6, 6)]
        {
            let server = ScriptedServer::new(&[ServerAction::Answer(OK)]).await;
            let user = TestUser::new();
            user.session.set_retention(Retention { connections, ..Retention::default() });
            for _ in 0..3 {
                user.session.begin_iteration();
                for _ in 0..2 {
                    assert_eq!(user.get(&server.url("/")).await.unwrap().1, "ok");
                }
            }
            let closing = server.requests().iter().filter(|head| head.contains("connection: close\r\n")).count();
            assert_eq!((server.connections(), closing), (opened, says_close), "{connections:?}");
            if connections == Lifespan::Request {
                server.until_closed(6).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn users_share_no_connection_and_neither_do_requests_at_once() {
    run(async {
        let server = ScriptedServer::new(&[ServerAction::Answer(OK)]).await;
        let (one, other, url) = (TestUser::new(), TestUser::new(), server.url("/"));
        let (meter, request) = (Meter::default(), get(&url));
        let at_once = exchange(&one.client, &one.session, &meter, &request);
        let (first, second, third) = tokio::join!(one.get(&url), at_once, other.get(&url));
        assert!(first.is_ok() && second.is_ok() && third.is_ok());
        assert_eq!(server.connections(), 3);
        let (first, third) = tokio::join!(one.get(&url), other.get(&url));
        assert!(first.is_ok() && third.is_ok());
        assert_eq!(server.connections(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_connection_the_peer_closed_while_idle_is_replaced_silently() {
    run(async {
        let server = ScriptedServer::new(&[ServerAction::Idle(OK), ServerAction::Answer(OK)]).await;
        let user = TestUser::new();
        user.get(&server.url("/1")).await.unwrap();
        server.close_idle().await;
        user.get(&server.url("/2")).await.unwrap();
        assert_eq!((server.connections(), server.requests().len()), (2, 2));
    })
    .await;
}

#[tokio::test]
async fn a_connection_with_stray_bytes_is_replaced() {
    run(async {
        let stray = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong";
        let server = ScriptedServer::new(&[ServerAction::Answer(stray), ServerAction::Answer(OK)]).await;
        let user = TestUser::new();
        for _ in 0..2 {
            assert_eq!(user.get(&server.url("/")).await.unwrap().1, "ok");
        }
        assert_eq!(server.connections(), 2);
    })
    .await;
}

#[tokio::test]
async fn replies_may_end_the_connection() {
    run(async {
        for (case, answer) in [
            ("connection: close", &b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"[..]),
            ("HTTP/1.0", b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"),
        ] {
            let server = ScriptedServer::new(&[ServerAction::Answer(answer)]).await;
            let user = TestUser::new();
            for _ in 0..2 {
                assert_eq!(user.get(&server.url("/")).await.unwrap().1, "ok", "{case}");
            }
            assert_eq!(server.connections(), 2, "{case}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_request_may_end_the_connection() {
    run(async {
        let server = ScriptedServer::new(&[ServerAction::Answer(OK)]).await;
        let user = TestUser::new();
        for _ in 0..2 {
            let mut request = get(&server.url("/"));
            request.headers.push(CONNECTION, HeaderValue::from_static("close"));
            assert!(user.send(request).await.is_ok());
        }
        assert_eq!(server.connections(), 2);
    })
    .await;
}

/// The runtime reports to a task that has used up its budget that its sockets are neither readable nor writable, even a
/// closed one. The task's next poll finds the connection closed before it writes.
#[tokio::test]
async fn a_request_that_was_not_written_is_sent_again() {
    run(async {
        let server = ScriptedServer::new(&[ServerAction::Idle(OK), ServerAction::Answer(OK)]).await;
        let user = TestUser::new();
        user.get(&server.url("/1")).await.unwrap();
        server.close_idle().await;
        while coop::has_budget_remaining() {
            coop::consume_budget().await;
        }
        user.get(&server.url("/2")).await.unwrap();
        assert_eq!((server.connections(), server.requests().len()), (2, 2));
    })
    .await;
}

#[tokio::test]
async fn a_request_that_was_written_is_not_sent_again() {
    run(async {
        for (case, end, failure) in [
            ("closed", ServerAction::Last(b""), "network: connection closed before the reply"),
            ("reset", ServerAction::Reset, "network: connection reset"),
        ] {
            let server = ScriptedServer::new(&[ServerAction::Answer(OK), end, ServerAction::Answer(OK)]).await;
            let user = TestUser::new();
            user.get(&server.url("/1")).await.unwrap();
            assert_eq!(user.get(&server.url("/2")).await.unwrap_err(), failure, "{case}");
            assert_eq!((server.connections(), server.requests().len()), (1, 2), "{case}");
            user.get(&server.url("/3")).await.unwrap();
            assert_eq!((server.connections(), server.requests().len()), (2, 3), "{case}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_exchange_that_is_dropped_closes_its_connection() {
    run(async {
        for (case, answer) in [
            ("before the reply", &b""[..]),
            ("within the header section", b"HTTP/1.1 200 OK\r\n"),
            ("within the content", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwro"),
        ] {
            let server = ScriptedServer::new(&[ServerAction::Stall(answer), ServerAction::Answer(OK)]).await;
            let (user, url) = (TestUser::new(), server.url("/"));
            tokio::select! {
                biased;
                _ = user.get(&url) => panic!("there is no reply"),
                () = server.until_answered() => {}
            }
            assert_eq!(user.measured().bytes_out, server.seen.bytes_in.get(), "{case}");
            assert_eq!((user.measured().bytes_in, user.measured().end), (answer.len() as u64, None), "{case}");
            server.until_closed(1).await;
            assert_eq!(user.get(&url).await.unwrap().1, "ok", "{case}");
            assert_eq!(server.connections(), 2, "{case}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_connections_kept_have_a_limit() {
    run(async {
        let user = TestUser::new();
        let mut servers = Vec::new();
        for _ in 0..65 {
            let server = ScriptedServer::new(&[ServerAction::Answer(OK)]).await;
            user.get(&server.url("/")).await.unwrap();
            servers.push(server);
        }
        servers[0].until_closed(1).await;
        for (server, connections) in [(&servers[64], 1), (&servers[1], 1), (&servers[0], 2)] {
            user.get(&server.url("/")).await.unwrap();
            assert_eq!(server.connections(), connections);
        }
    })
    .await;
}

/// Starts a server that answers as soon as it has read the head of a request, and reads no further.
async fn answers_early(closes: bool) -> (String, Rc<Cell<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, connections) = (format!("http://{}/", listener.local_addr().unwrap()), Rc::new(Cell::new(0)));
    let accepted = Rc::clone(&connections);
    spawn_local(async move {
        let mut open = Vec::new();
        while let Ok((mut connection, _)) = listener.accept().await {
            accepted.set(accepted.get() + 1);
            while !read_line(&mut connection).await.is_empty() {}
            connection.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno").await.unwrap();
            if closes {
                connection.shutdown().await.unwrap();
            }
            open.push(connection);
        }
    });
    (url, connections)
}

async fn read_line(connection: &mut TcpStream) -> String {
    let mut line = String::new();
    while !line.ends_with("\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte).await.unwrap();
        line.push(byte[0].into());
    }
    line.trim_end().to_owned()
}

#[tokio::test]
async fn a_reply_may_come_before_the_request_is_written_and_ends_the_connection() {
    run(async {
        for closes in [false, true] {
            let (url, connections) = answers_early(closes).await;
            let user = TestUser::new();
            for number in 1..=2 {
                // More than the buffers of both sockets hold.
                let body = Bytes::from(vec![b'x'; 64 << 20]);
                let reply = user.send(Request { method: Method::POST, body, ..get(&url) }).await;
                assert_eq!(text(reply), Ok((413, Bytes::from_static(b"no"))), "closes: {closes}");
                assert!(user.measured().bytes_out < 64 << 20);
                assert_eq!(connections.get(), number);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn content_before_a_malformed_chunk_counts() {
    run(async {
        let server = ScriptedServer::new(&[ServerAction::Last(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n",
        )])
        .await;
        let user = TestUser::new();
        assert_eq!(user.get(&server.url("/")).await.unwrap_err(), "protocol: malformed reply: invalid chunk");
        assert_eq!(user.measured().body_bytes_in, 5);
    })
    .await;
}
