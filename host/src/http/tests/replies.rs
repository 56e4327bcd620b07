//! Valid replies in all their forms.

use super::*;
use crate::net::Grants;

#[tokio::test]
async fn content_of_all_framings_is_read() {
    run(async {
        for (case, answer, status, content) in [
            ("with a length", &b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"[..], 200, "ok"),
            (
                "in chunks",
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\n\r\n",
                200,
                "ok",
            ),
            (
                "with a trailer",
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx: y\r\n\r\n",
                200,
                "ok",
            ),
            ("until the end of the connection", b"HTTP/1.1 200 OK\r\n\r\nok", 200, "ok"),
            ("none", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200, ""),
            ("none because of its status", b"HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
            (
                "after hints",
                b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno",
                404,
                "no",
            ),
            ("an unknown status", b"HTTP/1.1 799 \r\ncontent-length: 2\r\n\r\nok", 799, "ok"),
        ] {
            let server = ScriptedServer::new(&[ServerAction::Last(answer)]).await;
            let user = TestUser::new();
            assert_eq!(user.get(&server.url("/")).await, Ok((status, Bytes::from(content))), "{case}");
            assert_eq!(user.measured().body_bytes_in, content.len() as u64, "{case}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_head_has_no_content() {
    run(async {
        let server =
            ScriptedServer::new(&[ServerAction::Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")]).await;
        let user = TestUser::new();
        for _ in 0..2 {
            let reply = user.send(Request { method: Method::HEAD, ..get(&server.url("/")) }).await;
            assert_eq!(text(reply), Ok((200, Bytes::new())));
        }
        assert_eq!(server.connections(), 1);
    })
    .await;
}

#[tokio::test]
async fn kept_content_is_decoded_and_counted_as_transferred() {
    run(async {
        let coded = b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 9\r\n\r\n\x0b\x02\x80hello\x03";
        let server = ScriptedServer::new(&[ServerAction::Answer(coded)]).await;
        let user = TestUser::new();
        for decode in [true, false] {
            let reply = user.send(Request { decode, ..get(&server.url("/")) }).await;
            assert_eq!(text(reply), Ok((200, Bytes::from_static(b"hello"))));
            assert_eq!(user.measured().body_bytes_in, 9);
        }
    })
    .await;
}

#[tokio::test]
async fn content_that_cannot_be_decoded_is_a_failure_only_if_it_was_asked_for() {
    run(async {
        for (coding, failure) in [("gzip", "malformed reply: invalid gzip content"), ("x", "unknown content coding")] {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: 5\r\n\r\nhello");
            let server = ScriptedServer::new(&[ServerAction::Answer(head.into_bytes().leak())]).await;
            let user = TestUser::new();
            let asked = user.send(Request { decode: true, ..get(&server.url("/")) }).await;
            assert_eq!(text(asked), Err(format!("protocol: {failure}")));
            let reply = user.send(get(&server.url("/"))).await.ok().unwrap();
            assert_eq!((reply.codings_left().as_deref(), &reply.body[..]), (Some(coding), &b"hello"[..]));
        }
    })
    .await;
}

#[tokio::test]
async fn content_is_decoded_on_demand_and_known_by_what_was_transferred() {
    run(async {
        const HELLO: &[u8] =
            b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 9\r\n\r\n\x0b\x02\x80hello\x03";
        const BROKEN: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 9\r\n\r\nnot in br";
        let user = TestUser::new();
        let mut fingerprints = Vec::new();
        for (answer, takes_fingerprint, decoding, content) in [
            (HELLO, true, Decoding::OnDemand, "hello"),
            (HELLO, true, Decoding::AtOnce, "hello"),
            (BROKEN, true, Decoding::OnDemand, "not in br"),
            (HELLO, false, Decoding::OnDemand, "hello"),
        ] {
            let server = ScriptedServer::new(&[ServerAction::Answer(answer)]).await;
            let request = Request { takes_fingerprint, decoding, ..get(&server.url("/")) };
            let reply = user.send(request).await.ok().unwrap();
            let transferred = if decoding == Decoding::OnDemand { 9 } else { 5 };
            assert_eq!((reply.body.len(), &reply.content(100)[..]), (transferred, content.as_bytes()));
            if decoding == Decoding::OnDemand && content == "hello" {
                assert_eq!(reply.content(4), Bytes::new(), "it is longer than the limit");
            }
            fingerprints.push(reply.fingerprint);
        }
        assert_eq!((fingerprints[0], fingerprints[3]), (fingerprints[1], 0));
        assert!(fingerprints[0] != 0 && fingerprints[0] != fingerprints[2], "{fingerprints:?}");
    })
    .await;
}

#[tokio::test]
async fn endless_content_is_counted_until_the_exchange_is_dropped() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        spawn_local(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            read_request(&mut connection).await.unwrap();
            connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            while connection.write_all(&[b'x'; 10_000]).await.is_ok() {}
        });
        let user = TestUser::new();
        let enough = async {
            while user.measured().body_bytes_in < 1_000_000 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = user.send(Request { keep_body: None, ..get(&url) }) => panic!("there is no end"),
            () = enough => {}
        }
        assert!(user.measured().bytes_in > 1_000_000);
        assert_eq!((user.measured().status, user.measured().end), (200, None));
    })
    .await;
}

#[tokio::test]
async fn cookies_are_sent_back() {
    run(async {
        let server = ScriptedServer::new(&[
            ServerAction::Answer(b"HTTP/1.1 200 OK\r\nset-cookie: id=7; Path=/\r\ncontent-length: 0\r\n\r\n"),
            ServerAction::Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
        ])
        .await;
        let (one, other) = (TestUser::new(), TestUser::new());
        for user in [&one, &one, &other] {
            user.get(&server.url("/")).await.unwrap();
        }
        let with_cookie: Vec<_> = server.requests().iter().map(|request| request.contains("cookie: id=7")).collect();
        assert_eq!(with_cookie, [false, true, false]);
        assert_eq!(one.session.cookies.value("id").as_deref(), Some("7"));
    })
    .await;
}

#[tokio::test]
async fn a_redirect_is_followed_by_a_second_exchange() {
    run(async {
        let server = ScriptedServer::new(&[
            ServerAction::Answer(b"HTTP/1.1 302 Found\r\nlocation: next\r\ncontent-length: 0\r\n\r\n"),
            ServerAction::Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
        ])
        .await;
        let (user, request) = (TestUser::new(), get(&server.url("/dir/page")));
        let reply = user.send(request.clone()).await.ok().unwrap();
        let request = redirect::next(&request, &reply, |_| false, &Rc::new(Grants::unrestricted())).unwrap().unwrap();
        assert_eq!(text(user.send(request).await), Ok((200, Bytes::from("ok"))));
        assert!(server.requests()[1].starts_with("GET /dir/next HTTP/1.1\r\n"));
    })
    .await;
}
