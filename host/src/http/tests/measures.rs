//! The numbers of a sample, compared with those of the server.

use hyper::header::{HeaderName, HeaderValue, USER_AGENT};

use super::*;
use crate::net::Measurements;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn bytes_equal_those_that_the_server_counts() {
    run(async {
        let server = ScriptedServer::new(&[
            ServerAction::Answer(OK),
            ServerAction::Answer(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
            ServerAction::Answer(
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n",
            ),
            ServerAction::Last(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok"),
        ])
        .await;
        let user = TestUser::new();
        let (mut sent, mut received) = (0, 0);
        for (size, body_bytes) in [(0, 2), (100_000, 2), (1, 7), (0, 2)] {
            let body = Bytes::from(vec![b'x'; size]);
            let _ = user.send(Request { method: Method::POST, body, ..get(&server.url("/")) }).await;
            let measured = user.measured();
            sent += measured.bytes_out;
            received += measured.bytes_in;
            assert_eq!((sent, received), (server.seen.bytes_in.get(), server.seen.bytes_out.get()));
            assert_eq!((measured.status, measured.body_bytes_in), (200, body_bytes));
        }
    })
    .await;
}

#[tokio::test]
async fn a_phase_is_measured_only_if_it_happened() {
    run(async {
        let server = ScriptedServer::new(&[ServerAction::Answer(OK)]).await;
        let user = TestUser::new();
        let by_name = format!("http://localhost:{}/", server.address.port());
        for (case, url, dns, connect) in [
            ("a name", &by_name, true, true),
            ("an open connection", &by_name, false, false),
            ("an address", &server.url("/"), false, true),
            ("an open connection", &server.url("/"), false, false),
        ] {
            user.get(url).await.unwrap();
            let Measurements { phases, start, end, .. } = user.measured();
            assert_eq!((phases.dns.is_some(), phases.connect.is_some()), (dns, connect), "{case}");
            assert_eq!((phases.tls, phases.first_byte.is_some(), phases.receive.is_some()), (None, true, true));
            let parts = [phases.dns, phases.connect, phases.first_byte, phases.receive];
            assert!(parts.into_iter().flatten().sum::<u64>() <= end.unwrap() - start, "{case}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_meter_is_reset_when_it_begins() {
    run(async {
        let server = ScriptedServer::new(&[ServerAction::Answer(OK)]).await;
        let user = TestUser::new();
        user.get(&server.url("/")).await.unwrap();
        let first = user.measured();
        user.get(&server.url("/")).await.unwrap();
        assert_eq!(user.measured().bytes_in, first.bytes_in);
        assert!(user.measured().start >= first.end.unwrap());
    })
    .await;
}

#[tokio::test]
async fn requests_are_written_as_expected() {
    run(async {
        let server = ScriptedServer::new(&[ServerAction::Answer(OK)]).await;
        let host = server.address;
        let user = TestUser::new();
        let base = || get(&server.url("/a/b?c=d#e"));
        let mut framed = base();
        framed.headers.push(HeaderName::from_static("content-length"), HeaderValue::from_static("77"));
        framed.headers.push(HeaderName::from_static("transfer-encoding"), HeaderValue::from_static("chunked"));
        framed.headers.push(HeaderName::from_static("host"), HeaderValue::from_static("other"));
        let mut named = base();
        named.headers.push(USER_AGENT, HeaderValue::from_static("x"));
        let body = Bytes::from_static(b"hello");
        let agent = concat!("user-agent: stampede-shooter/", env!("CARGO_PKG_VERSION"), "\r\n");
        for (case, request, expected) in [
            ("plain", base(), format!("GET /a/b?c=d HTTP/1.1\r\nhost: {host}\r\n{agent}\r\n")),
            ("fields", named, format!("GET /a/b?c=d HTTP/1.1\r\nuser-agent: x\r\nhost: {host}\r\n\r\n")),
            ("own framing, host as given", framed, format!("GET /a/b?c=d HTTP/1.1\r\nhost: other\r\n{agent}\r\n")),
            (
                "content",
                Request { method: Method::PUT, body, ..base() },
                format!("PUT /a/b?c=d HTTP/1.1\r\nhost: {host}\r\n{agent}content-length: 5\r\n\r\nhello"),
            ),
            (
                "a POST without content says so",
                Request { method: Method::POST, ..base() },
                format!("POST /a/b?c=d HTTP/1.1\r\nhost: {host}\r\n{agent}content-length: 0\r\n\r\n"),
            ),
            (
                "compression",
                Request { decode: true, ..base() },
                format!("GET /a/b?c=d HTTP/1.1\r\nhost: {host}\r\n{agent}accept-encoding: gzip, deflate, br\r\n\r\n"),
            ),
        ] {
            user.send(request).await.map_err(|failure| failure.to_string()).err();
            assert_eq!(server.requests().last(), Some(&expected), "{case}");
        }
    })
    .await;
}
