//! Requests that upgrade their connection.

use hyper::header::{HeaderName, HeaderValue};

use super::*;
use crate::net::Failure;

impl TestUser {
    async fn upgrade(&self, request: Request) -> Result<UpgradeReply, Failure> {
        self.meter.begin(self.client.now(), 0);
        upgrade(&self.client, &self.session, &self.meter, &request).await
    }
}

const SWITCH: &[u8] = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nset-cookie: seat=7\r\n\r\n";
const SWITCH_AND_MORE: &[u8] =
    b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nset-cookie: seat=7\r\n\r\nfirst";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nset-cookie: id=1\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn the_connection_is_new_and_bytes_after_the_head_are_read_first() {
    run(async {
        let server = ScriptedServer::new(&[
            ServerAction::Answer(OK),
            ServerAction::Answer(SWITCH_AND_MORE),
            ServerAction::Answer(b"second"),
        ])
        .await;
        let user = TestUser::new();
        user.get(&server.url("/")).await.unwrap();
        let own = vec![(HeaderName::from_static("x-own"), HeaderValue::from_static("a"))];
        let fields = vec![
            (HeaderName::from_static("x-own"), HeaderValue::from_static("b")),
            (HeaderName::from_static("authorization"), HeaderValue::from_static("c")),
        ];
        let headers = Fields::new(own.into(), Rc::new(fields));
        let switched = user.upgrade(Request { headers, ..get(&server.url("/chat")) }).await.ok().unwrap();
        assert_eq!((switched.status.as_u16(), server.connections()), (101, 2));
        let sent = &server.requests()[1];
        assert_eq!(sent.split("\r\n").next(), Some("GET /chat HTTP/1.1"));
        for field in ["x-own: a", "authorization: c", "cookie: id=1"] {
            assert!(sent.contains(&format!("\r\n{field}\r\n")), "{field}\n{sent}");
        }
        assert_eq!(user.session.cookies.value("seat").as_deref(), Some("7"));
        let measured = user.measured();
        assert_eq!((measured.status, measured.bytes_out), (101, sent.len() as u64));
        assert_eq!(measured.bytes_in, SWITCH.len() as u64, "the rest counts when it is read");
        assert_eq!(measured.phases.first_byte, Some(switched.duration));
        let mut stream = switched.stream.unwrap();
        let mut read = [0; 8];
        for (max_bytes, expected) in [(2, &b"fi"[..]), (8, b"rst")] {
            let count = stream.read(&mut read[..max_bytes]).await.unwrap();
            assert_eq!(&read[..count], expected);
        }
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let count = stream.read(&mut read).await.unwrap();
        assert_eq!(&read[..count], b"second");
    })
    .await;
}

#[tokio::test]
async fn without_status_101_there_is_no_stream() {
    run(async {
        let server = ScriptedServer::new(&[ServerAction::Answer(OK)]).await;
        let user = TestUser::new();
        for count in 1..3 {
            let switched = user.upgrade(get(&server.url("/"))).await.ok().unwrap();
            assert_eq!((switched.status.as_u16(), switched.stream.is_some()), (200, false));
            assert_eq!(switched.headers.get("Content-Length"), Some(&b"2"[..]));
            server.until_closed(count).await;
        }
        assert_eq!(user.session.cookies.value("id").as_deref(), Some("1"));
    })
    .await;
}

#[tokio::test]
async fn malformed_heads_are_failures() {
    let many: &'static [u8] = format!("HTTP/1.1 101 S\r\nx: {}\r\n\r\n", "y".repeat(70_000)).into_bytes().leak();
    run(async {
        for (case, then, expected) in [
            ("nothing", ServerAction::Last(b""), "network: connection closed before the reply"),
            ("half of it", ServerAction::Last(b"HTTP/1.1 101 Sw"), "protocol: reply truncated"),
            ("a reset", ServerAction::Reset, "network: connection reset"),
            (
                "another protocol",
                ServerAction::Answer(b"SSH-2.0-OpenSSH_9.2\r\n"),
                "protocol: malformed reply: invalid version",
            ),
            (
                "a malformed length",
                ServerAction::Answer(b"HTTP/1.1 101 S\r\ncontent-length: x\r\n\r\n"),
                "protocol: malformed reply: invalid content-length",
            ),
            ("far too large", ServerAction::Answer(many), "protocol: header section too large"),
        ] {
            let server = ScriptedServer::new(&[then]).await;
            let failure = TestUser::new().upgrade(get(&server.url("/"))).await.err().unwrap();
            assert_eq!(format!("{}: {failure}", failure.kind.name()), expected, "{case}");
        }
    })
    .await;
}
