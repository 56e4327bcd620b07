//! The target of a rehearsal over HTTP/2 (RFC 9113), by the server of the h2 crate. Every stream takes the next part of
//! the script when its request begins, so that slow replies do not keep others waiting.

use std::sync::Arc;

use bytes::Bytes;
use h2::server::{Connection, SendResponse};
use h2::{RecvStream, SendStream};
use hyper::http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tokio::io::{AsyncReadExt, DuplexStream};
use tokio::task::JoinSet;

use super::cases::{ExpectedRequest, TargetPart, TargetReply};
use super::received_request::{ReceivedRequest, differences};
use super::target_script::{NextPart, TargetScript};

/// The name of HTTP/2 in the TLS handshake (RFC 9113 section 3.2).
pub(super) const PROTOCOL: &str = "h2";
/// The bytes with which a client begins (RFC 9113 section 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The pieces of content that is sent over some time.
const MAX_PIECES: usize = 20;

/// A request whose reply is on its way.
struct Exchange {
    expected: ExpectedRequest,
    reply: TargetReply,
    request: Request<RecvStream>,
    respond: SendResponse<Bytes>,
}

/// Serves a connection from which these bytes were read, until the script or the client closes it.
pub(super) async fn serve(script: Arc<TargetScript>, stream: DuplexStream, received: Vec<u8>) {
    let (read, write) = tokio::io::split(stream);
    let stream = tokio::io::join(std::io::Cursor::new(received).chain(read), write);
    let mut connection: Connection<_, Bytes> = match h2::server::handshake(stream).await {
        Ok(connection) => connection,
        Err(error) => return script.add_fault(format!("the target expected HTTP/2: {error}")),
    };
    let mut answers = JoinSet::new();
    loop {
        if answers.is_empty() && script.peek() == NextPart::Close {
            script.take();
            // Sends the replies that are written before it closes.
            connection.graceful_shutdown();
            while let Some(Ok(_refused)) = connection.accept().await {}
            return;
        }
        tokio::select! {
            biased;
            _ = answers.join_next(), if !answers.is_empty() => {}
            accepted = connection.accept() => {
                let Some(Ok((request, respond))) = accepted else { return };
                match script.take() {
                    Some(TargetPart::Http(expected, reply)) => {
                        let exchange = Exchange { expected, reply, request, respond };
                        answers.spawn_local(exchange.answer(Arc::clone(&script)));
                    }
                    Some(TargetPart::Close) => return,
                    Some(TargetPart::Bytes { .. } | TargetPart::Secure { .. }) => {
                        return script.add_fault("the target expected bytes, received a request over HTTP/2".into());
                    }
                    None => {
                        let (method, path) = (request.method(), request.uri().path());
                        let received = format!("{method} {path}");
                        return script
                            .add_fault(format!("the target was asked for more than its script has: {received}"));
                    }
                }
            }
        }
    }
}

impl Exchange {
    /// Receives the whole request, and replies. A client that gives the stream up is not a fault of the script.
    async fn answer(mut self, script: Arc<TargetScript>) {
        let Some(request) = receive(self.request).await else { return };
        differences(&self.expected, &request).into_iter().for_each(|fault| script.add_fault(fault));
        tokio::time::sleep(self.reply.after).await;
        let has_content = !self.reply.body.is_empty() && request.method != "HEAD";
        let has_more = has_content || !self.reply.trailers.is_empty();
        let head = match head(&self.reply) {
            Ok(head) => head,
            Err(fault) => return script.add_fault(fault),
        };
        let mut stream = match self.respond.send_response(head, !has_more) {
            Ok(stream) => stream,
            Err(error) if error.is_reset() || error.is_io() => return,
            Err(error) => return script.add_fault(format!("the reply is not one of HTTP/2: {error}")),
        };
        if has_content && send(&mut stream, &self.reply).await.is_err() {
            return;
        }
        if has_more && !self.reply.trailers.is_empty() {
            match fields(&self.reply.trailers) {
                Ok(trailers) => drop(stream.send_trailers(trailers)),
                Err(fault) => script.add_fault(fault),
            }
        }
    }
}

/// Receives a request to its end; `None` if the client gives it up.
async fn receive(request: Request<RecvStream>) -> Option<ReceivedRequest> {
    let (head, mut content) = request.into_parts();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let authority = head.uri.authority().map(|authority| ("host".to_owned(), authority.to_string()));
    let fields = head.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
    let headers = authority.into_iter().chain(fields).collect();
    let path = head.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let mut body = Vec::new();
    while let Some(piece) = content.data().await {
        let piece = piece.ok()?;
        body.extend_from_slice(&piece);
        content.flow_control().release_capacity(piece.len()).ok()?;
    }
    Some(ReceivedRequest { method: head.method.to_string(), path, headers, body })
}

/// Sends content, which ends the stream unless trailers follow; over some time in even pieces.
async fn send(stream: &mut SendStream<Bytes>, reply: &TargetReply) -> Result<(), h2::Error> {
    let content = Bytes::copy_from_slice(&reply.body);
    let count = if reply.over.is_zero() { 1 } else { content.len().min(MAX_PIECES) };
    let end_of = |piece: usize| content.len() * piece / count;
    for piece in 0..count {
        tokio::time::sleep(reply.over / count as u32).await;
        let is_last = piece + 1 == count && reply.trailers.is_empty();
        stream.send_data(content.slice(end_of(piece)..end_of(piece + 1)), is_last)?;
    }
    Ok(())
}

/// Returns the head of a reply, with the length of its content unless trailers follow.
fn head(reply: &TargetReply) -> Result<Response<()>, String> {
    let mut head = Response::new(());
    *head.status_mut() = reply.status.try_into().map_err(|_| format!("{} is not a status", reply.status))?;
    *head.headers_mut() = fields(&reply.headers)?;
    if reply.trailers.is_empty() {
        head.headers_mut().insert(hyper::header::CONTENT_LENGTH, reply.body.len().into());
    }
    Ok(head)
}

/// Returns fields in the form of HTTP/2, whose names are in lower case.
fn fields(fields: &[(String, String)]) -> Result<HeaderMap, String> {
    let field = |(name, value): &(String, String)| -> Result<_, String> {
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is not the name of a field"))?;
        let value = HeaderValue::from_str(value).map_err(|_| format!("`{name}` has a value that is not allowed"))?;
        Ok((name, value))
    };
    let mut map = HeaderMap::new();
    for entry in fields.iter().map(field) {
        let (name, value) = entry?;
        map.append(name, value);
    }
    Ok(map)
}
