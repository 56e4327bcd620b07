//! TLS with a self-signed certificate.

use std::convert::Infallible;
use std::sync::Arc;

use http_body_util::Full;
use hyper::Response;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

use super::super::client::LocalTasks;
use super::*;
use crate::net::{Measurements, Meter, Version};

/// Returns a server's acceptor of TLS connections, which picks from these protocols.
fn acceptor(protocols: &[&str]) -> TlsAcceptor {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config = builder.with_single_cert(vec![cert.der().clone()], key).unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// Starts a server that picks one of these protocols, speaks it, and reports it.
async fn server(protocols: &[&str]) -> (String, Rc<RefCell<Vec<String>>>) {
    let acceptor = acceptor(protocols);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let picked = Rc::new(RefCell::new(Vec::new()));
    let protocols_picked = Rc::clone(&picked);
    spawn_local(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let Ok(mut connection) = acceptor.accept(connection).await else { continue };
            let protocol = connection.get_ref().1.alpn_protocol().unwrap_or_default().to_vec();
            let protocol = String::from_utf8(protocol).unwrap();
            protocols_picked.borrow_mut().push(protocol.clone());
            if protocol == "h2" {
                let service = service_fn(async |_| Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("ok")))));
                spawn_local(http2::Builder::new(LocalTasks).serve_connection(TokioIo::new(connection), service));
                continue;
            }
            spawn_local(async move {
                let mut buffer = [0; 1_000];
                while connection.read(&mut buffer).await.is_ok_and(|count| count > 0) {
                    connection.write_all(OK).await.unwrap();
                    connection.flush().await.unwrap();
                }
            });
        }
    });
    (url, picked)
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn a_certificate_of_an_unknown_issuer_is_rejected() {
    run(async {
        let (url, picked) = server(&[]).await;
        let user = TestUser::new();
        let failure = user.get(&url).await.unwrap_err();
        assert!(failure.starts_with("network: tls: certificate of an unknown issuer; `--cacert FILE`"), "{failure}");
        let Measurements { phases, bytes_out, .. } = user.measured();
        assert!(phases.connect.is_some() && phases.tls.is_none());
        assert_eq!(bytes_out, 0);
        assert!(picked.borrow().is_empty());
    })
    .await;
}

#[tokio::test]
async fn any_certificate_is_accepted_on_request() {
    run(async {
        let (url, picked) = server(&[]).await;
        let user = TestUser::trusting(true);
        for first in [true, false] {
            assert_eq!(user.get(&url).await, Ok((200, Bytes::from("ok"))));
            assert_eq!(user.measured().phases.tls.is_some(), first);
            assert_eq!(user.measured().bytes_in, OK.len() as u64);
        }
        assert_eq!(picked.borrow().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_requested_version_is_offered() {
    run(async {
        for (case, version, protocols, picked) in [
            ("the better one", Version::Negotiate, &["h2", "http/1.1"][..], "h2"),
            ("the only one", Version::Negotiate, &["http/1.1"], "http/1.1"),
            ("not offered", Version::Http1, &["h2", "http/1.1"], "http/1.1"),
            ("wanted", Version::Http2, &["h2", "http/1.1"], "h2"),
            ("a server that picks none", Version::Negotiate, &[], ""),
        ] {
            let (url, seen) = server(protocols).await;
            let user = TestUser::trusting(true);
            for _ in 0..2 {
                let reply = user.send(Request { version, ..get(&url) }).await.ok().unwrap();
                assert_eq!(
                    (reply.version == hyper::Version::HTTP_2, reply.body),
                    (picked == "h2", "ok".into()),
                    "{case}"
                );
            }
            assert_eq!(*seen.borrow(), [picked], "{case}");
        }
    })
    .await;
}

#[tokio::test]
async fn connections_last_as_long_as_they_should() {
    run(async {
        for protocol in ["h2", "http/1.1"] {
            for (connections, opened) in [(Lifespan::User, 1), (Lifespan::Iteration, 2), (Lifespan::Request, 4)] {
                let (url, picked) = server(&[protocol]).await;
                let user = TestUser::trusting(true);
                user.session.set_retention(Retention { connections, ..Retention::default() });
                for _ in 0..2 {
                    user.session.begin_iteration();
                    for _ in 0..2 {
                        assert_eq!(user.get(&url).await, Ok((200, Bytes::from("ok"))));
                    }
                }
                assert_eq!(*picked.borrow(), vec![protocol; opened], "{connections:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_without_the_requested_version_is_a_failure() {
    run(async {
        for (case, protocols, failure) in [
            ("picks none", &[][..], "network: tls: the server does not offer http/2"),
            ("has others", &["http/1.1"], "network: tls: the server does not offer http/2"),
        ] {
            let (url, _) = server(protocols).await;
            let outcome = TestUser::trusting(true).send(Request { version: Version::Http2, ..get(&url) }).await;
            assert_eq!(text(outcome).unwrap_err(), failure, "{case}");
        }
    })
    .await;
}

#[tokio::test]
async fn simultaneous_requests_share_the_negotiated_connection() {
    run(async {
        let (url, picked) = server(&["h2", "http/1.1"]).await;
        let (user, meter) = (TestUser::trusting(true), Meter::default());
        let request = get(&url);
        let other = exchange(&user.client, &user.session, &meter, &request);
        let (one, two) = tokio::join!(user.get(&url), other);
        assert!(one.is_ok() && two.is_ok());
        assert_eq!(picked.borrow().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn simultaneous_requests_learn_that_the_server_speaks_http1() {
    run(async {
        let (url, picked) = server(&["http/1.1"]).await;
        let (user, meter) = (TestUser::trusting(true), Meter::default());
        for connections in [2, 2] {
            let request = get(&url);
            let other = exchange(&user.client, &user.session, &meter, &request);
            let (one, two) = tokio::join!(user.get(&url), other);
            assert!(one.is_ok() && two.is_ok());
            assert_eq!(picked.borrow().len(), connections);
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_a_failure() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        spawn_local(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
            let _ = connection.read(&mut [0; 1_000]).await;
        });
        assert_eq!(TestUser::new().get(&url).await.unwrap_err(), "network: tls: the server does not speak tls");
    })
    .await;
}

#[tokio::test]
async fn a_large_request_arrives_whole_and_the_connection_is_closed_with_an_alert() {
    const SIZE: usize = 1_000_000;
    run(async {
        let (acceptor, listener) = (acceptor(&[]), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let url = format!("https://{}/", listener.local_addr().unwrap());
        let served = spawn_local(async move {
            let mut connection = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
            let (mut received, mut buffer) = (Vec::new(), vec![0; 10_000]);
            while received.iter().filter(|&&byte| byte == b'!').count() < SIZE {
                let count = connection.read(&mut buffer).await.unwrap();
                received.extend_from_slice(&buffer[..count]);
            }
            connection.write_all(OK).await.unwrap();
            connection.flush().await.unwrap();
            // A connection that ends without the closing alert is an error here.
            connection.read(&mut buffer).await.map_err(|error| error.kind())
        });
        let user = TestUser::trusting(true);
        let body = Bytes::from(vec![b'!'; SIZE]);
        let reply = user.send(Request { method: Method::POST, body, ..get(&url) }).await;
        assert_eq!(text(reply), Ok((200, Bytes::from_static(b"ok"))));
        assert!(user.measured().bytes_out > SIZE as u64);
        drop(user);
        assert_eq!(served.await.unwrap(), Ok(0));
    })
    .await;
}
