//! What may be in flight on a socket: a connect, a read, a write.
//!
//! A read or a connect that completed unseen and is then dropped is not lost: the bytes go to the socket's buffer, the
//! connection is closed.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::Socket;
use crate::Failure;
use crate::bindings::sockets;
use crate::operation::Operation;

/// A connection on its way; ready when it stands, TLS included, or when there will be none. Dropped early, it is given
/// up.
#[derive(Debug)]
#[must_use = "awaiting it is what gives the socket"]
pub struct Connect<'t>(pub(super) Operation<'t>);

impl Future for Connect<'_> {
    type Output = Result<Socket, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let operation = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(sockets::connected(operation).map(Socket::new).map_err(Failure::of_host))
    }
}

impl Drop for Connect<'_> {
    fn drop(&mut self) {
        if let Some(Ok(socket)) = self.0.claim().map(sockets::connected) {
            sockets::close(socket);
        }
    }
}

/// A write on its way; ready when the operating system has taken the last byte. Dropped early, it is given up and the
/// socket is closed: nobody knows how much of it has been sent.
#[derive(Debug)]
#[must_use = "awaiting it is what says whether the bytes were taken"]
pub struct Write<'s>(pub(super) Operation<'s>);

impl Future for Write<'_> {
    type Output = Result<(), Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let operation = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(sockets::written(operation).map_err(Failure::of_host))
    }
}

/// A read into the socket's buffer; ready with the number of bytes, 0 if the peer has closed its side.
#[derive(Debug)]
pub(super) struct Fill<'s> {
    socket: &'s Socket,
    operation: Operation<'s>,
}

impl<'s> Fill<'s> {
    pub fn new(socket: &'s Socket, operation: Operation<'s>) -> Self {
        Self { socket, operation }
    }

    /// Keeps what an announced read has brought.
    fn receive(&self, operation: u32) -> Result<usize, Failure> {
        let bytes = sockets::received(operation).map_err(Failure::of_host)?;
        let length = bytes.len();
        self.socket.buffer.borrow_mut().add(bytes);
        Ok(length)
    }
}

impl Future for Fill<'_> {
    type Output = Result<usize, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let operation = ready!(Pin::new(&mut self.operation).poll(context));
        Poll::Ready(self.receive(operation))
    }
}

impl Drop for Fill<'_> {
    fn drop(&mut self) {
        if let Some(operation) = self.operation.claim() {
            // A failure shows at the next read: the socket is closed by then.
            let _ = self.receive(operation);
        }
    }
}

/// Bytes on their way; ready as soon as there is one, or with none if the peer has closed its side. Dropped early it is
/// given up, and has taken nothing that the next read would miss.
#[derive(Debug)]
#[must_use = "awaiting it is what gives the bytes"]
pub struct Read<'s> {
    socket: &'s Socket,
    most: usize,
    /// `None` if there were bytes in the buffer.
    fill: Option<Fill<'s>>,
}

impl<'s> Read<'s> {
    pub(super) fn new(socket: &'s Socket, most: usize, fill: Option<Fill<'s>>) -> Self {
        Self { socket, most, fill }
    }
}

impl Future for Read<'_> {
    type Output = Result<Vec<u8>, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(fill) = &mut self.fill {
            ready!(Pin::new(fill).poll(context))?;
        }
        Poll::Ready(Ok(self.socket.buffer.borrow_mut().take(self.most)))
    }
}
