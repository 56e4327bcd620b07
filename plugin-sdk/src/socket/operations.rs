//! The operations of a socket: connect, read, write, and the beginning of TLS.
//!
//! The result of a read or a connect that was announced and is then dropped is not lost: the bytes go to the socket's
//! buffer, the connection is closed.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::Socket;
use crate::Failure;
use crate::bindings::sockets;
use crate::operation::Operation;

/// A connect in flight; ready when the connection is established, TLS included, or has failed. Dropping it early gives
/// it up.
#[derive(Debug)]
#[must_use = "await it to get the socket"]
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

/// A write in flight; ready when the operating system has accepted the last byte. Dropping it early gives it up and
/// closes the socket, since an unknown part of it has been sent.
#[derive(Debug)]
#[must_use = "await it to learn whether the bytes were sent"]
pub struct Write<'s>(pub(super) Operation<'s>);

impl Future for Write<'_> {
    type Output = Result<(), Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let operation = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(sockets::written(operation).map_err(Failure::of_host))
    }
}

/// A TLS handshake in flight; ready when the socket passes its bytes over TLS. Dropping it early gives it up and closes
/// the socket.
#[derive(Debug)]
#[must_use = "await it before anything else is sent"]
pub struct Secure<'s>(pub(super) Result<Operation<'s>, Failure>);

impl Future for Secure<'_> {
    type Output = Result<(), Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Ok(operation) => {
                let operation = ready!(Pin::new(operation).poll(context));
                Poll::Ready(sockets::secured(operation).map_err(Failure::of_host))
            }
            Err(failure) => Poll::Ready(Err(failure.clone())),
        }
    }
}

/// A read into the socket's buffer; ready with the number of bytes, 0 if the peer has closed its side.
#[derive(Debug)]
pub(super) struct Fill<'s> {
    socket: &'s Socket,
    operation: Operation<'s>,
}

impl<'s> Fill<'s> {
    pub(super) fn new(socket: &'s Socket, operation: Operation<'s>) -> Self {
        Self { socket, operation }
    }

    /// Keeps the bytes of an announced read.
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
            // The next read reports a failure: the socket is closed by then.
            let _ = self.receive(operation);
        }
    }
}

/// A read in flight; ready with at least one byte, or with none if the peer has closed its side. Dropping it early
/// gives it up, and the next read misses no bytes.
#[derive(Debug)]
#[must_use = "await it to get the bytes"]
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
