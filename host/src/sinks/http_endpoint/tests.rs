//! Tests of the endpoint over real sockets, with clients that write the bytes themselves.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;

use tokio::sync::mpsc;

use super::*;

fn open(handler: impl Fn(Request<Bytes>) -> Response<EndpointBody> + Send + Sync + 'static) -> HttpEndpoint {
    HttpEndpoint::open(ListenAddress::loopback(0), "--test", Arc::new(handler)).expect("a free port")
}

/// Creates an endpoint that answers with method, path and body of the request.
fn echo() -> HttpEndpoint {
    open(|request| {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        reply(StatusCode::OK, "text/plain", format!("{} {} {body}", request.method(), request.uri()))
    })
}

/// Sends bytes and returns everything until the server closes the connection.
fn exchange(endpoint: &HttpEndpoint, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(endpoint.address()).expect("it listens");
    stream.write_all(request).expect("it reads");
    read_to_end(stream)
}

fn read_to_end(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    // The server may reset the connection, because of bytes that it did not read, after its answer.
    let _ = stream.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn a_request_with_its_body_reaches_the_handler() {
    let endpoint = echo();
    let request = b"POST /a?b=c HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello";
    let text = exchange(&endpoint, request);
    assert!(text.starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"), "{text}");
    assert!(text.contains("content-length: 17\r\n") && text.ends_with("\r\n\r\nPOST /a?b=c hello"), "{text}");
    let text = exchange(&endpoint, b"HEAD /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(text.contains("content-length: 8\r\n") && text.ends_with("\r\n\r\n"), "{text}");
}

#[test]
fn requests_that_are_too_large_or_not_http_are_answered_and_end_the_connection() {
    let endpoint = echo();
    let head = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(MAX_HEAD_BYTES));
    let body = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", MAX_BODY_BYTES + 1);
    let body = body + &"a".repeat(MAX_BODY_BYTES + 1);
    for (request, status) in [(head.as_str(), "431"), (body.as_str(), "413"), ("not HTTP\r\n\r\n", "400")] {
        let mut stream = TcpStream::connect(endpoint.address()).expect("it listens");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).expect("an answer");
        assert_eq!(String::from_utf8_lossy(&answer), format!("HTTP/1.1 {status}"));
    }
}

#[test]
fn pieces_are_sent_one_by_one_until_the_sender_is_gone() {
    let senders = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&senders);
    let endpoint = open(move |_| {
        let (sender, receiver) = mpsc::channel(4);
        kept.lock().unwrap().push(sender);
        reply(StatusCode::OK, "text/event-stream", EndpointBody::pieces(receiver))
    });
    let mut stream = TcpStream::connect(endpoint.address()).expect("it listens");
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("it reads");
    let mut read = |end: &str| {
        let mut text = Vec::new();
        while !text.ends_with(end.as_bytes()) {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("more");
            text.push(byte[0]);
        }
        String::from_utf8(text).expect("UTF-8")
    };
    assert!(read("\r\n\r\n").contains("text/event-stream"));
    let sender = senders.lock().unwrap().pop().expect("one request");
    for piece in ["data: 1\n\n", "data: 2\n\n"] {
        sender.blocking_send(piece.into()).expect("it is served");
        assert_eq!(read(piece), format!("9\r\n{piece}"), "a chunk");
        assert_eq!(read("\r\n"), "\r\n");
    }
    drop(sender);
    assert_eq!(read("\r\n\r\n"), "0\r\n\r\n", "the end");
}

#[test]
fn a_client_that_has_gone_closes_its_channel() {
    let senders = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&senders);
    let endpoint = open(move |_| {
        let (sender, receiver) = mpsc::channel(4);
        kept.lock().unwrap().push(sender);
        reply(StatusCode::OK, "text/event-stream", EndpointBody::pieces(receiver))
    });
    let mut stream = TcpStream::connect(endpoint.address()).expect("it listens");
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").expect("it reads");
    stream.read_exact(&mut [0; 12]).expect("an answer");
    drop(stream);
    let sender = senders.lock().unwrap().pop().expect("one request");
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(sender.closed());
}

#[test]
fn connections_over_the_limit_are_refused() {
    let endpoint = echo();
    let connect = || TcpStream::connect(endpoint.address()).expect("it listens");
    let idle: Vec<_> = (0..MAX_CLIENTS).map(|_| connect()).collect();
    assert_eq!(read_to_end(connect()).as_bytes(), TOO_MANY);
    drop(idle);
}

#[test]
fn dropping_it_ends_replies_in_progress_and_frees_the_port() {
    let (sender, receiver) = mpsc::channel(1);
    let receiver = Mutex::new(Some(receiver));
    let endpoint = open(move |_| {
        let receiver = receiver.lock().unwrap().take().expect("one request");
        reply(StatusCode::OK, "text/plain", EndpointBody::pieces(receiver))
    });
    let address = endpoint.address();
    let idle = TcpStream::connect(address).expect("it listens");
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").expect("it reads");
    stream.read_exact(&mut [0; 12]).expect("an answer");
    drop(endpoint);
    assert_eq!(read_to_end(idle), "");
    assert!(read_to_end(stream).ends_with("\r\n\r\n"), "a reply that never ends is cut off");
    assert!(sender.is_closed());
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn an_address_in_use_is_an_error_that_names_the_flag() {
    let endpoint = echo();
    let taken = ListenAddress::loopback(endpoint.address().port());
    let error = HttpEndpoint::open(taken, "--test", Arc::new(|_| unreachable!())).err().expect("it is in use");
    assert_eq!(error.code, "usage::addr");
    assert!(error.message.starts_with(&format!("cannot listen on {}: ", endpoint.address())), "{}", error.message);
    assert!(error.help.expect("a fix").contains("`--test 127.0.0.1:0`"));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_nothing_is_disconnected() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (_running, ended) = watch::channel(());
    let idle = async {
        let mut stream = tokio::net::TcpStream::connect(address).await?;
        tokio::io::AsyncReadExt::read(&mut stream, &mut [0]).await
    };
    tokio::select! {
        () = serve(listener, Arc::new(|_| unreachable!()), ended) => unreachable!("it serves forever"),
        read = idle => assert_eq!(read.expect("an orderly end"), 0),
    }
}
