//! The content of a streamed exchange, between the exchange's future and whoever asked for it: pieces of the reply that
//! have come and were not taken yet, pieces of the request that are not sent yet.
//!
//! The exchange and what is asked of it are operations of one task, polled one after the other whenever one of them is
//! woken, the exchange first. So a reader needs no waker. What sends the request over HTTP/2 is a task of its own.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use hyper::StatusCode;

use super::body::Allowance;
use super::header_section::HeaderSection;
use crate::net::Failure;

/// Bytes of a reply that are taken from the connection before anybody has asked for them.
const MAX_UNREAD: usize = 256 * 1024;
/// Bytes of a request up to which a write counts as done.
const MAX_UNSENT: usize = 64 * 1024;

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
    /// Whether more may be written.
    more: bool,
    /// How the exchange ended.
    outcome: Option<Result<(), Failure>>,
    /// Waits for something to send.
    sender: Option<Waker>,
    /// Waits for it to be sent.
    writer: Option<Waker>,
}

/// Pieces, how many bytes they have, and how many of those the allowance had room for.
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

    /// The first piece, or as much of it.
    fn pop(&mut self, most: usize, allowance: &Allowance) -> Option<Bytes> {
        let first = self.pieces.front_mut()?;
        let piece = if first.len() > most { first.split_to(most) } else { self.pieces.pop_front()? };
        self.bytes -= piece.len();
        let freed = piece.len().min(self.held);
        self.held -= freed;
        allowance.set(allowance.get() + freed);
        Some(piece)
    }
}

impl BodyChannel {
    /// The content of an exchange that has not begun; `more` if content will be written to it.
    pub fn new(allowance: &Allowance, more: bool) -> Self {
        Self {
            allowance: Allowance::clone(allowance),
            state: RefCell::new(ChannelState { more, ..ChannelState::default() }),
        }
    }

    // ── For who asked for it ──

    /// The status, once the head has come.
    pub fn poll_head(&self) -> Poll<Result<u16, Failure>> {
        let state = self.state.borrow();
        match (&state.head, &state.outcome) {
            (Some((status, _)), _) => Poll::Ready(Ok(status.as_u16())),
            (None, Some(Err(failure))) => Poll::Ready(Err(failure.clone())),
            (None, Some(Ok(()))) => Poll::Ready(Err(cut_off())),
            (None, None) => Poll::Pending,
        }
    }

    /// Whether the head has come.
    pub fn has_head(&self) -> bool {
        self.state.borrow().head.is_some()
    }

    /// A field of the header section.
    pub fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.state.borrow().head.as_ref()?.1.get(name).map(<[u8]>::to_vec)
    }

    /// A field of the trailer section.
    pub fn trailer(&self, name: &str) -> Option<Vec<u8>> {
        self.state.borrow().trailers.as_ref()?.get(name).map(<[u8]>::to_vec)
    }

    /// What has come, up to so many bytes; nothing at the end.
    pub fn poll_read(&self, most: usize) -> Poll<Result<Vec<u8>, Failure>> {
        let mut state = self.state.borrow_mut();
        let mut content = Vec::new();
        while let Some(piece) = state.unread.pop(most - content.len(), &self.allowance) {
            content.extend_from_slice(&piece);
            if content.len() == most {
                break;
            }
        }
        match &state.outcome {
            _ if !content.is_empty() => Poll::Ready(Ok(content)),
            Some(over) => Poll::Ready(over.clone().map(|()| content)),
            None => Poll::Pending,
        }
    }

    /// Adds to the request.
    ///
    /// # Errors
    /// It has ended, or more content would be held than may be.
    pub fn write(&self, content: Bytes) -> Result<(), Failure> {
        let mut state = self.state.borrow_mut();
        if !state.more || state.outcome.is_some() {
            return Err(Failure::network("the request has ended"));
        }
        if content.len() > self.allowance.get() {
            return Err(Failure::protocol("more content is unsent than may be held"));
        }
        state.unsent.push(content, &self.allowance);
        wake(&mut state.sender);
        Ok(())
    }

    /// Ready when little is left to be sent.
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

    /// No more is written.
    pub fn finish(&self) {
        let mut state = self.state.borrow_mut();
        state.more = false;
        wake(&mut state.sender);
    }

    /// The exchange never begins.
    pub fn fail(&self, why: Failure) {
        self.end(Err(why));
    }

    // ── For the exchange ──

    /// Whether there is content to send in pieces: more may be written, or was before the exchange began.
    pub(super) fn has_request_content(&self) -> bool {
        let state = self.state.borrow();
        state.more || state.unsent.bytes > 0
    }

    /// The head has come.
    pub(super) fn push_head(&self, status: StatusCode, headers: HeaderSection) {
        self.state.borrow_mut().head = Some((status, headers));
    }

    /// Whether nothing is to be taken from the connection for now.
    pub(super) fn is_full(&self) -> bool {
        let unread = self.state.borrow().unread.bytes;
        unread >= MAX_UNREAD || (unread > 0 && self.allowance.get() == 0)
    }

    /// Content has come.
    pub(super) fn push(&self, content: Bytes) {
        self.state.borrow_mut().unread.push(content, &self.allowance);
    }

    /// Trailers have come.
    pub(super) fn push_trailers(&self, trailers: HeaderSection) {
        self.state.borrow_mut().trailers = Some(trailers);
    }

    /// The exchange is over: nothing more is sent.
    pub(super) fn end(&self, outcome: Result<(), Failure>) {
        let mut state = self.state.borrow_mut();
        if state.outcome.is_some() {
            return;
        }
        state.outcome = Some(outcome);
        state.more = false;
        let unsent = std::mem::take(&mut state.unsent);
        self.allowance.set(self.allowance.get() + unsent.held);
        wake(&mut state.sender);
        wake(&mut state.writer);
    }

    /// What is to be sent next; `None` at the end.
    pub(super) fn poll_send(&self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut state = self.state.borrow_mut();
        if let Some(piece) = state.unsent.pop(usize::MAX, &self.allowance) {
            if state.unsent.bytes <= MAX_UNSENT {
                wake(&mut state.writer);
            }
            return Poll::Ready(Some(piece));
        }
        if !state.more {
            return Poll::Ready(None);
        }
        state.sender = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Ends a flow with its exchange, however that ends.
pub(super) struct ChannelGuard<'a>(pub Option<&'a BodyChannel>);

impl Drop for ChannelGuard<'_> {
    fn drop(&mut self) {
        if let Some(flow) = self.0 {
            flow.end(Err(cut_off()));
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

    fn flow(allowed: usize, more: bool) -> (BodyChannel, Allowance) {
        let allowance = Allowance::new(Cell::new(allowed));
        (BodyChannel::new(&allowance, more), allowance)
    }

    fn read(flow: &BodyChannel, most: usize) -> Option<Vec<u8>> {
        match flow.poll_read(most) {
            Poll::Ready(read) => Some(read.unwrap()),
            Poll::Pending => None,
        }
    }

    #[test]
    fn what_came_is_handed_over_in_order_and_its_end_once_all_is() {
        let (flow, allowance) = flow(100, false);
        assert_eq!(read(&flow, 10), None);
        flow.push(Bytes::from_static(b"abc"));
        flow.push(Bytes::from_static(b"def"));
        assert_eq!(allowance.get(), 94);
        assert_eq!(read(&flow, 4), Some(b"abcd".to_vec()));
        flow.end(Ok(()));
        assert_eq!(read(&flow, 10), Some(b"ef".to_vec()));
        assert_eq!(read(&flow, 10), Some(Vec::new()));
        assert_eq!(allowance.get(), 100);
    }

    #[test]
    fn a_reader_that_does_not_ask_stops_the_connection() {
        let (flow, _) = flow(usize::MAX >> 1, false);
        assert!(!flow.is_full());
        flow.push(vec![0; MAX_UNREAD].into());
        assert!(flow.is_full());
        assert_eq!(read(&flow, 1).map(|piece| piece.len()), Some(1));
        assert!(!flow.is_full());
    }

    #[test]
    fn what_is_written_is_sent_and_no_more_is_held_than_may_be() {
        let (flow, allowance) = flow(10, true);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(flow.poll_send(&mut cx).is_pending());
        flow.write(Bytes::from_static(b"12345678")).unwrap();
        assert!(flow.write(Bytes::from_static(b"123")).is_err());
        assert!(flow.poll_written(&mut cx).is_ready());
        assert_eq!(flow.poll_send(&mut cx), Poll::Ready(Some(Bytes::from_static(b"12345678"))));
        assert_eq!(allowance.get(), 10);
        flow.finish();
        assert_eq!(flow.poll_send(&mut cx), Poll::Ready(None));
        assert!(flow.write(Bytes::from_static(b"1")).is_err());
    }

    #[test]
    fn an_exchange_that_is_dropped_ends_its_flow() {
        let (flow, allowance) = flow(10, true);
        flow.write(Bytes::from_static(b"1234")).unwrap();
        drop(ChannelGuard(Some(&flow)));
        assert!(matches!(flow.poll_head(), Poll::Ready(Err(_))));
        assert!(matches!(flow.poll_read(1), Poll::Ready(Err(_))));
        assert_eq!(allowance.get(), 10);
    }
}
