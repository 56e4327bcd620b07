//! The content of a streamed exchange, between the exchange's future and the plugin: pieces of the reply that have
//! arrived and were not taken yet, pieces of the request that are not sent yet.
//!
//! The exchange and the plugin's reads and writes on it are operations of one task, polled one after the other whenever
//! one of them is woken, the exchange first. So a reader needs no waker. Over HTTP/2 the request is sent by a tokio
//! task of its own.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use hyper::StatusCode;

use super::allowance::Allowance;
use super::header_section::HeaderSection;
use crate::net::Failure;

/// Bytes of a reply that are taken from the connection ahead of the reader.
const MAX_UNREAD: usize = 256 * 1024;
/// Unsent bytes of a request up to which a write counts as done.
const MAX_UNSENT: usize = 64 * 1024;

/// Bytes sent before the head of the reply that are kept, so that they can be sent again.
const MAX_KEPT_SENT: usize = 64 * 1024;

/// The content of one exchange.
pub struct BodyChannel {
    allowance: Allowance,
    state: RefCell<ChannelState>,
}

#[derive(Default)]
struct ChannelState {
    head: Option<(StatusCode, HeaderSection)>,
    trailers: Option<HeaderSection>,
    unread: PieceQueue,
    unsent: PieceQueue,
    /// True while more may be written.
    more: bool,
    /// Pieces that were sent before the head of the reply arrived; `None` if they are not all kept.
    sent: Option<PieceQueue>,
    /// Outcome of the exchange, once it has ended.
    outcome: Option<Result<(), Failure>>,
    /// Waker of the sender, which waits for content.
    sender: Option<Waker>,
    /// Waker of the writer, which waits for content to be sent.
    writer: Option<Waker>,
}

/// Pieces of content, their total size, and the part of it that the allowance had room for.
#[derive(Default)]
struct PieceQueue {
    pieces: VecDeque<Bytes>,
    bytes: usize,
    held: usize,
}

impl PieceQueue {
    fn push(&mut self, piece: Bytes, allowance: &Allowance) {
        let held = piece.len().min(allowance.get());
        allowance.set(allowance.get() - held);
        self.held += held;
        self.bytes += piece.len();
        self.pieces.push_back(piece);
    }

    /// Removes the first piece, or its first `max_bytes`.
    fn pop(&mut self, max_bytes: usize, allowance: &Allowance) -> Option<Bytes> {
        let first = self.pieces.front_mut()?;
        let piece = if first.len() > max_bytes { first.split_to(max_bytes) } else { self.pieces.pop_front()? };
        self.bytes -= piece.len();
        let freed = piece.len().min(self.held);
        self.held -= freed;
        allowance.set(allowance.get() + freed);
        Some(piece)
    }
}

impl ChannelState {
    /// Keeps a piece that is being sent, unless the reply has begun or too much was sent.
    fn keep_sent(&mut self, piece: &Bytes) {
        let Some(sent) = &mut self.sent else { return };
        if sent.bytes + piece.len() > MAX_KEPT_SENT {
            self.sent = None;
        } else {
            sent.bytes += piece.len();
            sent.pieces.push_back(piece.clone());
        }
    }
}

impl BodyChannel {
    /// Creates the channel of an exchange that has not begun; `more` if content will be written to it.
    pub fn new(allowance: &Allowance, more: bool) -> Self {
        Self {
            allowance: Allowance::clone(allowance),
            state: RefCell::new(ChannelState { more, sent: Some(PieceQueue::default()), ..ChannelState::default() }),
        }
    }

    // ── For the plugin ──

    /// Returns the status, once the head has arrived.
    pub fn poll_head(&self) -> Poll<Result<u16, Failure>> {
        let state = self.state.borrow();
        match (&state.head, &state.outcome) {
            (Some((status, _)), _) => Poll::Ready(Ok(status.as_u16())),
            (None, Some(Err(failure))) => Poll::Ready(Err(failure.clone())),
            (None, Some(Ok(()))) => Poll::Ready(Err(cut_off())),
            (None, None) => Poll::Pending,
        }
    }

    /// Returns `true` if the head has arrived.
    pub fn has_head(&self) -> bool {
        self.state.borrow().head.is_some()
    }

    /// Returns a field of the header section.
    pub fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.state.borrow().head.as_ref()?.1.get(name).map(<[u8]>::to_vec)
    }

    /// Returns a field of the trailer section.
    pub fn trailer(&self, name: &str) -> Option<Vec<u8>> {
        self.state.borrow().trailers.as_ref()?.get(name).map(<[u8]>::to_vec)
    }

    /// Returns the content that has arrived, at most `max_bytes`; empty at the end.
    pub fn poll_read(&self, max_bytes: usize) -> Poll<Result<Vec<u8>, Failure>> {
        let mut state = self.state.borrow_mut();
        let mut content = Vec::new();
        while let Some(piece) = state.unread.pop(max_bytes - content.len(), &self.allowance) {
            content.extend_from_slice(&piece);
            if content.len() == max_bytes {
                break;
            }
        }
        match &state.outcome {
            _ if !content.is_empty() => Poll::Ready(Ok(content)),
            Some(over) => Poll::Ready(over.clone().map(|()| content)),
            None => Poll::Pending,
        }
    }

    /// Adds content to the request.
    ///
    /// # Errors
    /// The request has ended, or the allowance has no room for the content.
    pub fn write(&self, content: Bytes) -> Result<(), Failure> {
        let mut state = self.state.borrow_mut();
        if !state.more || state.outcome.is_some() {
            return Err(Failure::network("the request has ended"));
        }
        if content.len() > self.allowance.get() {
            return Err(Failure::protocol("unsent content is over the limit"));
        }
        state.unsent.push(content, &self.allowance);
        wake(&mut state.sender);
        Ok(())
    }

    /// Ready when no more than [`MAX_UNSENT`] bytes are left to be sent.
    pub fn poll_written(&self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let mut state = self.state.borrow_mut();
        match &state.outcome {
            _ if state.unsent.bytes <= MAX_UNSENT => Poll::Ready(Ok(())),
            Some(Err(failure)) => Poll::Ready(Err(failure.clone())),
            Some(Ok(())) => Poll::Ready(Err(Failure::network("the reply ended first"))),
            None => {
                state.writer = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Ends the request: no more content is written.
    pub fn finish(&self) {
        let mut state = self.state.borrow_mut();
        state.more = false;
        wake(&mut state.sender);
    }

    /// Ends an exchange that never begins.
    pub fn fail(&self, failure: Failure) {
        self.end(Err(failure));
    }

    // ── For the exchange ──

    /// Returns `true` if there is content to send in pieces: more may be written, or was before the exchange began.
    pub(super) fn has_request_content(&self) -> bool {
        let state = self.state.borrow();
        state.more || state.unsent.bytes > 0
    }

    /// Adds the head of the reply.
    pub(super) fn push_head(&self, status: StatusCode, headers: HeaderSection) {
        let mut state = self.state.borrow_mut();
        state.head = Some((status, headers));
        state.sent = None;
    }

    /// Returns `true` if nothing may be taken from the connection for now.
    pub(super) fn is_full(&self) -> bool {
        let unread = self.state.borrow().unread.bytes;
        unread >= MAX_UNREAD || (unread > 0 && self.allowance.get() == 0)
    }

    /// Adds content of the reply.
    pub(super) fn push(&self, content: Bytes) {
        self.state.borrow_mut().unread.push(content, &self.allowance);
    }

    /// Adds the trailers of the reply.
    pub(super) fn push_trailers(&self, trailers: HeaderSection) {
        self.state.borrow_mut().trailers = Some(trailers);
    }

    /// Ends the exchange: nothing more is sent.
    pub(super) fn end(&self, outcome: Result<(), Failure>) {
        let mut state = self.state.borrow_mut();
        if state.outcome.is_some() {
            return;
        }
        state.outcome = Some(outcome);
        state.more = false;
        state.sent = None;
        let unsent = std::mem::take(&mut state.unsent);
        self.allowance.set(self.allowance.get() + unsent.held);
        wake(&mut state.sender);
        wake(&mut state.writer);
    }

    /// Puts the content that was sent back in front, to be sent again. Returns `false` if it is not kept any more.
    pub(super) fn rewind(&self) -> bool {
        let mut state = self.state.borrow_mut();
        let Some(mut sent) = state.sent.take() else { return false };
        state.unsent.bytes += sent.bytes;
        sent.pieces.append(&mut state.unsent.pieces);
        state.unsent.pieces = sent.pieces;
        state.sent = Some(PieceQueue::default());
        true
    }

    /// Returns the piece to send next; `None` at the end.
    pub(super) fn poll_send(&self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut state = self.state.borrow_mut();
        if let Some(piece) = state.unsent.pop(usize::MAX, &self.allowance) {
            if state.unsent.bytes <= MAX_UNSENT {
                wake(&mut state.writer);
            }
            state.keep_sent(&piece);
            return Poll::Ready(Some(piece));
        }
        if !state.more {
            return Poll::Ready(None);
        }
        state.sender = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Ends a channel when dropped, so however its exchange ends.
pub(super) struct ChannelGuard<'a>(pub Option<&'a BodyChannel>);

impl Drop for ChannelGuard<'_> {
    fn drop(&mut self) {
        if let Some(channel) = self.0 {
            channel.end(Err(cut_off()));
        }
    }
}

fn cut_off() -> Failure {
    Failure::network("the exchange was cut off")
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn channel(allowed: usize, more: bool) -> (BodyChannel, Allowance) {
        let allowance = Allowance::new(Cell::new(allowed));
        (BodyChannel::new(&allowance, more), allowance)
    }

    fn read(channel: &BodyChannel, max_bytes: usize) -> Option<Vec<u8>> {
        match channel.poll_read(max_bytes) {
            Poll::Ready(read) => Some(read.unwrap()),
            Poll::Pending => None,
        }
    }

    #[test]
    fn content_is_read_in_order_and_then_its_end() {
        let (channel, allowance) = channel(100, false);
        assert_eq!(read(&channel, 10), None);
        channel.push(Bytes::from_static(b"abc"));
        channel.push(Bytes::from_static(b"def"));
        assert_eq!(allowance.get(), 94);
        assert_eq!(read(&channel, 4), Some(b"abcd".to_vec()));
        channel.end(Ok(()));
        assert_eq!(read(&channel, 10), Some(b"ef".to_vec()));
        assert_eq!(read(&channel, 10), Some(Vec::new()));
        assert_eq!(allowance.get(), 100);
    }

    #[test]
    fn a_reader_that_lags_stops_the_connection() {
        let (channel, _) = channel(usize::MAX >> 1, false);
        assert!(!channel.is_full());
        channel.push(vec![0; MAX_UNREAD].into());
        assert!(channel.is_full());
        assert_eq!(read(&channel, 1).map(|piece| piece.len()), Some(1));
        assert!(!channel.is_full());
    }

    #[test]
    fn written_content_is_sent_and_limited_by_the_allowance() {
        let (channel, allowance) = channel(10, true);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(channel.poll_send(&mut cx).is_pending());
        channel.write(Bytes::from_static(b"12345678")).unwrap();
        assert!(channel.write(Bytes::from_static(b"123")).is_err());
        assert!(channel.poll_written(&mut cx).is_ready());
        assert_eq!(channel.poll_send(&mut cx), Poll::Ready(Some(Bytes::from_static(b"12345678"))));
        assert_eq!(allowance.get(), 10);
        channel.finish();
        assert_eq!(channel.poll_send(&mut cx), Poll::Ready(None));
        assert!(channel.write(Bytes::from_static(b"1")).is_err());
    }

    #[test]
    fn content_is_sent_again_in_order_until_the_reply_begins() {
        let (channel, allowance) = channel(10, true);
        let mut cx = Context::from_waker(Waker::noop());
        let mut sent = |piece| {
            assert_eq!(channel.poll_send(&mut cx), Poll::Ready(Some(Bytes::from_static(piece))));
        };
        channel.write(Bytes::from_static(b"12")).unwrap();
        channel.write(Bytes::from_static(b"34")).unwrap();
        sent(b"12");
        assert!(channel.rewind() && channel.has_request_content());
        sent(b"12");
        sent(b"34");
        assert!(channel.rewind());
        channel.write(Bytes::from_static(b"56")).unwrap();
        [b"12", b"34", b"56"].into_iter().for_each(|piece| sent(piece));
        channel.push_head(StatusCode::OK, HeaderSection::default());
        assert!(!channel.rewind());
        assert_eq!(allowance.get(), 10);
    }

    #[test]
    fn more_content_than_is_kept_is_not_sent_again() {
        let (channel, _) = channel(usize::MAX >> 1, true);
        channel.write(vec![0; MAX_KEPT_SENT + 1].into()).unwrap();
        assert!(channel.poll_send(&mut Context::from_waker(Waker::noop())).is_ready());
        assert!(!channel.rewind());
    }

    #[test]
    fn a_dropped_exchange_ends_its_channel() {
        let (channel, allowance) = channel(10, true);
        channel.write(Bytes::from_static(b"1234")).unwrap();
        drop(ChannelGuard(Some(&channel)));
        assert!(matches!(channel.poll_head(), Poll::Ready(Err(_))));
        assert!(matches!(channel.poll_read(1), Poll::Ready(Err(_))));
        assert_eq!(allowance.get(), 10);
    }
}
