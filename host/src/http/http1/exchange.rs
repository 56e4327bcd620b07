//! One exchange on a connection: writes the request, reads the reply, both in the user's own task.
//!
//! Everything is read into one buffer that all connections of the worker share. What is left of it when the next poll
//! comes are counts, and a part of a head if that came in pieces; so an idle connection holds no buffer, and content
//! that nobody keeps is counted where it lies.

use std::io::{self, IoSlice};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::header::HeaderValue;
use stampede_time::Nanos;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::coop;

use super::super::body::BodyCollector;
use super::super::client::Client;
use super::super::message::{Reply, Request};
use super::framing::Framing;
use super::reply::{self, ReplyHead};
use super::{Http1, request};
use crate::net::{Failure, Meter};

/// Content up to this size is written together with its head.
const MAX_COALESCED_BODY: usize = 16 * 1024;
/// Most reads in a row, so that a download does not keep the worker to itself.
const MAX_READS_IN_A_ROW: u32 = 16;

/// A reply that was received to its last byte.
pub(in crate::http) struct ReceivedReply {
    /// The reply; or that its content could not be kept.
    pub reply: Result<Reply, Failure>,
    /// Whether the connection can be used again.
    pub reusable: bool,
}

impl Http1 {
    /// Sends a request, which may be the last on the connection, and receives its reply. `None` if none of it was written because the peer had closed the
    /// connection before, or had sent something unasked.
    pub fn exchange<'a>(
        &'a mut self,
        client: &'a Client,
        meter: &'a Meter,
        (request, cookie, last): (&'a Request, Option<HeaderValue>, bool),
        begun: Nanos,
    ) -> ExchangeFuture<'a> {
        let mut out = UnsentRequest { head: client.spare_buffer(), body: Bytes::new(), written: 0, flushed: false };
        request::write_head(request, (cookie.as_ref(), last), &mut out.head);
        if request.body.len() <= MAX_COALESCED_BODY {
            out.head.extend_from_slice(&request.body);
        } else {
            out.body = request.body.clone();
        }
        let kept = request.keep_body.as_ref().map(|allowance| BodyCollector::new(client.max_body_kept, allowance));
        let incoming = PartialReply { head_bytes: Vec::new(), head: None, kept, head_at: 0 };
        ExchangeFuture {
            connection: self,
            client,
            meter,
            request,
            start: begun,
            unsent: out,
            write_error: None,
            partial: incoming,
        }
    }
}

/// An exchange under way. A future by hand: every user has one of these for most of its life, and it is half the size
/// of what the compiler makes of an `async fn`.
pub(in crate::http) struct ExchangeFuture<'a> {
    connection: &'a mut Http1,
    client: &'a Client,
    meter: &'a Meter,
    request: &'a Request,
    start: Nanos,
    unsent: UnsentRequest,
    /// Why the rest of the request cannot be written. The reply may be there all the same: a server that refuses a
    /// request need not read it to its end (RFC 9112 section 9.5).
    write_error: Option<io::Error>,
    partial: PartialReply,
}

impl Future for ExchangeFuture<'_> {
    type Output = Result<Option<ReceivedReply>, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = ready!(self.advance(cx));
        self.client.return_buffer(mem::take(&mut self.unsent.head));
        Poll::Ready(outcome)
    }
}

/// What is still to be written.
struct UnsentRequest {
    head: Vec<u8>,
    body: Bytes,
    /// Bytes of both that are.
    written: usize,
    /// Whether TLS has handed all of it on.
    flushed: bool,
}

/// What has been received.
struct PartialReply {
    /// The beginning of a head.
    head_bytes: Vec<u8>,
    head: Option<ReplyHead>,
    kept: Option<BodyCollector>,
    /// When the head was complete.
    head_at: Nanos,
}

impl ExchangeFuture<'_> {
    fn advance(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<ReceivedReply>, Failure>> {
        let idle = self.unsent.written == 0 && self.connection.used;
        if idle && !coop::has_budget_remaining() {
            // The runtime would say that there is nothing to read, whether or not the peer has closed the connection.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if idle && self.is_closed(cx) {
            return Poll::Ready(Ok(None));
        }
        if self.write_error.is_none()
            && !self.unsent.flushed
            && let Poll::Ready(Err(error)) = self.write(cx)
        {
            // Above TLS some of it may have left before the error.
            if self.unsent.written == 0 && self.connection.used && !self.connection.transport.is_secure() {
                return Poll::Ready(Ok(None));
            }
            self.write_error = Some(error);
        }
        // There was nothing to read a moment ago, and the task will be woken as soon as there is.
        if idle && self.write_error.is_none() {
            return Poll::Pending;
        }
        self.read(cx).map(|received| received.map(Some))
    }

    /// Whether the peer has closed the idle connection, or has sent what nobody asked for. Costs no system call unless
    /// something has happened.
    fn is_closed(&mut self, cx: &mut Context<'_>) -> bool {
        let mut byte = [0];
        Pin::new(&mut self.connection.transport).poll_read(cx, &mut ReadBuf::new(&mut byte)).is_ready()
    }

    fn write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (out, mut transport) = (&mut self.unsent, Pin::new(&mut self.connection.transport));
        while out.written < out.head.len() + out.body.len() {
            let head = out.head.get(out.written..).unwrap_or_default();
            let body = &out.body[out.written.saturating_sub(out.head.len())..];
            let written = if body.is_empty() {
                ready!(transport.as_mut().poll_write(cx, head))?
            } else if head.is_empty() {
                ready!(transport.as_mut().poll_write(cx, body))?
            } else {
                ready!(transport.as_mut().poll_write_vectored(cx, &[IoSlice::new(head), IoSlice::new(body)]))?
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            out.written += written;
            self.meter.update(|measured| measured.bytes_out += written as u64);
        }
        ready!(transport.poll_flush(cx))?;
        out.flushed = true;
        Poll::Ready(Ok(()))
    }

    fn read(&mut self, cx: &mut Context<'_>) -> Poll<Result<ReceivedReply, Failure>> {
        let mut buffer = self.client.read_buffer();
        for _ in 0..MAX_READS_IN_A_ROW {
            if self.request.flow.as_ref().is_some_and(|flow| flow.is_full()) {
                return Poll::Pending;
            }
            let mut filled = ReadBuf::new(&mut buffer);
            let read = ready!(Pin::new(&mut self.connection.transport).poll_read(cx, &mut filled));
            let input = match read {
                Ok(()) => filled.filled(),
                Err(error) => return Poll::Ready(Err(self.failure(&error))),
            };
            self.meter.update(|measured| measured.bytes_in += input.len() as u64);
            let done = if input.is_empty() { self.on_close().map(Some) } else { self.feed(input) };
            if let Some(received) = done.transpose() {
                return Poll::Ready(received);
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// The peer has closed the connection.
    fn on_close(&mut self) -> Result<ReceivedReply, Failure> {
        match self.partial.head.take_if(|head| head.framing == Framing::UntilClosed) {
            Some(head) => Ok(self.complete(head, false, self.client.now())),
            None => {
                let error = self.write_error.take();
                Err(self.failure(&error.unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into())))
            }
        }
    }

    fn failure(&self, error: &io::Error) -> Failure {
        Failure::of_connection(error, self.partial.head.is_some() || !self.partial.head_bytes.is_empty())
    }

    /// Takes what was read; the reply, if that was the last of it.
    fn feed(&mut self, input: &[u8]) -> Result<Option<ReceivedReply>, Failure> {
        if self.partial.head.is_some() {
            return self.feed_content(input, None);
        }
        if self.partial.head_bytes.is_empty() {
            return self.feed_head(input);
        }
        let length_before = self.partial.head_bytes.len();
        self.partial.head_bytes.extend_from_slice(input);
        if !reply::is_worth_reading(&self.partial.head_bytes, length_before) {
            return Ok(None);
        }
        let text = mem::take(&mut self.partial.head_bytes);
        self.feed_head(&text)
    }

    fn feed_head(&mut self, mut text: &[u8]) -> Result<Option<ReceivedReply>, Failure> {
        loop {
            let Some((head, length)) = reply::parse_head(text, &self.request.method)? else {
                self.partial.head_bytes = text.to_vec();
                return Ok(None);
            };
            text = &text[length..];
            // Hints and the like come before the reply; 101 is one.
            if head.status.is_informational() && head.status != 101 {
                continue;
            }
            let now = self.client.now();
            self.partial.head_at = now;
            self.meter.update(|measured| {
                measured.status = head.status.as_u16();
                measured.phases.first_byte = Some(now.saturating_sub(self.start));
            });
            if let Some(flow) = &self.request.flow {
                flow.push_head(head.status, head.section.clone());
            }
            self.partial.head = Some(head);
            return self.feed_content(text, Some(now));
        }
    }

    /// Takes content, at the time `now` if that is known.
    fn feed_content(&mut self, input: &[u8], now: Option<Nanos>) -> Result<Option<ReceivedReply>, Failure> {
        let PartialReply { head: Some(head), kept, .. } = &mut self.partial else { return Ok(None) };
        let (mut size, flow) = (0, self.request.flow.as_deref());
        let taken = head.framing.decode(input, &mut |data| {
            size += data.len() as u64;
            if let Some(kept) = kept {
                kept.push(data);
            }
            if let Some(flow) = flow {
                flow.push(Bytes::copy_from_slice(data));
            }
        });
        // What came before something malformed counts as well.
        self.meter.update(|measured| measured.body_bytes_in += size);
        let taken = taken?;
        let head = self.partial.head.take_if(|head| head.framing.is_done());
        Ok(head.map(|head| self.complete(head, taken == input.len(), now.unwrap_or_else(|| self.client.now()))))
    }

    /// The reply is complete at the time `end`; `clean` if nothing came after it.
    fn complete(&mut self, head: ReplyHead, clean: bool, end: Nanos) -> ReceivedReply {
        self.meter.update(|measured| {
            measured.phases.receive = Some(end.saturating_sub(self.partial.head_at));
            measured.end = Some(end);
        });
        self.connection.used = true;
        let reusable = clean && head.keep_alive && self.unsent.flushed && !request::asks_to_close(self.request);
        let ReplyHead { status, version, section, .. } = head;
        let body = self.partial.kept.take().map_or_else(|| Ok(Bytes::new()), BodyCollector::finish);
        ReceivedReply { reply: body.map(|body| Reply { status, version, headers: section, body }), reusable }
    }
}
