//! The other end of every connection: it expects what its script says, part after part, and answers as that says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::cases::{ExpectedRequest, TargetPart, TargetReply};
use crate::net::Dial;

/// Bytes that a connection holds in either direction before the writer waits.
const BUFFER_BYTES: usize = 64 << 10;
/// Header fields of a request.
const MAX_FIELDS: usize = 300;
/// Bytes of what came that a message shows.
const MAX_QUOTED_BYTES: usize = 200;

/// A target that follows a script. All connections share it: who asks first gets the next part.
#[derive(Debug)]
pub struct ScriptedTarget(Mutex<TargetState>);

#[derive(Debug)]
struct TargetState {
    parts: VecDeque<TargetPart>,
    faults: Vec<String>,
}

/// A request as it came.
struct ReceivedRequest {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// A connection as the target sees it.
struct TargetConnection {
    target: Arc<ScriptedTarget>,
    stream: DuplexStream,
    /// Came and was not taken yet.
    buffer: Vec<u8>,
}

impl ScriptedTarget {
    /// A target that nothing has asked yet.
    pub fn new(parts: Vec<TargetPart>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(TargetState { parts: parts.into(), faults: Vec::new() })))
    }

    /// What was not as its script says, now that nobody asks any more.
    pub fn finish(&self) -> Vec<String> {
        let mut state = self.state();
        let mut faults = std::mem::take(&mut state.faults);
        match state.parts.len() {
            0 => {}
            1 => faults.push("the target was not asked for its last part".into()),
            left => faults.push(format!("the target was not asked for its last {left} parts")),
        }
        faults
    }

    fn state(&self) -> std::sync::MutexGuard<'_, TargetState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_part(&self) -> Option<TargetPart> {
        self.state().parts.pop_front()
    }

    fn add_fault(&self, fault: String) {
        self.state().faults.push(fault);
    }
}

impl Dial for ScriptedTarget {
    fn dial(self: Arc<Self>) -> DuplexStream {
        let (near, far) = tokio::io::duplex(BUFFER_BYTES);
        let connection = TargetConnection { target: self, stream: far, buffer: Vec::new() };
        tokio::task::spawn_local(connection.serve());
        near
    }
}

impl TargetConnection {
    /// Does what the script says until it says to close, or the other side has closed.
    async fn serve(mut self) {
        while self.wait_for_work().await {
            if !self.run_part().await {
                return;
            }
        }
    }

    /// Waits until something is to be done: something came, or the script has the target speak first. `false` if the
    /// other side has closed.
    async fn wait_for_work(&mut self) -> bool {
        self.speaks_first() || !self.buffer.is_empty() || self.receive().await
    }

    fn speaks_first(&self) -> bool {
        match self.target.state().parts.front() {
            Some(TargetPart::Bytes { receives, .. }) => receives.is_empty(),
            Some(TargetPart::Close) => true,
            Some(TargetPart::Http(..)) | None => false,
        }
    }

    /// Does the next part; `false` if the connection is over.
    async fn run_part(&mut self) -> bool {
        match self.target.next_part() {
            None => {
                let received = quoted(&self.buffer);
                self.target.add_fault(format!("the target was asked for more than its script has: {received}"));
                false
            }
            Some(TargetPart::Close) => false,
            Some(TargetPart::Http(wanted, reply)) => self.answer_request(&wanted, &reply).await,
            Some(TargetPart::Bytes { receives, sends, after }) => {
                if !self.expect_bytes(&receives).await {
                    return false;
                }
                tokio::time::sleep(after).await;
                self.stream.write_all(&sends).await.is_ok()
            }
        }
    }

    /// Takes these bytes, which must come next.
    async fn expect_bytes(&mut self, wanted: &[u8]) -> bool {
        while self.buffer.len() < wanted.len() && wanted.starts_with(&self.buffer) && self.receive().await {}
        if !self.buffer.starts_with(wanted) {
            let (wanted, came) = (quoted(wanted), quoted(&self.buffer));
            self.target.add_fault(format!("the target was to receive {wanted}, and received {came}"));
            return false;
        }
        self.buffer.drain(..wanted.len());
        true
    }

    async fn answer_request(&mut self, wanted: &ExpectedRequest, reply: &TargetReply) -> bool {
        let Some(request) = self.read_request().await else {
            let received = quoted(&self.buffer);
            self.target.add_fault(format!("the target was to receive an HTTP request, and received {received}"));
            return false;
        };
        differences(wanted, &request).into_iter().for_each(|fault| self.target.add_fault(fault));
        tokio::time::sleep(reply.after).await;
        self.stream.write_all(&encode_reply(reply, request.method == "HEAD")).await.is_ok()
    }

    /// Takes a whole request.
    async fn read_request(&mut self) -> Option<ReceivedRequest> {
        let (mut request, head, length) = loop {
            if let Some(parsed) = parse_head(&self.buffer) {
                break parsed?;
            }
            if !self.receive().await {
                return None;
            }
        };
        while self.buffer.len() < head + length {
            if !self.receive().await {
                return None;
            }
        }
        request.body = self.buffer[head..head + length].to_vec();
        self.buffer.drain(..head + length);
        Some(request)
    }

    /// Waits for more bytes; `false` if none will come.
    async fn receive(&mut self) -> bool {
        matches!(self.stream.read_buf(&mut self.buffer).await, Ok(1..))
    }
}

/// A request's head with its length and that of the content; `None` while it is incomplete, `Some(None)` if it is none.
/// Our own client gives every request with content a `content-length`.
fn parse_head(bytes: &[u8]) -> Option<Option<(ReceivedRequest, usize, usize)>> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    let head = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return None,
        Err(_) => return Some(None),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers: Vec<_> = parsed.headers.iter().map(|field| (field.name.to_owned(), text(field.value))).collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.map_or(Some(0), |(_, value)| value.parse().ok());
    let (method, path) = (parsed.method.unwrap_or_default().to_owned(), parsed.path.unwrap_or_default().to_owned());
    Some(length.map(|length| (ReceivedRequest { method, path, headers, body: Vec::new() }, head, length)))
}

/// How a request differs from the one that was wanted.
fn differences(wanted: &ExpectedRequest, received: &ReceivedRequest) -> Vec<String> {
    let mut faults = Vec::new();
    let mut differs = |what: &str, wanted: Option<&String>, came: &str| {
        if let Some(wanted) = wanted.filter(|wanted| *wanted != came) {
            let (wanted, came) = (quoted(wanted.as_bytes()), quoted(came.as_bytes()));
            faults.push(format!("{what} of a request was to be {wanted}, and was {came}"));
        }
    };
    differs("the method", wanted.method.as_ref(), &received.method);
    differs("the path", wanted.path.as_ref(), &received.path);
    for (name, value) in &wanted.headers {
        let field = received.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        differs(&format!("the field `{name}`"), Some(value), field.map_or("", |(_, value)| value));
    }
    differs("the content", wanted.body.as_ref(), &String::from_utf8_lossy(&received.body));
    faults
}

/// The reply as it goes over the wire.
fn encode_reply(reply: &TargetReply, without_content: bool) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} \r\ncontent-length: {}\r\n", reply.status, reply.body.len());
    reply.headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    head.push_str("\r\n");
    if !without_content {
        head.push_str(&reply.body);
    }
    head.into_bytes()
}

/// Bytes as a message shows them.
fn quoted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_QUOTED_BYTES)]);
    let more = if bytes.len() > MAX_QUOTED_BYTES { "…" } else { "" };
    format!("\"{}{more}\"", text.escape_debug())
}
