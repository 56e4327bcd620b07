//! The socket under an HTTP connection, and the ways in which a page may break it. hyper does not let a server violate
//! HTTP, so a page that is to break HTTP or TCP requests it here, and the socket does it.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Sent in place of a reply by `/malformed`.
const GARBAGE: &[u8] = b"\x16\x03 this is not HTTP at all\r\n\r\n";

/// The end of a connection whose page does not reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum AbortMode {
    /// Regular end: FIN.
    Close,
    /// Reset: RST.
    Reset,
    /// Bytes that are not HTTP in place of the next reply, then FIN.
    Garble,
}

/// The requested end of one connection, shared by its socket and its pages. The first request is final.
#[derive(Clone, Default)]
pub(crate) struct AbortCell(Arc<AtomicU8>);

impl AbortCell {
    /// Requests an end, unless one was requested before.
    pub(crate) fn set(&self, abort: AbortMode) {
        self.0.store(abort as u8 + 1, Relaxed);
    }

    fn is_set_to(&self, abort: AbortMode) -> bool {
        self.0.load(Relaxed) == abort as u8 + 1
    }
}

/// A TCP stream that ends as requested.
pub(crate) struct AbortableStream {
    stream: TcpStream,
    abort: AbortCell,
}

impl AbortableStream {
    /// Wraps a stream that ends as requested through `abort`.
    pub(crate) fn new(stream: TcpStream, abort: AbortCell) -> Self {
        Self { stream, abort }
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        Pin::new(&mut self.get_mut().stream)
    }

    /// Is ready with an error once the malformed bytes are written.
    fn garble(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        ready!(self.stream().poll_write(context, GARBAGE))?;
        Poll::Ready(Err(ErrorKind::ConnectionAborted.into()))
    }
}

impl Drop for AbortableStream {
    fn drop(&mut self) {
        if self.abort.is_set_to(AbortMode::Reset) {
            // Fails only if the peer is gone already.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for AbortableStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_read(context, buffer)
    }
}

impl AsyncWrite for AbortableStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        if self.abort.is_set_to(AbortMode::Garble) {
            self.garble(context)
        } else {
            self.stream().poll_write(context, buffer)
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.abort.is_set_to(AbortMode::Garble) {
            self.garble(context)
        } else {
            self.stream().poll_write_vectored(context, buffers)
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }
}
