//! The socket under an HTTP connection, and what a page may do to it. hyper keeps a server honest, so a page that wants
//! to break HTTP or TCP leaves word here, and the socket does it.

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

/// How a connection ends when a page does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AbortMode {
    /// In order: FIN.
    Close,
    /// With a reset: RST.
    Reset,
    /// With bytes that are no HTTP in place of the next reply, then FIN.
    Garble,
}

/// The fate of one connection, shared by its socket and its pages. A fate is final.
#[derive(Clone, Default)]
pub struct AbortCell(Arc<AtomicU8>);

impl AbortCell {
    /// Seals it.
    pub fn set(&self, fate: AbortMode) {
        self.0.store(fate as u8 + 1, Relaxed);
    }

    fn is_set_to(&self, fate: AbortMode) -> bool {
        self.0.load(Relaxed) == fate as u8 + 1
    }
}

/// A TCP stream that heeds its fate.
pub struct AbortableStream {
    stream: TcpStream,
    abort: AbortCell,
}

impl AbortableStream {
    /// Heeds that fate from now on.
    pub fn new(stream: TcpStream, fate: AbortCell) -> Self {
        Self { stream, abort: fate }
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        Pin::new(&mut self.get_mut().stream)
    }

    /// Ready with an error once the garbage is out.
    fn garble(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        ready!(self.stream().poll_write(context, GARBAGE))?;
        Poll::Ready(Err(ErrorKind::ConnectionAborted.into()))
    }
}

impl Drop for AbortableStream {
    fn drop(&mut self) {
        if self.abort.is_set_to(AbortMode::Reset) {
            // If it fails, the peer is gone already.
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
