//! One exchange on a connection: writes the request, reads the reply, both in the user's own task.
//!
//! Everything is read into one buffer that all connections of the worker share. From one poll to the next only counts
//! remain, and the part of a head that has arrived in pieces. So an idle connection holds no buffer, and content that
//! is not kept is counted without being copied.

use std::io::{self, IoSlice};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use stampede_time::Nanos;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::coop;

use super::super::body::{BodyCollector, KeptBody};
use super::super::client::Client;
use super::super::message::{OutgoingRequest, Reply, Request};
use super::super::passage::Passage;
use super::framing::Framing;
use super::linked::{FinishedReply, LinkedReply};
use super::reply::{self, ReplyHead};
use super::{Http1, request};
use crate::net::{Failure, Meter};

/// Size in bytes up to which content is written together with its head.
const MAX_COALESCED_BODY: usize = 16 * 1024;
/// Maximum number of reads in a row, so that a download does not block the worker.
const MAX_READS_IN_A_ROW: u32 = 16;

/// A reply that was received to its last byte.
pub(in crate::http) struct ReceivedReply {
    /// The reply, or the failure that its content could not be kept.
    pub reply: Result<Reply, Failure>,
    /// True when the connection can be used again.
    pub reusable: bool,
}

impl Http1 {
    /// Sends a request and receives its reply. `None` if nothing of it was written because the peer had closed the
    /// connection before, or had sent something unsolicited.
    pub(crate) fn exchange<'a>(
        &'a mut self,
        client: &'a Client,
        meter: &'a Meter,
        outgoing: OutgoingRequest<'a>,
        begun: Nanos,
    ) -> ExchangeFuture<'a> {
        let mut out = UnsentRequest { head: client.spare_buffer(), body: Bytes::new(), written: 0, flushed: false };
        request::write_head(&outgoing, &mut out.head);
        let request = outgoing.request;
        if request.body.len() <= MAX_COALESCED_BODY {
            out.head.extend_from_slice(&request.body);
        } else {
            out.body = request.body.clone();
        }
        let kept = BodyCollector::of(request.keep_body.as_ref(), request.optional_body, client);
        let partial = PartialReply { head_bytes: Vec::new(), head: None, kept, head_at: 0 };
        let linked = outgoing.link.map(|link| Box::new(LinkedReply::new(Passage::new(client, link))));
        ExchangeFuture {
            connection: self,
            client,
            meter,
            request,
            start: begun,
            unsent: out,
            write_error: None,
            partial,
            linked,
        }
    }
}

/// An exchange under way. The future is written by hand: every user has one for most of its life, and it is half the
/// size of the future that the compiler makes of an `async fn`.
pub(in crate::http) struct ExchangeFuture<'a> {
    connection: &'a mut Http1,
    client: &'a Client,
    meter: &'a Meter,
    request: &'a Request,
    start: Nanos,
    unsent: UnsentRequest,
    /// The error that keeps the rest of the request from being written. The reply may arrive all the same: a server
    /// that rejects a request need not read it to its end (RFC 9112 section 9.5).
    write_error: Option<io::Error>,
    partial: PartialReply,
    /// The reply as it comes over the user's link, if the user has one.
    linked: Option<Box<LinkedReply<'a>>>,
}

impl Future for ExchangeFuture<'_> {
    type Output = Result<Option<ReceivedReply>, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = ready!(self.advance(cx));
        self.client.return_buffer(mem::take(&mut self.unsent.head));
        Poll::Ready(outcome)
    }
}

/// A request, and how much of it was written.
struct UnsentRequest {
    head: Vec<u8>,
    body: Bytes,
    /// Bytes of head and body written so far.
    written: usize,
    /// True when TLS has passed all of it on.
    flushed: bool,
}

/// The part of a reply that was received.
struct PartialReply {
    /// The beginning of a head that arrives in pieces.
    head_bytes: Vec<u8>,
    head: Option<ReplyHead>,
    kept: Option<BodyCollector>,
    /// Time at which the head was complete.
    head_at: Nanos,
}

impl ExchangeFuture<'_> {
    fn advance(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<ReceivedReply>, Failure>> {
        let idle = self.unsent.written == 0 && self.connection.used;
        if idle && !coop::has_budget_remaining() {
            // The runtime would report that there is nothing to read even if the peer has closed the connection.
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
            // Over TLS some of it may have left before the error.
            if self.unsent.written == 0 && self.connection.used && !self.connection.transport.is_secure() {
                return Poll::Ready(Ok(None));
            }
            self.write_error = Some(error);
        }
        // There was nothing to read just before, and the task will be woken as soon as there is.
        if idle && self.write_error.is_none() {
            return Poll::Pending;
        }
        self.read(cx).map(|received| received.map(Some))
    }

    /// Returns `true` if the peer has closed the idle connection, or has sent something unsolicited. Costs no system
    /// call unless something has happened.
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
            let mut limit = buffer.len();
            if let Some(linked) = &mut self.linked {
                let (now, channel) = (self.client.now(), self.request.channel.as_deref());
                if let Some(FinishedReply { head, is_clean }) = ready!(linked.poll(cx, now, self.meter, channel)) {
                    let end = linked.passage.ends_at();
                    return Poll::Ready(Ok(self.complete(head, is_clean, end)));
                }
                limit = limit.min(linked.passage.piece());
            }
            if self.request.channel.as_ref().is_some_and(|channel| channel.is_full()) {
                self.linked.iter_mut().for_each(|linked| linked.passage.note_wait());
                return Poll::Pending;
            }
            let mut filled = ReadBuf::new(&mut buffer[..limit]);
            let read = Pin::new(&mut self.connection.transport).poll_read(cx, &mut filled);
            if let (true, Some(linked)) = (read.is_pending(), &mut self.linked) {
                linked.passage.note_wait();
            }
            let input = match ready!(read) {
                Ok(()) => filled.filled(),
                Err(error) => return Poll::Ready(Err(self.failure(&error))),
            };
            self.meter.update(|measured| measured.bytes_in += input.len() as u64);
            let received = if input.is_empty() { self.on_close() } else { self.feed(input) };
            if let Some(received) = received.transpose() {
                return Poll::Ready(received);
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Handles the end of the connection, which is the end of the reply if nothing else marks it.
    fn on_close(&mut self) -> Result<Option<ReceivedReply>, Failure> {
        match self.partial.head.take_if(|head| head.framing == Framing::UntilClosed) {
            Some(head) => Ok(self.finish(head, false, self.client.now())),
            None => {
                let error = self.write_error.take();
                Err(self.failure(&error.unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into())))
            }
        }
    }

    fn failure(&self, error: &io::Error) -> Failure {
        Failure::of_connection(error, self.partial.head.is_some() || !self.partial.head_bytes.is_empty())
    }

    /// Takes bytes that were read. Returns the reply if they complete it.
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
            // Early hints and the like come before the reply; a 101 is a reply.
            if head.status.is_informational() && head.status != 101 {
                continue;
            }
            let now = self.client.now();
            self.partial.head_at = now;
            self.meter.update(|measured| {
                measured.status = head.status.as_u16();
                measured.phases.first_byte = Some(now.saturating_sub(self.start));
                measured.ends.first_byte = now;
            });
            if let Some(linked) = &mut self.linked {
                linked.put_head(now, &head, self.meter);
            } else if let Some(channel) = &self.request.channel {
                channel.push_head(head.status, head.section.clone());
            }
            if self.request.channel.is_none() && self.partial.kept.is_none() && self.client.wants_excerpt(head.status) {
                self.partial.kept = Some(BodyCollector::excerpt(self.client));
            }
            self.partial.head = Some(head);
            return self.feed_content(text, Some(now));
        }
    }

    /// Takes content that arrived at `now`; `None` if the clock was not read for it.
    fn feed_content(&mut self, input: &[u8], now: Option<Nanos>) -> Result<Option<ReceivedReply>, Failure> {
        let PartialReply { head: Some(head), kept, .. } = &mut self.partial else { return Ok(None) };
        let (mut size, channel) = (0, self.request.channel.as_deref());
        let mut on_link = self.linked.as_deref_mut().map(|linked| &mut linked.pieces);
        let taken = head.framing.decode(input, &mut |data| {
            size += data.len() as u64;
            if let Some(kept) = kept {
                kept.push(data);
            }
            match (channel, &mut on_link) {
                (Some(_), Some(pieces)) => pieces.push(Bytes::copy_from_slice(data)),
                (Some(channel), None) => channel.push(Bytes::copy_from_slice(data)),
                (None, _) => {}
            }
        });
        // Content before a malformed part counts as well.
        if self.linked.is_none() || taken.is_err() {
            self.meter.update(|measured| measured.body_bytes_in += size);
        }
        let is_clean = taken? == input.len();
        let head = self.partial.head.take_if(|head| head.framing.is_done());
        if let Some(linked) = &mut self.linked {
            let finished = head.map(|head| FinishedReply { head, is_clean });
            linked.put(now.unwrap_or_else(|| self.client.now()), size, finished);
            return Ok(None);
        }
        Ok(head.map(|head| self.complete(head, is_clean, now.unwrap_or_else(|| self.client.now()))))
    }

    /// Ends the reply at the time `now`, or when all of it has passed over the link; `is_clean` if nothing came after
    /// it.
    fn finish(&mut self, head: ReplyHead, is_clean: bool, now: Nanos) -> Option<ReceivedReply> {
        let Some(linked) = &mut self.linked else { return Some(self.complete(head, is_clean, now)) };
        linked.put(now, 0, Some(FinishedReply { head, is_clean }));
        None
    }

    /// Completes the reply at the time `end`; `clean` if nothing came after it.
    fn complete(&mut self, head: ReplyHead, clean: bool, end: Nanos) -> ReceivedReply {
        self.meter.update(|measured| {
            measured.phases.receive = Some(end.saturating_sub(self.partial.head_at));
            measured.end = Some(end);
        });
        self.connection.used = true;
        let reusable = clean && head.keep_alive && self.unsent.flushed && !request::asks_to_close(self.request);
        let ReplyHead { status, version, section, .. } = head;
        let kept = self.partial.kept.take().map_or_else(|| Ok(KeptBody::default()), BodyCollector::finish);
        ReceivedReply {
            reply: kept.map(|KeptBody { content: body, excerpt, held }| Reply {
                status,
                version,
                headers: section,
                body,
                excerpt,
                fingerprint: 0,
                is_encoded: false,
                is_deferred: false,
                held,
            }),
            reusable,
        }
    }
}
