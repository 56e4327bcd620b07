//! The one future that everything else is made of: an operation of the host that has been submitted.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::{Task, executor};

/// Ready with its number once the host has announced it. In flight from the start: awaiting it only waits. Dropping it
/// before it was announced gives it up, so that what loses a race has no effect later: a read swallows nothing, a sleep
/// wakes nobody.
#[derive(Debug)]
pub(crate) struct Operation<'t> {
    id: u32,
    /// Awaited to its end, so that there is nothing to give up: the one thing that the usual case has to look at.
    done: bool,
    /// Keeps it within its task: the number means something there alone.
    task: PhantomData<&'t Task>,
}

impl<'t> Operation<'t> {
    /// An operation the host has just given a number.
    pub(crate) fn new(_task: &'t Task, id: u32) -> Self {
        Self { id, done: false, task: PhantomData }
    }

    /// One there is nothing to wait for any more.
    pub(crate) fn done(_task: &'t Task) -> Self {
        Self { id: 0, done: true, task: PhantomData }
    }

    /// Whether it was awaited to its end.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// The number, if the host has announced the operation and nobody has awaited it so far. For what holds an
    /// operation and is dropped, to see to a result that would be lost.
    pub(crate) fn claim(&mut self) -> Option<u32> {
        if self.done {
            return None;
        }
        self.done = executor::claim(self.id);
        self.done.then_some(self.id)
    }
}

impl Drop for Operation<'_> {
    fn drop(&mut self) {
        if !self.done {
            executor::give_up(self.id);
        }
    }
}

impl Future for Operation<'_> {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        self.done = executor::take_announced(self.id, context.waker());
        if self.done { Poll::Ready(self.id) } else { Poll::Pending }
    }
}

/// Waits; made by [`Task::sleep`]. Dropped early, the wait is over.
#[derive(Debug)]
#[must_use = "awaiting it is what waits"]
pub struct Sleep<'t>(pub(crate) Operation<'t>);

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(context).map(|_| ())
    }
}
