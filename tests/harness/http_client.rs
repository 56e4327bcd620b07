//! Single HTTP requests to the peers of a test, byte by byte.

use std::io::{Read, Write};
use std::net::TcpStream;

/// Makes one GET request, with more header lines, and returns head and body of the reply.
///
/// # Panics
/// Nothing listens, or the reply is not HTTP.
pub fn http_get(address: &str, path: &str, headers: &str) -> (String, String) {
    exchange(address, &format!("GET {path} HTTP/1.0\r\nhost: {address}\r\n{headers}\r\n"))
}

/// Makes one POST request and returns head and body of the reply.
///
/// # Panics
/// Nothing listens, or the reply is not HTTP.
pub fn http_post(address: &str, path: &str, body: &str) -> (String, String) {
    let length = body.len();
    exchange(address, &format!("POST {path} HTTP/1.0\r\nhost: {address}\r\ncontent-length: {length}\r\n\r\n{body}"))
}

fn exchange(address: &str, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("it answers in UTF-8");
    let (head, body) = reply.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), body.to_owned())
}

/// Returns a text as a part of a URL.
pub(crate) fn url_encoded(text: &str) -> String {
    let encoded = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(encoded).collect()
}
