//! Reply bodies: the sources of their bytes, and the counting of the bytes passed to the connection.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use stampede_time::Delay;

use super::counted_exchange::CountedExchange;
use super::shared::SiteState;

/// The source of a body's bytes.
pub(crate) enum BodySource {
    /// All bytes known at the start.
    Whole(Bytes),
    /// A repeated pattern.
    Filler(Filler),
    /// Pieces at an interval.
    Drip(Drip),
    /// Pieces of known length, made when they are sent.
    Pieces(Pieces),
    /// Pieces that are sent when they are due.
    Paced(PacedPieces),
}

impl BodySource {
    /// All bytes known at the start.
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(bytes.into())
    }

    /// Returns the number of bytes that are announced; `None` if none is.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Self::Whole(bytes) => Some(bytes.len() as u64),
            Self::Filler(filler) => filler.length(),
            Self::Pieces(pieces) => Some(pieces.remaining),
            Self::Drip(_) | Self::Paced(_) => None,
        }
    }
}

/// Bytes of which only the number matters: `head`, then `left` bytes of the endlessly repeated pattern.
pub(crate) struct Filler {
    /// The bytes sent first.
    pub head: Bytes,
    /// The bytes repeated after it, one repetition per frame; at least one byte.
    pub pattern: &'static [u8],
    /// Bytes of the repeated pattern that are still to be sent.
    pub remaining: u64,
    /// Length announced to the connection.
    pub length_policy: LengthPolicy,
}

/// Announcement of a body's length.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum LengthPolicy {
    /// The real length.
    Announced,
    /// No length: the body is chunked in HTTP/1.1.
    Unannounced,
    /// A `content-length` of the reply that is too large. The body pauses once before its end; otherwise the connection
    /// would be closed before the bytes sent so far have left it.
    Truncated,
}

/// Pieces one after another.
pub(crate) struct Pieces {
    pieces: Box<dyn Iterator<Item = Filler> + Send>,
    current: Option<Filler>,
    remaining: u64,
}

/// A piece that is sent no earlier than at a time of the site's timer.
pub(crate) struct PacedPiece {
    /// The time.
    pub due: Duration,
    /// The bytes.
    pub content: Filler,
}

/// Pieces one after another, of unannounced length.
pub(crate) struct PacedPieces {
    shared: Arc<SiteState>,
    pieces: Box<dyn Iterator<Item = PacedPiece> + Send>,
    current: Option<Filler>,
    delay: Option<Delay>,
}

/// Pieces on a fixed schedule: the first after one interval, the n-th after n.
pub(crate) struct Drip {
    shared: Arc<SiteState>,
    begin: Duration,
    interval: Duration,
    count: u64,
    sent: u64,
    delay: Option<Delay>,
    make_piece: fn(u64) -> Bytes,
}

impl Filler {
    /// Creates a body of these bytes alone.
    pub(crate) fn of(bytes: Bytes) -> Self {
        Self { head: bytes, pattern: &[0], remaining: 0, length_policy: LengthPolicy::Announced }
    }

    fn next(&mut self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        if !self.head.is_empty() {
            return Poll::Ready(Some(std::mem::take(&mut self.head)));
        }
        let size = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(self.pattern.len());
        if size > 0 {
            self.remaining -= size as u64;
            return Poll::Ready(Some(Bytes::from_static(&self.pattern[..size])));
        }
        if self.length_policy == LengthPolicy::Truncated {
            self.length_policy = LengthPolicy::Unannounced;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(None)
    }

    fn length(&self) -> Option<u64> {
        (self.length_policy == LengthPolicy::Announced).then(|| self.remaining.saturating_add(self.head.len() as u64))
    }
}

impl Pieces {
    /// Creates a body of pieces that have `length` bytes together.
    pub(crate) fn new(length: u64, pieces: impl Iterator<Item = Filler> + Send + 'static) -> Self {
        Self { pieces: Box::new(pieces), current: None, remaining: length }
    }

    fn next(&mut self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if let Some(current) = &mut self.current
                && let Some(bytes) = ready!(current.next(context))
            {
                self.remaining = self.remaining.saturating_sub(bytes.len() as u64);
                return Poll::Ready(Some(bytes));
            }
            self.current = self.pieces.next();
            if self.current.is_none() {
                return Poll::Ready(None);
            }
        }
    }
}

impl PacedPieces {
    /// Creates a body of pieces in the order of their times.
    pub(crate) fn new(shared: &Arc<SiteState>, pieces: impl Iterator<Item = PacedPiece> + Send + 'static) -> Self {
        Self { shared: Arc::clone(shared), pieces: Box::new(pieces), current: None, delay: None }
    }

    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if let Some(delay) = &mut self.delay {
                ready!(Pin::new(delay).poll(context));
                self.delay = None;
            }
            if let Some(current) = &mut self.current
                && let Some(bytes) = ready!(current.next(context))
            {
                return Poll::Ready(Some(bytes));
            }
            let Some(PacedPiece { due, content }) = self.pieces.next() else { return Poll::Ready(None) };
            self.current = Some(content);
            self.delay = Some(self.shared.timer.at(due));
        }
    }
}

impl Drip {
    /// Creates a body of `count` pieces, one `every` interval from now; `piece` makes the n-th, numbered from 1.
    pub(crate) fn new(shared: &Arc<SiteState>, every: Duration, count: u64, piece: fn(u64) -> Bytes) -> Self {
        let begin = shared.timer.now();
        Self { shared: Arc::clone(shared), begin, interval: every, count, sent: 0, delay: None, make_piece: piece }
    }

    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.sent == self.count {
            return Poll::Ready(None);
        }
        let number = self.sent + 1;
        let delay = self.delay.get_or_insert_with(|| {
            let periods = u32::try_from(number).unwrap_or(u32::MAX);
            self.shared.timer.at(self.begin.saturating_add(self.interval.saturating_mul(periods)))
        });
        ready!(Pin::new(delay).poll(context));
        self.delay = None;
        self.sent = number;
        Poll::Ready(Some((self.make_piece)(number)))
    }
}

/// A body on its way, counted frame by frame as the connection takes it.
pub(crate) struct CountedBody {
    source: BodySource,
    /// The exchange that counts the bytes, which is in flight until the body is dropped; `None` for `/stats`.
    exchange: Option<CountedExchange>,
}

impl CountedBody {
    /// Creates a body that is counted in an exchange.
    pub(crate) fn counted(source: BodySource, exchange: CountedExchange) -> Self {
        Self { source, exchange: Some(exchange) }
    }

    /// Creates a body that is not counted.
    pub(crate) fn uncounted(source: BodySource) -> Self {
        Self { source, exchange: None }
    }

    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        match &mut self.source {
            BodySource::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            BodySource::Whole(bytes) => Poll::Ready(Some(std::mem::take(bytes))),
            BodySource::Filler(filler) => filler.next(context),
            BodySource::Drip(drip) => drip.next(context),
            BodySource::Pieces(pieces) => pieces.next(context),
            BodySource::Paced(pieces) => pieces.next(context),
        }
    }
}

impl HttpBody for CountedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(bytes) = ready!(self.next(context)) else { return Poll::Ready(None) };
        if let Some(exchange) = &self.exchange {
            exchange.count_sent(bytes.len());
        }
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.source.length() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.source.length().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
