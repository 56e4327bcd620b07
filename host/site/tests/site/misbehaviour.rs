//! Misbehaviour, seen from a plain socket.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use stampede_site::RunningSite;

use crate::client::{settled, site};

/// Sends a request and reads until the connection ends. Returns the bytes received, and the error that ended it.
fn exchange(site: &RunningSite, path: &str) -> (Vec<u8>, Option<ErrorKind>) {
    let mut stream = TcpStream::connect(site.addr()).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: site\r\n\r\n").unwrap();
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).err().map(|error| error.kind());
    (bytes, end)
}

#[test]
fn close_ends_the_connection_in_order_without_a_byte() {
    assert_eq!(exchange(&site(), "/close"), (vec![], None));
}

#[test]
fn reset_ends_the_connection_with_a_reset() {
    assert_eq!(exchange(&site(), "/reset"), (vec![], Some(ErrorKind::ConnectionReset)));
}

#[test]
fn malformed_bytes_are_not_http() {
    let (bytes, end) = exchange(&site(), "/malformed");
    assert!(!bytes.is_empty() && !bytes.starts_with(b"HTTP/"), "{bytes:?}");
    assert_eq!(end, None);
}

#[test]
fn truncated_announces_more_than_it_sends() {
    let (bytes, end) = exchange(&site(), "/truncated");
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("content-length: 1024"), "{head}");
    assert_eq!((body.len(), end), (512, None));
}

#[tokio::test]
async fn a_request_without_a_reply_counts_with_status_0() {
    let site = site();
    for path in ["/close", "/reset", "/malformed", "/truncated"] {
        exchange(&site, path);
    }
    let snapshot = settled(&site).await;
    assert_eq!((snapshot.requests, snapshot.statuses[&0], snapshot.statuses[&200]), (4, 3, 1));
    assert_eq!(snapshot.body_bytes_sent, 512);
}

#[tokio::test]
async fn a_request_whose_client_leaves_counts_with_status_0() {
    let site = site();
    let mut stream = TcpStream::connect(site.addr()).unwrap();
    write!(stream, "GET /delay/600000 HTTP/1.1\r\nhost: site\r\n\r\n").unwrap();
    while site.stats().snapshot().in_flight == 0 {
        tokio::task::yield_now().await;
    }
    drop(stream);
    assert_eq!(settled(&site).await.statuses[&0], 1);
}

#[test]
fn a_stopped_site_drops_its_connections_and_frees_its_port() {
    let site = site();
    let mut stream = TcpStream::connect(site.addr()).unwrap();
    write!(stream, "GET /delay/600000 HTTP/1.1\r\nhost: site\r\n\r\n").unwrap();
    while site.stats().snapshot().in_flight == 0 {
        std::thread::yield_now();
    }
    let (addr, stats) = (site.addr(), site.stats());
    site.stop();
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    assert_eq!(TcpStream::connect(addr).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(stats.snapshot().statuses[&0], 1);
}
