//! Exchanges whose content is sent and received in pieces.

use std::convert::Infallible;
use std::future::poll_fn;

use hyper::body::{Body, Frame, Incoming};
use hyper::header::HeaderMap;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

use super::super::client::LocalTasks;
use super::*;
use crate::net::{Failure, Version};

/// Echoes each piece of a request as it arrives, and then sends a trailer.
struct Echo(Incoming, bool);

impl Body for Echo {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        std::pin::Pin::new(&mut self.0).poll_frame(cx).map(|frame| match frame {
            Some(frame) => Some(Ok(frame.unwrap())),
            None if self.1 => None,
            None => {
                self.1 = true;
                let mut trailers = HeaderMap::new();
                trailers.insert("grpc-status", "0".parse().unwrap());
                Some(Ok(Frame::trailers(trailers)))
            }
        })
    }
}

async fn echo_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    spawn_local(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let service = service_fn(async |request: hyper::Request<Incoming>| {
                Ok::<_, Infallible>(hyper::Response::new(Echo(request.into_body(), false)))
            });
            spawn_local(http2::Builder::new(LocalTasks).serve_connection(TokioIo::new(connection), service));
        }
    });
    url
}

fn streamed(url: &str, version: Version, channel: &Rc<BodyChannel>) -> Request {
    Request { version, keep_body: None, channel: Some(Rc::clone(channel)), ..get(url) }
}

fn channel(more: bool) -> Rc<BodyChannel> {
    Rc::new(BodyChannel::new(&Allowance::new(Cell::new(1 << 20)), more))
}

/// Polls the exchange first and then its reader whenever either is woken, like a task of a user.
async fn with_exchange<T>(
    exchange: impl Future<Output = Result<Reply, Failure>>,
    reader: impl Future<Output = T>,
) -> T {
    let (mut exchange, mut reader) = (Box::pin(exchange), Box::pin(reader));
    let mut over = false;
    poll_fn(|cx| {
        over = over || exchange.as_mut().poll(cx).is_ready();
        reader.as_mut().poll(cx)
    })
    .await
}

async fn read(channel: &BodyChannel) -> Result<Bytes, Failure> {
    poll_fn(|_| channel.poll_read(64 << 10)).await.map(Bytes::from)
}

#[tokio::test]
async fn pieces_go_both_ways_over_http2_and_trailers_end_them() {
    run(async {
        let (user, channel) = (TestUser::new(), channel(true));
        let request = streamed(&echo_server().await, Version::Http2, &channel);
        let reader = async {
            assert_eq!(poll_fn(|_| channel.poll_head()).await.unwrap(), 200);
            for piece in ["one", "two", "three"] {
                channel.write(Bytes::from(piece)).unwrap();
                assert_eq!(read(&channel).await.unwrap(), piece);
            }
            assert_eq!(channel.trailer("grpc-status"), None);
            channel.finish();
            assert_eq!(read(&channel).await.unwrap(), "");
            channel.trailer("grpc-status")
        };
        let trailer = with_exchange(user.send(request), reader).await;
        assert_eq!(trailer.as_deref(), Some(&b"0"[..]));
    })
    .await;
}

#[tokio::test]
async fn a_slow_reader_gets_all_of_a_reply_larger_than_the_buffer() {
    run(async {
        let (user, channel) = (TestUser::new(), channel(true));
        let request = streamed(&echo_server().await, Version::Http2, &channel);
        let reader = async {
            let (mut sent, mut received) = (0, 0);
            while sent < 8 << 20 {
                let piece = vec![7; 100_000];
                sent += piece.len();
                channel.write(piece.into()).unwrap();
                // The previous piece has been sent by now, or is being echoed.
                while poll_fn(|cx| std::task::Poll::Ready(channel.poll_written(cx).is_pending())).await {
                    received += read(&channel).await.unwrap().len();
                }
            }
            channel.finish();
            loop {
                match read(&channel).await.unwrap().len() {
                    0 => break,
                    more => received += more,
                }
            }
            (sent, received)
        };
        let (sent, received) = with_exchange(user.send(request), reader).await;
        assert_eq!(sent, received);
    })
    .await;
}

#[tokio::test]
async fn a_stream_over_http1_is_read_as_it_arrives_up_to_its_end() {
    run(async {
        let (user, channel) = (TestUser::new(), channel(false));
        let head =
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
        let server = ScriptedServer::new(&[ServerAction::Stall(head)]).await;
        let request = streamed(&server.url("/"), Version::Negotiate, &channel);
        let reader = async {
            assert_eq!(poll_fn(|_| channel.poll_head()).await.unwrap(), 200);
            assert_eq!(channel.header("Content-Type").as_deref(), Some(&b"text/event-stream"[..]));
            assert_eq!(read(&channel).await.unwrap(), "hello");
        };
        with_exchange(user.send(request), reader).await;
        let failure = read(&channel).await.unwrap_err();
        assert_eq!(failure.to_string(), "the exchange was cut off");
    })
    .await;
}

#[tokio::test]
async fn content_written_before_the_exchange_begins_is_sent() {
    run(async {
        let (user, channel) = (TestUser::new(), channel(true));
        let request = Request { body: Bytes::from("one"), ..streamed(&echo_server().await, Version::Http2, &channel) };
        channel.write(Bytes::from("two")).unwrap();
        channel.finish();
        let reader = async {
            let mut all = Vec::new();
            loop {
                match read(&channel).await.unwrap() {
                    piece if piece.is_empty() => return all,
                    piece => all.extend_from_slice(&piece),
                }
            }
        };
        assert_eq!(with_exchange(user.send(request), reader).await, b"onetwo");
    })
    .await;
}

#[tokio::test]
async fn content_in_pieces_is_not_sent_over_http1() {
    run(async {
        let (user, channel) = (TestUser::new(), channel(true));
        let server =
            ScriptedServer::new(&[ServerAction::Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")]).await;
        let outcome = text(user.send(streamed(&server.url("/"), Version::Http1, &channel)).await);
        assert_eq!(outcome.unwrap_err(), "protocol: content in pieces can be sent only over HTTP/2");
        assert!(read(&channel).await.is_err());
    })
    .await;
}
