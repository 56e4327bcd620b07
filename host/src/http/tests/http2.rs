//! HTTP/2 with prior knowledge, against hyper's own server.

use std::convert::Infallible;
use std::num::NonZeroU64;

use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::Barrier;

use super::super::client::LocalTasks;
use super::super::http2::{Http2, Http2Outcome};
use super::super::message::OutgoingRequest;
use super::*;
use crate::metrics::sample::SpanId;
use crate::metrics::trace::{TraceContext, TraceId};
use crate::net::{Meter, Transport, Version};

/// Observations of the server.
#[derive(Default)]
struct Http2Log {
    connections: Cell<usize>,
    requests: RefCell<Vec<String>>,
    /// The `traceparent` of each request.
    traces: RefCell<Vec<Option<HeaderValue>>>,
    /// Requests that are being answered.
    open: Cell<usize>,
}

/// A request that is being answered, to the end or until its stream is reset.
struct OpenRequestGuard(Rc<Http2Log>);

impl Drop for OpenRequestGuard {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get() - 1);
    }
}

/// Starts a server that answers with the request's content as soon as `together` requests are waiting.
async fn server(together: usize) -> (String, Rc<Http2Log>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (counted, barrier) = (Rc::new(Http2Log::default()), Rc::new(Barrier::new(together)));
    let log = Rc::clone(&counted);
    spawn_local(async move {
        while let Ok((connection, _)) = listener.accept().await {
            log.connections.set(log.connections.get() + 1);
            let (log, barrier) = (Rc::clone(&log), Rc::clone(&barrier));
            let service = service_fn(move |request| answer(request, Rc::clone(&log), Rc::clone(&barrier)));
            spawn_local(http2::Builder::new(LocalTasks).serve_connection(TokioIo::new(connection), service));
        }
    });
    (url, counted)
}

async fn answer(
    request: hyper::Request<Incoming>,
    log: Rc<Http2Log>,
    barrier: Rc<Barrier>,
) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let line = format!("{} {} {:?}", request.method(), request.uri(), request.headers().get(HOST));
    log.requests.borrow_mut().push(line);
    log.traces.borrow_mut().push(request.headers().get("traceparent").cloned());
    log.open.set(log.open.get() + 1);
    let _open = OpenRequestGuard(log);
    let content = request.into_body().collect().await.unwrap().to_bytes();
    barrier.wait().await;
    Ok(hyper::Response::new(Full::new(content)))
}

fn post(url: &str, content: &'static str) -> Request {
    Request { method: Method::POST, version: Version::Http2, body: Bytes::from(content), ..get(url) }
}

#[tokio::test]
async fn connections_last_as_long_as_they_should() {
    run(async {
        for (connections, opened) in [(Lifespan::User, 1), (Lifespan::Iteration, 3), (Lifespan::Request, 6)] {
            let (url, counted) = server(1).await;
            let user = TestUser::new();
            user.session.set_retention(Retention { connections, ..Retention::default() });
            for _ in 0..3 {
                user.session.begin_iteration();
                for content in ["one", "two"] {
                    assert_eq!(text(user.send(post(&url, content)).await), Ok((200, Bytes::from(content))));
                }
            }
            let requests = counted.requests.borrow().len();
            assert_eq!((counted.connections.get(), requests), (opened, 6), "{connections:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn requests_at_once_share_a_connection() {
    run(async {
        let (url, counted) = server(3).await;
        let user = TestUser::new();
        let meters: [Meter; 3] = Default::default();
        let send = async |number: usize, content| {
            exchange(&user.client, &user.session, &meters[number], &post(&url, content)).await
        };
        let replies = tokio::join!(send(0, "one"), send(1, "two"), send(2, "three"));
        for (reply, content) in [(replies.0, "one"), (replies.1, "two"), (replies.2, "three")] {
            assert_eq!(text(reply), Ok((200, Bytes::from(content))));
        }
        assert_eq!((counted.connections.get(), counted.requests.borrow().len()), (1, 3));
        let connected: Vec<_> = meters.iter().filter(|meter| meter.read().phases.connect.is_some()).collect();
        assert_eq!(connected.len(), 1);
        assert!(meters.iter().all(|meter| meter.read().body_bytes_in >= 3));
    })
    .await;
}

#[tokio::test]
async fn the_connection_is_used_again() {
    run(async {
        let (url, counted) = server(1).await;
        let user = TestUser::new();
        for _ in 0..3 {
            let reply = user.send(post(&url, "hello")).await.ok().unwrap();
            assert_eq!((reply.version, reply.body), (hyper::Version::HTTP_2, Bytes::from("hello")));
            assert!(user.measured().bytes_out > 5 && user.measured().bytes_in > 5);
        }
        assert_eq!(counted.connections.get(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_authority_is_the_origin_or_the_host_field() {
    run(async {
        let (url, counted) = server(1).await;
        let user = TestUser::new();
        let mut named = post(&url, "");
        named.headers.push(HOST, HeaderValue::from_static("other"));
        for request in [post(&url, ""), named] {
            assert!(user.send(request).await.is_ok());
        }
        assert_eq!(*counted.requests.borrow(), [format!("POST {url} None"), "POST http://other/ None".to_owned()]);
    })
    .await;
}

#[tokio::test]
async fn a_request_carries_its_place_in_a_trace_unless_it_has_one_of_its_own() {
    run(async {
        let (url, counted) = server(1).await;
        let user = TestUser::new();
        let (trace, span) = (TraceId { high: 1, low: NonZeroU64::MIN }, SpanId(NonZeroU64::MAX));
        let own = (HeaderName::from_static("traceparent"), HeaderValue::from_static("own"));
        let context = TraceContext { trace, span, is_sampled: true };
        for (context, headers) in [(None, None), (Some(context), None), (Some(context), Some(own))] {
            user.meter.set_trace(context);
            let request = Request { headers: headers.into_iter().collect(), ..post(&url, "") };
            assert!(user.send(request).await.is_ok());
        }
        let sent = "00-00000000000000010000000000000001-ffffffffffffffff-01";
        let texts = [None, Some(sent), Some("own")];
        assert_eq!(*counted.traces.borrow(), texts.map(|text| text.map(HeaderValue::from_static)));
    })
    .await;
}

#[tokio::test]
async fn a_request_that_is_dropped_ends_its_stream_and_nothing_else() {
    run(async {
        let (url, counted) = server(2).await;
        let user = TestUser::new();
        tokio::select! {
            biased;
            _ = user.send(post(&url, "dropped")) => panic!("the server waits for a second request"),
            () = until(|| counted.open.get() == 1) => {}
        }
        until(|| counted.open.get() == 0).await;
        let reply = user.send(post(&url, "second")).await;
        assert_eq!(text(reply), Ok((200, Bytes::from("second"))));
        assert_eq!((counted.connections.get(), counted.requests.borrow().len()), (1, 2));
    })
    .await;
}

/// Closes a connection when a request was handed over, or when it was written as well, and returns the outcome.
async fn outcome_of_a_close(is_written: bool) -> Http2Outcome {
    let (near, mut far) = tokio::io::duplex(64 * 1024);
    let user = TestUser::new();
    let mut connection = Http2::start(&user.client, Transport::InProcess(near), None).await.ok().unwrap();
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    far.write_all(&settings).await.unwrap();
    turn().await;
    let request = post("http://host/", "hello");
    let (cookie, user_agent, trace) = (None, None, None);
    let outgoing = OutgoingRequest { request: &request, cookie, user_agent, is_last: false, trace, link: None };
    let mut exchange = Box::pin(connection.exchange(&user.client, &user.meter, outgoing, 0));
    tokio::select! {
        biased;
        _ = &mut exchange => panic!("the server has not answered"),
        () = std::future::ready(()) => {}
    }
    if is_written {
        turn().await;
    }
    drop(far);
    exchange.await
}

#[tokio::test]
async fn a_request_that_was_not_written_when_its_connection_closed_is_told_from_one_that_was() {
    run(async {
        assert!(matches!(outcome_of_a_close(false).await, Http2Outcome::Unsent(_)));
        assert!(matches!(outcome_of_a_close(true).await, Http2Outcome::Done(Err(_))));
    })
    .await;
}

#[tokio::test]
async fn servers_that_do_not_speak_http2_are_failures() {
    run(async {
        for (case, then, failure) in [
            // The system reports it in one of two ways, depending on what the server has read.
            ("closes", ServerAction::Last(b""), "network: connection "),
            (
                "HTTP/1.1",
                ServerAction::Stall(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
                "protocol: malformed reply: http/2: frame with invalid size",
            ),
        ] {
            let server = ScriptedServer::new(&[then]).await;
            let user = TestUser::new();
            let outcome = text(user.send(post(&server.url("/"), "")).await);
            let outcome = outcome.unwrap_err();
            assert!(outcome.starts_with(failure), "{case}: {outcome}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_cannot_be_opened_fails_all_waiting_exchanges() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let (user, meter) = (TestUser::new(), Meter::default());
        let request = post(&url, "");
        let other = exchange(&user.client, &user.session, &meter, &request);
        let (one, two) = tokio::join!(user.send(post(&url, "")), other);
        for outcome in [one, two] {
            assert_eq!(text(outcome).unwrap_err(), "network: connection refused");
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
            let (url, counted) = server(1).await;
            assert!(user.send(post(&url, "")).await.is_ok());
            servers.push((url, counted));
        }
        for (number, connections) in [(64, 1), (1, 1), (0, 2)] {
            let (url, counted) = &servers[number];
            assert!(user.send(post(url, "")).await.is_ok());
            assert_eq!(counted.connections.get(), connections);
        }
    })
    .await;
}
