//! A server that a test scripts byte by byte. It records each request as received.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// One HTTP/1.1 request as received.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RawRequest {
    /// `GET /path HTTP/1.1`.
    pub line: String,
    /// The fields in the order received, with their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, of the length that `content-length` gives.
    pub body: Vec<u8>,
}

impl RawRequest {
    /// Returns the value of a field; empty if the request has none of that name.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Reads the next request of a connection; `None` at the end of the connection.
    pub(crate) fn read(reader: &mut impl BufRead) -> Option<Self> {
        let line = read_line(reader)?;
        let mut headers = Vec::new();
        loop {
            let field = read_line(reader)?;
            if field.is_empty() {
                break;
            }
            let (name, value) = field.split_once(':')?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut request = Self { line, headers, body: Vec::new() };
        let length = request.header("content-length").parse().unwrap_or(0);
        request.body.resize(length, 0);
        reader.read_exact(&mut request.body).ok()?;
        Some(request)
    }
}

fn read_line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let length = reader.read_line(&mut line).ok()?;
    (length > 0).then(|| line.trim_end().to_owned())
}

/// A reply as a server decides on it.
#[derive(Clone, Debug)]
pub struct RawReply {
    /// The bytes to send.
    pub bytes: Vec<u8>,
    /// True if the connection is closed after them.
    pub closes: bool,
}

/// A server that answers every request with bytes of a test's choice, on connections that stay open.
pub struct RawServer {
    addr: SocketAddr,
    requests: Arc<Mutex<Vec<RawRequest>>>,
}

impl RawServer {
    /// Listens on a free port until the tests end. `reply` returns the bytes to send; if it returns none, the
    /// connection is closed.
    pub fn start(reply: impl Fn(&RawRequest) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::deciding(move |request| {
            let bytes = reply(request);
            RawReply { closes: bytes.is_empty(), bytes }
        })
    }

    /// Listens as [`Self::start`] does, and closes each connection after the first reply.
    pub fn hanging_up(reply: impl Fn(&RawRequest) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::deciding(move |request| RawReply { bytes: reply(request), closes: true })
    }

    /// Listens as [`Self::start`] does; `reply` says of each reply whether the connection is closed after it.
    pub fn deciding(reply: impl Fn(&RawRequest) -> RawReply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let addr = listener.local_addr().expect("a bound listener has an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, reply) = (Arc::clone(&requests), Arc::new(reply));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, reply) = (Arc::clone(&seen), Arc::clone(&reply));
                thread::spawn(move || serve(&stream, &seen, &*reply));
            }
        });
        Self { addr, requests }
    }

    /// Answers every request with 200 and an empty body.
    pub fn recording() -> Self {
        Self::start(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec())
    }

    /// Returns `http://host:port`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Returns the requests since the last call, in the order received.
    pub fn take(&self) -> Vec<RawRequest> {
        std::mem::take(&mut *self.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn serve(stream: &TcpStream, seen: &Mutex<Vec<RawRequest>>, reply: &impl Fn(&RawRequest) -> RawReply) {
    // A reply in two segments must not wait for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::new(stream);
    while let Some(request) = RawRequest::read(&mut reader) {
        let RawReply { bytes, closes } = reply(&request);
        seen.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        let mut writer = stream;
        if writer.write_all(&bytes).is_err() || closes {
            return;
        }
    }
}
