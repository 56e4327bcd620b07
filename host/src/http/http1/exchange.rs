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

use super::super::body::Kept;
use super::super::client::Client;
use super::super::message::{Reply, Request};
use super::framing::Framing;
use super::reply::{self, Head};
use super::{Http1, request};
use crate::net::{Failure, Meter};

/// Content up to this size is written together with its head.
const WRITTEN_TOGETHER: usize = 16 * 1024;
/// Most reads in a row, so that a download does not keep the worker to itself.
const MOST_READS: u32 = 16;

/// A reply that was received to its last byte.
pub(in crate::http) struct Received {
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
    ) -> Exchange<'a> {
        let mut out = Outgoing { head: client.spare_buffer(), body: Bytes::new(), written: 0, flushed: false };
        request::write_head(request, (cookie.as_ref(), last), &mut out.head);
        if request.body.len() <= WRITTEN_TOGETHER {
            out.head.extend_from_slice(&request.body);
        } else {
            out.body = request.body.clone();
        }
        let kept = request.keep_body.as_ref().map(|allowance| Kept::new(client.max_body_kept, allowance));
        let incoming = Incoming { part: Vec::new(), head: None, kept, headed: 0 };
        Exchange { connection: self, client, meter, request, begun, out, broken: None, incoming }
    }
}

/// An exchange under way. A future by hand: every user has one of these for most of its life, and it is half the size
/// of what the compiler makes of an `async fn`.
pub(in crate::http) struct Exchange<'a> {
    connection: &'a mut Http1,
    client: &'a Client,
    meter: &'a Meter,
    request: &'a Request,
    begun: Nanos,
    out: Outgoing,
    /// Why the rest of the request cannot be written. The reply may be there all the same: a server that refuses a
    /// request need not read it to its end (RFC 9112 section 9.5).
    broken: Option<io::Error>,
    incoming: Incoming,
}

impl Future for Exchange<'_> {
    type Output = Result<Option<Received>, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = ready!(self.advance(cx));
        self.client.give_back(mem::take(&mut self.out.head));
        Poll::Ready(outcome)
    }
}

/// What is still to be written.
struct Outgoing {
    head: Vec<u8>,
    body: Bytes,
    /// Bytes of both that are.
    written: usize,
    /// Whether TLS has handed all of it on.
    flushed: bool,
}

/// What has been received.
struct Incoming {
    /// The beginning of a head.
    part: Vec<u8>,
    head: Option<Head>,
    kept: Option<Kept>,
    /// When the head was complete.
    headed: Nanos,
}

impl Exchange<'_> {
    fn advance(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Received>, Failure>> {
        let idle = self.out.written == 0 && self.connection.used;
        if idle && !coop::has_budget_remaining() {
            // The runtime would say that there is nothing to read, whether or not the peer has closed the connection.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if idle && self.is_closed(cx) {
            return Poll::Ready(Ok(None));
        }
        if self.broken.is_none()
            && !self.out.flushed
            && let Poll::Ready(Err(error)) = self.write(cx)
        {
            // Above TLS some of it may have left before the error.
            if self.out.written == 0 && self.connection.used && !self.connection.transport.is_secure() {
                return Poll::Ready(Ok(None));
            }
            self.broken = Some(error);
        }
        // There was nothing to read a moment ago, and the task will be woken as soon as there is.
        if idle && self.broken.is_none() {
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
        let (out, mut transport) = (&mut self.out, Pin::new(&mut self.connection.transport));
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
            self.meter.note(|measured| measured.bytes_out += written as u64);
        }
        ready!(transport.poll_flush(cx))?;
        out.flushed = true;
        Poll::Ready(Ok(()))
    }

    fn read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Received, Failure>> {
        let mut buffer = self.client.read_buffer();
        for _ in 0..MOST_READS {
            if self.request.flow.as_ref().is_some_and(|flow| flow.is_full()) {
                return Poll::Pending;
            }
            let mut filled = ReadBuf::new(&mut buffer);
            let read = ready!(Pin::new(&mut self.connection.transport).poll_read(cx, &mut filled));
            let input = match read {
                Ok(()) => filled.filled(),
                Err(error) => return Poll::Ready(Err(self.failure(&error))),
            };
            self.meter.note(|measured| measured.bytes_in += input.len() as u64);
            let done = if input.is_empty() { self.ended().map(Some) } else { self.take(input) };
            if let Some(received) = done.transpose() {
                return Poll::Ready(received);
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// The peer has closed the connection.
    fn ended(&mut self) -> Result<Received, Failure> {
        match self.incoming.head.take_if(|head| head.framing == Framing::UntilClosed) {
            Some(head) => Ok(self.received(head, false, self.client.now())),
            None => {
                let error = self.broken.take();
                Err(self.failure(&error.unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into())))
            }
        }
    }

    fn failure(&self, error: &io::Error) -> Failure {
        Failure::of_connection(error, self.incoming.head.is_some() || !self.incoming.part.is_empty())
    }

    /// Takes what was read; the reply, if that was the last of it.
    fn take(&mut self, input: &[u8]) -> Result<Option<Received>, Failure> {
        if self.incoming.head.is_some() {
            return self.take_content(input, None);
        }
        if self.incoming.part.is_empty() {
            return self.take_head(input);
        }
        let known = self.incoming.part.len();
        self.incoming.part.extend_from_slice(input);
        if !reply::is_worth_reading(&self.incoming.part, known) {
            return Ok(None);
        }
        let text = mem::take(&mut self.incoming.part);
        self.take_head(&text)
    }

    fn take_head(&mut self, mut text: &[u8]) -> Result<Option<Received>, Failure> {
        loop {
            let Some((head, length)) = reply::read(text, &self.request.method)? else {
                self.incoming.part = text.to_vec();
                return Ok(None);
            };
            text = &text[length..];
            // Hints and the like come before the reply; 101 is one.
            if head.status.is_informational() && head.status != 101 {
                continue;
            }
            let now = self.client.now();
            self.incoming.headed = now;
            self.meter.note(|measured| {
                measured.status = head.status.as_u16();
                measured.phases.first_byte = Some(now.saturating_sub(self.begun));
            });
            if let Some(flow) = &self.request.flow {
                flow.begin(head.status, head.section.clone());
            }
            self.incoming.head = Some(head);
            return self.take_content(text, Some(now));
        }
    }

    /// Takes content, at the time `now` if that is known.
    fn take_content(&mut self, input: &[u8], now: Option<Nanos>) -> Result<Option<Received>, Failure> {
        let Incoming { head: Some(head), kept, .. } = &mut self.incoming else { return Ok(None) };
        let (mut size, flow) = (0, self.request.flow.as_deref());
        let taken = head.framing.take(input, &mut |data| {
            size += data.len() as u64;
            if let Some(kept) = kept {
                kept.push(data);
            }
            if let Some(flow) = flow {
                flow.push(Bytes::copy_from_slice(data));
            }
        });
        // What came before something malformed counts as well.
        self.meter.note(|measured| measured.body_bytes_in += size);
        let taken = taken?;
        let head = self.incoming.head.take_if(|head| head.framing.is_done());
        Ok(head.map(|head| self.received(head, taken == input.len(), now.unwrap_or_else(|| self.client.now()))))
    }

    /// The reply is complete at the time `end`; `clean` if nothing came after it.
    fn received(&mut self, head: Head, clean: bool, end: Nanos) -> Received {
        self.meter.note(|measured| {
            measured.phases.receive = Some(end.saturating_sub(self.incoming.headed));
            measured.end = Some(end);
        });
        self.connection.used = true;
        let reusable = clean && head.keep_alive && self.out.flushed && !request::asks_to_close(self.request);
        let Head { status, version, section, .. } = head;
        let body = self.incoming.kept.take().map_or_else(|| Ok(Bytes::new()), Kept::finish);
        Received { reply: body.map(|body| Reply { status, version, headers: section, body }), reusable }
    }
}
