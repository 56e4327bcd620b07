//! Requests in flight, and their replies.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::bindings::{self, http};
use crate::operation::Operation;
use crate::{Failure, Task, executor};

/// A request that has been submitted; ready when the last byte of the reply has arrived, or the exchange has failed.
///
/// The request is in flight whether awaited or not: to have several in flight, submit them all, then await one after
/// the other. Dropping it before then gives it up: it is cut off, and counts as cancelled.
///
/// A failure marks the exchange that the host announced last. Where each reply has a check of its own, await and check
/// one before you send the next.
#[derive(Debug)]
#[must_use = "await it to get the reply"]
pub struct Exchange<'t>(pub(super) Operation<'t>);

impl<'t> Future for Exchange<'t> {
    type Output = Result<Reply<'t>, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let operation = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(Self::outcome(operation))
    }
}

impl<'t> Exchange<'t> {
    /// Returns the outcome of an exchange that the host has announced.
    pub(super) fn outcome(operation: u32) -> Result<Reply<'t>, Failure> {
        match http::reply(operation) {
            Ok(reply) => Ok(Reply {
                status: reply.status,
                body_bytes: reply.body_bytes,
                duration: Duration::from_nanos(reply.duration),
                operation,
                task: std::marker::PhantomData,
            }),
            Err(kind) => {
                forget(operation, 0);
                Err(Failure::of_host(kind))
            }
        }
    }
}

/// The reply of a server. Its texts stay in the host until they are asked for.
#[derive(Debug)]
pub struct Reply<'t> {
    /// The status code, 100 to 999.
    pub status: u16,
    /// Size of the content as transferred, in bytes: without framing, before decoding.
    pub body_bytes: u64,
    /// Time from the start of the exchange to the last byte of the reply.
    pub duration: Duration,
    operation: u32,
    /// The host keeps the texts until the reply is dropped.
    task: std::marker::PhantomData<&'t Task>,
}

/// The number of a task's first operations whose replies the host keeps until the task ends, unless they are large:
/// dropping each of them would cost a call.
const KEPT: u32 = 16;

/// The size of a large reply, in bytes.
const LARGE: u64 = 64 * 1024;

/// Lets the host drop the reply of an exchange.
fn forget(operation: u32, bytes: u64) {
    if (operation >= KEPT || bytes >= LARGE) && executor::is_polling() {
        bindings::operations::cancel(operation);
    }
}

impl Drop for Reply<'_> {
    fn drop(&mut self) {
        forget(self.operation, self.body_bytes);
    }
}

impl Reply<'_> {
    /// Returns the first value of a header field, the name in any case; bytes that are not UTF-8 are replaced.
    pub fn header(&self, name: &str) -> Option<String> {
        http::header(self.operation, name)
    }

    /// Returns the URL that the reply came from: the request's own, absolute, or that of the last redirect that was
    /// followed; without a fragment.
    pub fn url(&self) -> String {
        http::url(self.operation)
    }

    /// Returns the content, decoded; empty unless [`Options::keep_body`](super::Options::keep_body) was set.
    pub fn body(&self) -> Vec<u8> {
        http::body(self.operation)
    }

    /// Returns the content as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8(self.body()).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}
