//! The future that all others of this crate are built on: an operation of the host that has been submitted.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::{Task, executor};

/// A submitted operation; ready with its number once the host has announced it. It is in flight from the start:
/// awaiting it only waits. Dropping it before it was announced gives it up, so that the loser of a race has no effect
/// later: a read swallows no bytes, a sleep wakes no task.
#[derive(Debug)]
pub(crate) struct Operation<'t> {
    id: u32,
    /// `true` once it was awaited to its end, so that there is nothing to give up. In the usual case a drop looks at
    /// this alone.
    done: bool,
    /// Keeps it within its task: the number is valid there only.
    task: PhantomData<&'t Task>,
}

impl<'t> Operation<'t> {
    /// Wraps an operation that the host has just given a number.
    pub(crate) fn new(_task: &'t Task, id: u32) -> Self {
        Self { id, done: false, task: PhantomData }
    }

    /// Returns an operation that has completed and has nothing to give up.
    pub(crate) fn done(_task: &'t Task) -> Self {
        Self { id: 0, done: true, task: PhantomData }
    }

    /// Returns `true` if it was awaited to its end.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// Returns the number, if the host has announced the operation and it has not been awaited so far. For the `drop`
    /// of a future that must take care of a result that would be lost.
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

/// A wait for the user's turn, from [`Task::turn`]. Dropping it early ends the wait; a turn that has come is lost then.
#[derive(Debug)]
#[must_use = "await it to wait"]
pub struct Turn<'t>(pub(crate) Option<Operation<'t>>);

impl Future for Turn<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            Some(operation) => Pin::new(operation).poll(context).map(|_| ()),
            None => Poll::Ready(()),
        }
    }
}

/// A wait for the end of the user's time, from [`Task::ending`]. Dropping it early ends the wait.
#[derive(Debug)]
#[must_use = "await it to wait"]
pub struct Ending<'t>(pub(crate) Operation<'t>);

impl Future for Ending<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(context).map(|_| ())
    }
}

/// A wait, from [`Task::sleep`]. Dropping it early ends the wait.
#[derive(Debug)]
#[must_use = "await it to wait"]
pub struct Sleep<'t>(pub(crate) Operation<'t>);

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(context).map(|_| ())
    }
}
