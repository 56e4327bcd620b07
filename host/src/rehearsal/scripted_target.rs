//! The other end of every connection in a rehearsal: it receives and answers as its script says, part after part.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::Notify;

use super::byte_pattern::{BytePattern, Match, quoted};
use super::cases::{ExpectedRequest, TargetPart, TargetReply};
use super::http2_target;
use super::received_request::{ReceivedRequest, differences};
use super::target_script::{NextPart, TargetScript, TlsPart};
use crate::net::{Dial, Failure};

/// The number of bytes that a connection buffers in either direction before the writer waits.
const BUFFER_BYTES: usize = 64 << 10;
/// The pieces of content that is sent over some time.
const MAX_PIECES: usize = 20;
/// The most header fields of a request.
const MAX_FIELDS: usize = 300;

/// A target that follows a script. All connections share it.
#[derive(Debug)]
pub(super) struct ScriptedTarget {
    script: Arc<TargetScript>,
    /// Tells the connections that TLS has begun on one of them, so that another part is next.
    secured: Notify,
}

/// A connection as the target sees it.
struct TargetConnection {
    target: Arc<ScriptedTarget>,
    stream: DuplexStream,
    /// Bytes that were received and not taken yet.
    buffer: Vec<u8>,
}

impl ScriptedTarget {
    /// Creates a target that was not asked for anything yet and speaks these protocols over TLS.
    pub(super) fn new(parts: Vec<TargetPart>, alpn: &[String]) -> Arc<Self> {
        Arc::new(Self { script: Arc::new(TargetScript::new(parts, alpn)), secured: Notify::new() })
    }

    /// Returns the differences from its script, parts that were not asked for included.
    pub(super) fn finish(&self) -> Vec<String> {
        self.script.finish()
    }

    /// Takes the next part, which must be the beginning of TLS.
    async fn begin_tls(&self) -> Result<(), Failure> {
        let TlsPart::Expected { succeeds, after } = self.script.take_tls() else {
            return Err(Failure::network("tls: connection closed during the handshake"));
        };
        tokio::time::sleep(after).await;
        self.secured.notify_waiters();
        if succeeds { Ok(()) } else { Err(Failure::network("tls: refused by the server: handshake failure")) }
    }
}

impl Dial for ScriptedTarget {
    fn dial(self: Arc<Self>) -> DuplexStream {
        let (near, far) = tokio::io::duplex(BUFFER_BYTES);
        let connection = TargetConnection { target: self, stream: far, buffer: Vec::new() };
        tokio::task::spawn_local(connection.serve());
        near
    }

    fn secure(&self) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + '_>> {
        Box::pin(self.begin_tls())
    }

    fn pick_protocol(&self, offered: &[Vec<u8>]) -> Option<Vec<u8>> {
        self.script.pick(offered).map(|name| name.as_bytes().to_vec())
    }
}

impl TargetConnection {
    /// Runs parts of the script until one closes the connection, or the other side has closed it.
    async fn serve(mut self) {
        if self.wait_for_work().await && self.begins_http2().await {
            return http2_target::serve(Arc::clone(&self.target.script), self.stream, self.buffer).await;
        }
        while self.wait_for_work().await {
            if !self.run_part().await {
                return;
            }
        }
    }

    /// Waits until bytes arrive, unless the script has the target speak first. Returns `false` if the other side has
    /// closed.
    async fn wait_for_work(&mut self) -> bool {
        while self.buffer.is_empty() && !matches!(self.target.script.peek(), NextPart::FromTarget | NextPart::Close) {
            tokio::select! {
                biased;
                received = self.stream.read_buf(&mut self.buffer) => return matches!(received, Ok(1..)),
                () = self.target.secured.notified() => {}
            }
        }
        true
    }

    /// Returns `true` if the client speaks HTTP/2, and so may the target.
    async fn begins_http2(&mut self) -> bool {
        if self.target.script.pick(&[http2_target::PROTOCOL.into()]).is_none() {
            return false;
        }
        while !self.buffer.is_empty() && http2_target::PREFACE.starts_with(&self.buffer) {
            if self.buffer.len() == http2_target::PREFACE.len() || !self.receive().await {
                break;
            }
        }
        self.buffer.starts_with(http2_target::PREFACE)
    }

    /// Runs the next part. Returns `false` if the connection is over.
    async fn run_part(&mut self) -> bool {
        match self.target.script.take() {
            None => {
                let received = quoted(&self.buffer);
                self.target.script.add_fault(format!("the target was asked for more than its script has: {received}"));
                false
            }
            Some(TargetPart::Close) => false,
            Some(TargetPart::Secure { .. }) => {
                let received = quoted(&self.buffer);
                self.target.script.add_fault(format!("the target expected TLS to begin, received {received}"));
                false
            }
            Some(TargetPart::Http(expected, reply)) => self.answer_request(&expected, &reply).await,
            Some(TargetPart::Bytes { receives, sends, after }) => {
                if !self.expect_bytes(&receives).await {
                    return false;
                }
                tokio::time::sleep(after).await;
                self.stream.write_all(&sends.bytes()).await.is_ok()
            }
        }
    }

    /// Takes these bytes, which must be the next. Returns `false` if they are not.
    async fn expect_bytes(&mut self, expected: &BytePattern) -> bool {
        loop {
            match expected.compare(&self.buffer) {
                Match::Complete(length) => {
                    self.buffer.drain(..length);
                    return true;
                }
                Match::Incomplete if self.receive().await => {}
                Match::Incomplete | Match::Different => {
                    let (expected, received) = (expected.describe(), quoted(&self.buffer));
                    self.target.script.add_fault(format!("the target expected {expected}, received {received}"));
                    return false;
                }
            }
        }
    }

    async fn answer_request(&mut self, expected: &ExpectedRequest, reply: &TargetReply) -> bool {
        let Some(request) = self.read_request().await else {
            let received = quoted(&self.buffer);
            self.target.script.add_fault(format!("the target expected an HTTP request, received {received}"));
            return false;
        };
        differences(expected, &request).into_iter().for_each(|fault| self.target.script.add_fault(fault));
        if !reply.trailers.is_empty() {
            let fault = "trailers are sent over HTTP/2 only, which the target speaks with `alpn: [h2]`";
            self.target.script.add_fault(fault.into());
        }
        tokio::time::sleep(reply.after).await;
        let content = if request.method == "HEAD" { &[][..] } else { &reply.body };
        let head = encode_head(reply);
        if reply.over.is_zero() || content.is_empty() {
            return self.stream.write_all(&[head.as_bytes(), content].concat()).await.is_ok();
        }
        self.stream.write_all(head.as_bytes()).await.is_ok() && self.send_in_pieces(content, reply.over).await
    }

    /// Sends content in even pieces, the last of which is sent at the end of the time. Returns `false` if the other
    /// side has closed.
    async fn send_in_pieces(&mut self, content: &[u8], over: Duration) -> bool {
        let count = content.len().min(MAX_PIECES);
        let end_of = |piece: usize| content.len() * piece / count;
        for piece in 0..count {
            tokio::time::sleep(over / count as u32).await;
            if self.stream.write_all(&content[end_of(piece)..end_of(piece + 1)]).await.is_err() {
                return false;
            }
        }
        true
    }

    /// Takes a whole request; `None` if the bytes are not one.
    async fn read_request(&mut self) -> Option<ReceivedRequest> {
        let (mut request, content) = loop {
            match parse_head(&self.buffer) {
                ParsedHead::Complete { request, head_length, content_length } => {
                    break (request, head_length..head_length + content_length);
                }
                ParsedHead::Invalid => return None,
                ParsedHead::Incomplete if self.receive().await => {}
                ParsedHead::Incomplete => return None,
            }
        };
        while self.buffer.len() < content.end {
            if !self.receive().await {
                return None;
            }
        }
        request.body = self.buffer[content.clone()].to_vec();
        self.buffer.drain(..content.end);
        Some(request)
    }

    /// Waits for more bytes. Returns `false` if no more will come.
    async fn receive(&mut self) -> bool {
        matches!(self.stream.read_buf(&mut self.buffer).await, Ok(1..))
    }
}

/// The beginning of a request, as far as it was received.
enum ParsedHead {
    /// More bytes are needed.
    Incomplete,
    /// The bytes are not a request.
    Invalid,
    /// The head is complete. The lengths of head and content are in bytes.
    Complete { request: ReceivedRequest, head_length: usize, content_length: usize },
}

/// Parses the head of a request. Our own client gives every request with content a `content-length`.
fn parse_head(bytes: &[u8]) -> ParsedHead {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    let head_length = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return ParsedHead::Incomplete,
        Err(_) => return ParsedHead::Invalid,
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers: Vec<_> = parsed.headers.iter().map(|field| (field.name.to_owned(), text(field.value))).collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let Some(content_length) = length.map_or(Some(0), |(_, value)| value.parse().ok()) else {
        return ParsedHead::Invalid;
    };
    let (method, path) = (parsed.method.unwrap_or_default().to_owned(), parsed.path.unwrap_or_default().to_owned());
    let request = ReceivedRequest { method, path, headers, body: Vec::new() };
    ParsedHead::Complete { request, head_length, content_length }
}

/// Encodes the head of a reply for the wire.
fn encode_head(reply: &TargetReply) -> String {
    let mut head = format!("HTTP/1.1 {} \r\ncontent-length: {}\r\n", reply.status, reply.body.len());
    reply.headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    head + "\r\n"
}
