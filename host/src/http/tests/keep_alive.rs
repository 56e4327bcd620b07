//! When a connection is used again, and when a request may be sent again.

use hyper::header::{CONNECTION, HeaderValue};
use tokio::task::coop;

use super::*;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn requests_of_a_user_share_a_connection() {
    run(async {
        let server = Server::new(&[
            Then::Answer(OK),
            Then::Answer(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            Then::Answer(b"HTTP/1.1 204 No Content\r\n\r\n"),
            Then::Answer(b"HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\n"),
            Then::Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
            Then::Answer(OK),
        ])
        .await;
        let user = User::new();
        for status in [200, 200, 204, 304, 200, 200] {
            assert_eq!(user.get(&server.url("/")).await.unwrap().0, status);
        }
        assert_eq!((server.connections(), server.requests().len()), (1, 6));
    })
    .await;
}

#[tokio::test]
async fn users_share_no_connection_and_neither_do_requests_at_once() {
    run(async {
        let server = Server::new(&[Then::Answer(OK)]).await;
        let (one, other, url) = (User::new(), User::new(), server.url("/"));
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
        let server = Server::new(&[Then::Idle(OK), Then::Answer(OK)]).await;
        let user = User::new();
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
        let server = Server::new(&[Then::Answer(stray), Then::Answer(OK)]).await;
        let user = User::new();
        for _ in 0..2 {
            assert_eq!(user.get(&server.url("/")).await.unwrap().1, "ok");
        }
        assert_eq!(server.connections(), 2);
    })
    .await;
}

#[tokio::test]
async fn replies_that_end_the_connection() {
    run(async {
        for (case, answer) in [
            ("connection: close", &b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"[..]),
            ("HTTP/1.0", b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"),
        ] {
            let server = Server::new(&[Then::Answer(answer)]).await;
            let user = User::new();
            for _ in 0..2 {
                assert_eq!(user.get(&server.url("/")).await.unwrap().1, "ok", "{case}");
            }
            assert_eq!(server.connections(), 2, "{case}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_request_that_ends_the_connection() {
    run(async {
        let server = Server::new(&[Then::Answer(OK)]).await;
        let user = User::new();
        for _ in 0..2 {
            let mut request = get(&server.url("/"));
            request.headers.push(CONNECTION, HeaderValue::from_static("close"));
            assert!(user.send(request).await.is_ok());
        }
        assert_eq!(server.connections(), 2);
    })
    .await;
}

/// The runtime makes a task that has done much see its sockets as not ready, even a closed one: not to be read, and not
/// to be written to either. The task's next turn finds the connection closed before it writes.
#[tokio::test]
async fn a_request_that_was_not_written_is_sent_again() {
    run(async {
        let server = Server::new(&[Then::Idle(OK), Then::Answer(OK)]).await;
        let user = User::new();
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
            ("closed", Then::Last(b""), "network: connection closed before the reply"),
            ("reset", Then::Reset, "network: connection reset"),
        ] {
            let server = Server::new(&[Then::Answer(OK), end, Then::Answer(OK)]).await;
            let user = User::new();
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
            let server = Server::new(&[Then::Stall(answer), Then::Answer(OK)]).await;
            let (user, url) = (User::new(), server.url("/"));
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
        let user = User::new();
        let mut servers = Vec::new();
        for _ in 0..65 {
            let server = Server::new(&[Then::Answer(OK)]).await;
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
