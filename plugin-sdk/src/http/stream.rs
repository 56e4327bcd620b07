//! Exchanges whose content is sent and received in pieces.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::{Exchange, Request};
use crate::bindings::{operations, streams};
use crate::operation::Operation;
use crate::{Failure, Task, executor};

/// A streamed exchange: its head, and the content of both sides in pieces. The host times and counts it as any other;
/// its sample ends with the last byte of the reply. Dropping it gives it up: one in flight is cut off, which is how to
/// end an exchange without an end. For one whose reply has not begun to arrive, see [`Stream::leave`].
#[derive(Debug)]
pub struct Stream<'t> {
    task: &'t Task,
    exchange: Operation<'t>,
    id: u32,
}

impl Request {
    /// Submits the request as a streamed exchange. `content` is its content, if the request was prepared without a
    /// body.
    pub fn open<'t>(&self, task: &'t Task, content: &[u8]) -> Stream<'t> {
        Stream::new(task, streams::open(self.0, content, false))
    }

    /// Submits the request as [`open`](Request::open) does, with content that [`Stream::write`] adds to until
    /// [`Stream::finish`]: over HTTP/2 only.
    pub fn open_for_writing<'t>(&self, task: &'t Task, content: &[u8]) -> Stream<'t> {
        Stream::new(task, streams::open(self.0, content, true))
    }
}

impl<'t> Stream<'t> {
    fn new(task: &'t Task, id: u32) -> Self {
        Self { task, exchange: Operation::new(task, id), id }
    }

    /// Waits for the reply's head, and returns the status code, 100 to 999.
    pub fn head(&self) -> Head<'_> {
        Head(Operation::new(self.task, streams::head(self.id)))
    }

    /// Returns the first value of a header field of the reply, the name in any case; `None` before the head has
    /// arrived.
    pub fn header(&self, name: &str) -> Option<String> {
        streams::header(self.id, name)
    }

    /// Waits for content, and returns all that has arrived, at most 64 KiB; no bytes if it has ended.
    pub fn read(&self) -> Read<'_> {
        Read(Operation::new(self.task, streams::read(self.id)))
    }

    /// Returns the first value of a trailer field; `None` before the content has ended, and over HTTP/1.1.
    pub fn trailer(&self, name: &str) -> Option<String> {
        streams::trailer(self.id, name)
    }

    /// Adds to the content that is sent; ready when no more than 64 KiB of it wait to be sent.
    pub fn write(&self, content: &[u8]) -> Write<'_> {
        Write(Operation::new(self.task, streams::write(self.id, content)))
    }

    /// Ends the content that is sent.
    pub fn finish(&self) {
        streams::finish(self.id);
    }

    /// Ends the exchange here, as intended: one that is dropped before its head has arrived counts as cancelled, and
    /// this one does not. For a reply that was expected to be late, or never to arrive.
    pub fn leave(mut self) {
        let exchange = std::mem::replace(&mut self.exchange, Operation::done(self.task));
        streams::leave(self.id);
        drop(exchange);
    }

    /// Waits for the last byte of the exchange. Content that has not been read must be small (256 KiB): the host holds
    /// it, and the server waits.
    pub async fn end(mut self) -> Result<super::Reply<'t>, Failure> {
        let exchange = std::mem::replace(&mut self.exchange, Operation::done(self.task));
        Exchange(exchange).await
    }
}

impl Drop for Stream<'_> {
    fn drop(&mut self) {
        if !self.exchange.is_done() {
            self.exchange.claim();
            if executor::is_polling() {
                operations::cancel(self.id);
            }
        }
    }
}

/// The wait for a head.
#[derive(Debug)]
#[must_use = "await it to get the status"]
pub struct Head<'s>(Operation<'s>);

impl Future for Head<'_> {
    type Output = Result<u16, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let operation = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(streams::arrived(operation).map_err(Failure::of_host))
    }
}

/// A read of content in flight. Dropping it loses content that was announced and not awaited.
#[derive(Debug)]
#[must_use = "await it to get the content"]
pub struct Read<'s>(Operation<'s>);

impl Future for Read<'_> {
    type Output = Result<Vec<u8>, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let operation = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(streams::received(operation).map_err(Failure::of_host))
    }
}

/// A write in flight. Dropping it does not undo it.
#[derive(Debug)]
#[must_use = "await it to learn whether the content was sent"]
pub struct Write<'s>(Operation<'s>);

impl Future for Write<'_> {
    type Output = Result<(), Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let operation = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(streams::written(operation).map_err(Failure::of_host))
    }
}
