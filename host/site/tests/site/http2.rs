//! The site over HTTP/2 with prior knowledge.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Version;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use stampede_site::RunningSite;
use tokio::net::TcpStream;

use crate::client::{Reply, request, settled, site};

async fn connect(site: &RunningSite) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(site.addr()).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn get(sender: &mut SendRequest<Full<Bytes>>, path: &str) -> hyper::Result<Reply> {
    let mut request = request("GET", &format!("http://site{path}"), &[], "");
    request.headers_mut().remove("host");
    let response = sender.send_request(request).await?;
    assert_eq!(response.version(), Version::HTTP_2);
    Reply::read(response).await
}

#[tokio::test]
async fn pages_are_the_same_over_http2() {
    let site = site();
    let mut sender = connect(&site).await;
    assert_eq!(get(&mut sender, "/api/v1/catalog?page=2").await.unwrap().json()["page"], 2);
    assert_eq!(get(&mut sender, "/bytes/100000").await.unwrap().body.len(), 100_000);
    assert_eq!(get(&mut sender, "/ws").await.unwrap().status, 426);
    let snapshot = settled(&site).await;
    assert_eq!((snapshot.requests, snapshot.connections), (3, 1));
}

#[tokio::test]
async fn misbehaviour_ends_the_stream_and_leaves_the_connection() {
    let site = site();
    let mut sender = connect(&site).await;
    for path in ["/close", "/reset", "/malformed", "/truncated"] {
        assert!(get(&mut sender, path).await.is_err(), "{path}");
    }
    assert_eq!(get(&mut sender, "/status/200").await.unwrap().status, 200);
    let snapshot = settled(&site).await;
    assert_eq!((snapshot.statuses[&0], snapshot.connections), (3, 1));
}
