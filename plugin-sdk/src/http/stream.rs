//! Exchanges whose content goes back and forth in pieces.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::{Exchange, Request};
use crate::bindings::{operations, streams};
use crate::operation::Operation;
use crate::{Failure, Task, executor};

/// A streamed exchange: its head, and the content of both sides, as they come and go. The host times and counts it as
/// any other; its sample ends with the last byte of the reply. Dropped, it is given up: cut off if it is still under
/// way, which is how an exchange without an end is ended; see [`Stream::leave`] for one that has not begun to come.
#[derive(Debug)]
pub struct Stream<'t> {
    task: &'t Task,
    exchange: Operation<'t>,
    id: u32,
}

impl Request {
    /// Submits the request as a streamed exchange. `content` is what is sent after the header section, if the request
    /// was prepared without a body.
    pub fn open<'t>(&self, task: &'t Task, content: &[u8]) -> Stream<'t> {
        Stream::new(task, streams::open(self.0, content, false))
    }

    /// The same with content that [`Stream::write`] adds to until [`Stream::finish`]: over HTTP/2 alone.
    pub fn open_for_writing<'t>(&self, task: &'t Task, content: &[u8]) -> Stream<'t> {
        Stream::new(task, streams::open(self.0, content, true))
    }
}

impl<'t> Stream<'t> {
    fn new(task: &'t Task, id: u32) -> Self {
        Self { task, exchange: Operation::new(task, id), id }
    }

    /// Waits for the reply's head; gives the status code, 100 to 999.
    pub fn head(&self) -> Head<'_> {
        Head(Operation::new(self.task, streams::head(self.id)))
    }

    /// The first value of a header field of the reply, the name in any case; `None` before the head has come.
    pub fn header(&self, name: &str) -> Option<String> {
        streams::header(self.id, name)
    }

    /// Waits for content: all that has come, 64 KiB at most; none if it has come to its end.
    pub fn read(&self) -> Read<'_> {
        Read(Operation::new(self.task, streams::read(self.id)))
    }

    /// The first value of a trailer field; `None` before the content has come to its end, and over HTTP/1.1.
    pub fn trailer(&self, name: &str) -> Option<String> {
        streams::trailer(self.id, name)
    }

    /// Adds to the content that is sent; ready when little of it waits to be sent.
    pub fn write(&self, content: &[u8]) -> Write<'_> {
        Write(Operation::new(self.task, streams::write(self.id, content)))
    }

    /// There is no more to write.
    pub fn finish(&self) {
        streams::finish(self.id);
    }

    /// Ends the exchange here, as it should: one that is dropped before its head has come counts as cancelled, and this
    /// one does not. For a reply that was expected to be late, or not to come at all.
    pub fn leave(mut self) {
        let exchange = std::mem::replace(&mut self.exchange, Operation::done(self.task));
        streams::leave(self.id);
        drop(exchange);
    }

    /// Waits for the exchange as a whole: for its last byte, whose content nobody asks for any more must be small, as
    /// the host holds what is not read.
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
#[must_use = "awaiting it is what gives the status"]
pub struct Head<'s>(Operation<'s>);

impl Future for Head<'_> {
    type Output = Result<u16, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let operation = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(streams::arrived(operation).map_err(Failure::of_host))
    }
}

/// Content on its way. What was announced and not awaited is lost with it.
#[derive(Debug)]
#[must_use = "awaiting it is what gives the content"]
pub struct Read<'s>(Operation<'s>);

impl Future for Read<'_> {
    type Output = Result<Vec<u8>, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let operation = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(streams::received(operation).map_err(Failure::of_host))
    }
}

/// A write on its way. Dropped, it is not taken back.
#[derive(Debug)]
#[must_use = "awaiting it is what says whether the content was taken"]
pub struct Write<'s>(Operation<'s>);

impl Future for Write<'_> {
    type Output = Result<(), Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let operation = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(streams::written(operation).map_err(Failure::of_host))
    }
}
