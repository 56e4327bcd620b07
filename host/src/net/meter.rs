//! What is measured of an exchange, and how bytes are counted. The counts are taken above TLS, where a plain and a
//! secured exchange of the same content have the same size.

use std::cell::{Cell, Ref, RefCell};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use stampede_time::Nanos;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::metrics::sample::PhaseDurations;

/// How far an exchange has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measurements {
    /// When it began, before any connecting.
    pub start: Nanos,
    /// How long after it should have.
    pub late: Nanos,
    /// When the last byte was in, or it failed; `None` while it is under way and after it was dropped.
    pub end: Option<Nanos>,
    /// The reply's status code, 0 if none has arrived.
    pub status: u16,
    /// Bytes sent. All bytes of an HTTP/2 connection are counted, but with several exchanges at once they fall to
    /// whichever ends first.
    pub bytes_out: u64,
    /// Bytes received, likewise.
    pub bytes_in: u64,
    /// Bytes of the reply's content, without framing, before decoding.
    pub body_bytes_in: u64,
    /// The parts that have been completed.
    pub phases: PhaseDurations,
}

/// Shows how far an exchange has come, also when its future was dropped halfway: a sample of a reply that timed out
/// still says what arrived. One meter serves one exchange at a time and can be used again for the next.
#[derive(Debug, Default)]
pub struct Meter(RefCell<Measurements>);

impl Meter {
    /// What has been measured. Byte counts are complete once the exchange's future is finished or dropped.
    pub fn read(&self) -> Ref<'_, Measurements> {
        self.0.borrow()
    }

    /// Forgets what was measured before, and begins at `start`, before any connecting, and `late` after it should have.
    pub fn begin(&self, start: Nanos, late: Nanos) {
        *self.0.borrow_mut() = Measurements { start, late, ..Measurements::default() };
    }

    /// Notes something.
    pub fn update(&self, note: impl FnOnce(&mut Measurements)) {
        note(&mut self.0.borrow_mut());
    }
}

/// Bytes that have passed over a connection and that no exchange has been charged for yet.
#[derive(Debug, Default)]
pub struct Traffic {
    sent: Cell<u64>,
    received: Cell<u64>,
}

/// Charges an exchange with its connection's traffic when it ends, however it ends.
pub struct TrafficGuard<'a> {
    /// Who pays.
    pub meter: &'a Meter,
    /// For what.
    pub traffic: Rc<Traffic>,
}

impl Drop for TrafficGuard<'_> {
    fn drop(&mut self) {
        let (sent, received) = (self.traffic.sent.take(), self.traffic.received.take());
        self.meter.update(|measured| {
            measured.bytes_out += sent;
            measured.bytes_in += received;
        });
    }
}

/// A stream that counts.
pub struct MeteredStream<S> {
    stream: S,
    traffic: Rc<Traffic>,
}

impl<S> MeteredStream<S> {
    /// Counts into `traffic`.
    pub fn new(stream: S, traffic: Rc<Traffic>) -> Self {
        Self { stream, traffic }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for MeteredStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        add(&self.traffic.received, buf.filled().len() - before);
        polled
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for MeteredStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.count_sent(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.count_sent(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S> MeteredStream<S> {
    fn count_sent(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(count)) = polled {
            add(&self.traffic.sent, count);
        }
        polled
    }
}

fn add(counter: &Cell<u64>, count: usize) {
    counter.set(counter.get() + count as u64);
}
