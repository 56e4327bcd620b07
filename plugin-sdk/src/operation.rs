//! The one future that everything else is made of: an operation of the host that has been submitted.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::{Task, executor};

/// Ready with its number once the host has announced it. In flight from the start: awaiting it only waits, dropping it
/// does not call it back.
#[derive(Debug)]
pub(crate) struct Operation<'t> {
    id: u32,
    /// Keeps it within its task: the number means something there alone.
    task: PhantomData<&'t Task>,
}

impl<'t> Operation<'t> {
    /// An operation the host has just given a number.
    pub(crate) fn new(_task: &'t Task, id: u32) -> Self {
        Self { id, task: PhantomData }
    }
}

impl Future for Operation<'_> {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        if executor::take_announced(self.id, context.waker()) { Poll::Ready(self.id) } else { Poll::Pending }
    }
}

/// Waits; made by [`Task::sleep`].
#[derive(Debug)]
#[must_use = "awaiting it is what waits"]
pub struct Sleep<'t>(pub(crate) Operation<'t>);

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(context).map(|_| ())
    }
}
