//! Measurements of an exchange, and the counting of its bytes. Bytes are counted above TLS, where a plain and a secured
//! exchange of the same content have the same size.

use std::cell::{Cell, Ref, RefCell};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use stampede_time::Nanos;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::metrics::sample::{PhaseDurations, RowId, SpanId};
use crate::metrics::trace::TraceContext;

/// The part of an exchange that is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExchangeStage {
    /// The connection is open.
    #[default]
    Connected,
    /// The host name is being resolved.
    Resolving,
    /// A TCP connection is being opened.
    Connecting,
    /// The TLS handshake has begun.
    Handshake,
}

/// The ends of phases, which have a meaning only for those that happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseEnds {
    /// End of the resolution of the host name.
    pub dns: Nanos,
    /// End of the TCP connect.
    pub connect: Nanos,
    /// End of the TLS handshake.
    pub tls: Nanos,
    /// End of the reply's header section.
    pub first_byte: Nanos,
}

/// Progress of an exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measurements {
    /// Start of the exchange, before any connecting.
    pub start: Nanos,
    /// Delay of the start after the intended one.
    pub late: Nanos,
    /// Arrival of the last byte, or the time of the failure; `None` while it is under way and after it was dropped.
    pub end: Option<Nanos>,
    /// The reply's status code, 0 if none has arrived.
    pub status: u16,
    /// Bytes sent. All bytes of an HTTP/2 connection are counted; with several exchanges at once they are charged to
    /// the exchange that ends first.
    pub bytes_out: u64,
    /// Bytes received, counted in the same way.
    pub bytes_in: u64,
    /// Bytes of the reply's content, without framing, before decoding.
    pub body_bytes_in: u64,
    /// Durations of the phases completed so far.
    pub phases: PhaseDurations,
    /// Ends of those phases.
    pub ends: PhaseEnds,
    /// `true` if its connection speaks HTTP/2.
    pub is_http2: bool,
    /// The row below that of its step in which it counts; `None` if it counts in that of the step.
    pub row: Option<RowId>,
    /// The time by which the user's link delays what the site sends: its round trips, without the time that the bytes
    /// take; 0 without a link.
    pub link_delay: Nanos,
    /// The number of its span, if it may be exported as one.
    pub span: Option<SpanId>,
    /// The part that is under way.
    pub stage: ExchangeStage,
}

impl Measurements {
    /// Describes how far the exchange has come, to follow "not done within 1s: ".
    pub fn progress(&self) -> String {
        match self.stage {
            ExchangeStage::Resolving => "resolving the name".into(),
            ExchangeStage::Connecting => "connecting".into(),
            ExchangeStage::Handshake => "in the TLS handshake".into(),
            ExchangeStage::Connected if self.status == 0 => "waiting for the reply".into(),
            ExchangeStage::Connected => format!("in the body, after {} bytes", self.body_bytes_in),
        }
    }

    /// Describes likewise how far a task has come on its sockets.
    pub fn socket_progress(&self) -> String {
        match self.stage {
            ExchangeStage::Connected => format!("waiting for the peer, after {} bytes", self.bytes_in),
            _ => self.progress(),
        }
    }
}

/// Records the progress of an exchange. It can be read after the exchange's future was dropped halfway: a sample of a
/// reply that timed out still counts what arrived. A meter serves one exchange at a time and can be reused for the
/// next.
#[derive(Debug, Default)]
pub struct Meter {
    measured: RefCell<Measurements>,
    trace: Cell<Option<TraceContext>>,
}

impl Meter {
    /// Returns the measurements so far. Byte counts are complete once the exchange's future has finished or was
    /// dropped.
    pub fn read(&self) -> Ref<'_, Measurements> {
        self.measured.borrow()
    }

    /// Resets the measurements for an exchange that begins at `start`, before any connecting, `late` after it should
    /// have.
    pub fn begin(&self, start: Nanos, late: Nanos) {
        *self.measured.borrow_mut() = Measurements { start, late, ..Measurements::default() };
    }

    /// Changes the measurements.
    pub fn update(&self, note: impl FnOnce(&mut Measurements)) {
        note(&mut self.measured.borrow_mut());
    }

    /// Sets the context that the requests of the exchange carry.
    pub fn set_trace(&self, context: Option<TraceContext>) {
        self.trace.set(context);
    }

    /// Returns the context that the requests of the exchange carry.
    pub const fn trace(&self) -> Option<TraceContext> {
        self.trace.get()
    }
}

/// Bytes that have passed over a connection and have not been charged to an exchange yet.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    sent: Cell<u64>,
    received: Cell<u64>,
}

/// Charges an exchange with its connection's traffic when dropped, so however the exchange ends.
pub(crate) struct TrafficGuard<'a> {
    /// The exchange that is charged.
    pub meter: &'a Meter,
    /// Traffic of its connection.
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

/// A stream that counts its bytes.
pub(crate) struct MeteredStream<S> {
    stream: S,
    traffic: Rc<Traffic>,
}

impl<S> MeteredStream<S> {
    /// Wraps a stream whose bytes are added to `traffic`.
    pub(crate) fn new(stream: S, traffic: Rc<Traffic>) -> Self {
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
