//! What one task has submitted: exchanges and sleeps in flight, and what came of those that ended. The user's own task
//! polls them, so an operation costs no spawn and no channel; a timeout or the end of the run drops them.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::limits;
use super::operation::{Completion, OperationId};
use super::sockets::{ReceivedBytes, SocketActivity};
use super::start::RequestStart;
use crate::http::{Allowance, BodyChannel};
use crate::metrics::sample::{FailureKind, RowId, Sample};
use crate::net::{Measurements, Meter};
use crate::template::VariableId;

/// An operation in flight.
struct PendingOperation {
    id: OperationId,
    future: Pin<Box<dyn Future<Output = Completion>>>,
}

/// The task a user has under way, reused from step to step.
#[derive(Default)]
pub struct Task {
    /// Where its samples count.
    pub row: Cell<RowId>,
    /// Whether a capture wants the bodies of replies.
    pub keep_body: Cell<bool>,
    /// Bytes of replies and of bodies made at run time that it may still hold.
    pub allowance: Allowance,
    /// Exchanges recorded so far.
    pub exchanges: Cell<u32>,
    /// Whether an operation of it has begun.
    pub any_started: Cell<bool>,
    /// The status of the exchange announced last; 0 without a reply.
    pub status: Cell<u16>,
    /// What was held against it first.
    pub failure: Cell<Option<FailureKind>>,
    /// The sample of the exchange announced last, which the guest may still judge.
    pub open: Cell<Option<Sample>>,
    /// Whether that exchange was given up by the guest.
    pub is_abandoned: Cell<bool>,
    /// What it does on its sockets.
    pub sockets: SocketActivity,
    /// Variables captured so far.
    pub captured: RefCell<Vec<VariableId>>,
    submitted: Cell<OperationId>,
    /// By number, as are the next two.
    pending: RefCell<Vec<PendingOperation>>,
    /// What the guest may still ask for.
    completions: RefCell<Vec<(OperationId, Completion)>>,
    /// The exchanges under way, and how far they have come.
    in_progress: RefCell<Vec<(OperationId, Rc<Meter>)>>,
    /// The content of the streamed ones.
    channels: RefCell<Vec<(OperationId, Rc<BodyChannel>)>>,
    /// Meters that no exchange uses, kept from task to task.
    meters: RefCell<Vec<Rc<Meter>>>,
}

impl Task {
    /// Forgets the previous task.
    pub fn begin(&self, row: RowId, keep_body: bool) {
        self.row.set(row);
        self.keep_body.set(keep_body);
        self.exchanges.set(0);
        self.any_started.set(false);
        self.status.set(0);
        self.failure.set(None);
        self.open.set(None);
        self.is_abandoned.set(false);
        self.sockets.begin();
        self.captured.borrow_mut().clear();
        self.clear();
        self.allowance.set(limits::HELD);
    }

    /// Drops every operation; those in flight are cut off.
    pub fn clear(&self) {
        self.submitted.set(0);
        self.pending.borrow_mut().clear();
        self.completions.borrow_mut().clear();
        self.in_progress.borrow_mut().clear();
        self.channels.borrow_mut().clear();
    }

    /// The content of a streamed exchange, which is kept as long as the exchange.
    pub fn channel(&self, id: OperationId) -> Option<Rc<BodyChannel>> {
        let flows = self.channels.borrow();
        let index = flows.binary_search_by_key(&id, |(candidate, _)| *candidate).ok()?;
        Some(Rc::clone(&flows[index].1))
    }

    /// Keeps the content of the exchange submitted last.
    pub fn add_channel(&self, id: OperationId, flow: Rc<BodyChannel>) {
        self.channels.borrow_mut().push((id, flow));
    }

    /// Whether there are numbers left for more operations.
    pub fn has_ids_left(&self) -> bool {
        self.submitted.get() < OperationId::MAX
    }

    /// Operations that are in flight, or that have ended and are kept for the guest.
    pub fn operation_count(&self) -> usize {
        self.pending.borrow().len() + self.completions.borrow().len()
    }

    /// Whether any operation is in flight.
    pub fn in_flight(&self) -> bool {
        !self.pending.borrow().is_empty()
    }

    /// Adds an operation; the future is made from the number it gets.
    pub fn submit<F: Future<Output = Completion> + 'static>(&self, make: impl FnOnce(OperationId) -> F) -> OperationId {
        let id = self.submitted.get();
        self.submitted.set(id + 1);
        self.pending.borrow_mut().push(PendingOperation { id, future: Box::pin(make(id)) });
        id
    }

    /// Polls what is in flight, in the order submitted, until one ends. It must not be called while nothing is.
    pub fn poll_completion(&self, cx: &mut Context<'_>) -> Poll<OperationId> {
        let mut pending = self.pending.borrow_mut();
        for index in 0..pending.len() {
            if let Poll::Ready(ended) = pending[index].future.as_mut().poll(cx) {
                let id = pending.remove(index).id;
                // Of a sleep there is nothing to ask.
                if !matches!(ended, Completion::Slept) {
                    let mut completions = self.completions.borrow_mut();
                    let position = completions.partition_point(|(known, _)| *known < id);
                    completions.insert(position, (id, ended));
                }
                return Poll::Ready(id);
            }
        }
        Poll::Pending
    }

    /// Looks at what came of an operation; `None` if there is none of that number that has ended and is kept.
    pub fn with_completion<T>(&self, id: OperationId, look: impl FnOnce(&Completion) -> T) -> Option<T> {
        let ended = self.completions.borrow();
        let index = ended.binary_search_by_key(&id, |(known, _)| *known).ok()?;
        Some(look(&ended[index].1))
    }

    /// Hands over what came of an operation, and forgets it.
    pub fn take(&self, id: OperationId) -> Option<Completion> {
        let mut ended = self.completions.borrow_mut();
        let index = ended.binary_search_by_key(&id, |(known, _)| *known).ok()?;
        Some(ended.remove(index).1)
    }

    /// Hands over what came of an operation on a socket, which can be asked again: of bytes there are none then.
    pub fn take_repeatable(&self, id: OperationId) -> Option<Completion> {
        let mut ended = self.completions.borrow_mut();
        let index = ended.binary_search_by_key(&id, |(known, _)| *known).ok()?;
        match &mut ended[index].1 {
            Completion::Connected(result) => Some(Completion::Connected(result.clone())),
            Completion::Written(result) => Some(Completion::Written(result.clone())),
            Completion::Read(Err(failure)) => Some(Completion::Read(Err(failure.clone()))),
            Completion::Read(read @ Ok(_)) => {
                let none = ReceivedBytes::new(Vec::new(), &self.allowance);
                Some(Completion::Read(std::mem::replace(read, none)))
            }
            _ => None,
        }
    }

    /// Gives up an operation that is in flight, and says how far it has come if it is an exchange under way.
    pub fn abandon(&self, id: OperationId) -> Option<Measurements> {
        let index = self.pending.borrow().binary_search_by_key(&id, |pending| pending.id);
        let Ok(index) = index else { return None };
        self.channels.borrow_mut().retain(|(known, _)| *known != id);
        // An exchange is charged with its bytes when its future is dropped.
        drop(self.pending.borrow_mut().remove(index));
        self.end_exchange(id).map(|meter| *meter.read())
    }

    /// Drops what is kept of an operation that has ended.
    pub fn discard(&self, id: OperationId) {
        self.channels.borrow_mut().retain(|(known, _)| *known != id);
        if let Some(Completion::Exchange(timed)) = self.take(id)
            && let Ok(reply) = &timed.result
        {
            self.allowance.set(self.allowance.get() + reply.held());
        }
    }

    /// Cuts off what is in flight and says how far the exchanges among it have come.
    pub fn cut_off_exchanges(&self) -> Vec<Measurements> {
        // An exchange is charged with its bytes when its future is dropped.
        self.pending.borrow_mut().clear();
        self.in_progress.borrow().iter().map(|(_, meter)| *meter.read()).collect()
    }

    /// An exchange begins, now.
    pub fn begin_exchange(&self, id: OperationId, meter: &Rc<Meter>, start: RequestStart) {
        meter.begin(start.at, start.late);
        self.any_started.set(true);
        let mut begun = self.in_progress.borrow_mut();
        let place = begun.partition_point(|(known, _)| *known < id);
        begun.insert(place, (id, Rc::clone(meter)));
    }

    /// An exchange has ended.
    pub fn end_exchange(&self, id: OperationId) -> Option<Rc<Meter>> {
        let mut begun = self.in_progress.borrow_mut();
        let index = begun.binary_search_by_key(&id, |(known, _)| *known).ok()?;
        Some(begun.remove(index).1)
    }

    /// Takes a meter that no exchange uses.
    pub fn spare_meter(&self) -> Rc<Meter> {
        self.meters.borrow_mut().pop().unwrap_or_default()
    }

    /// Keeps a meter for the next exchange.
    pub fn keep_meter(&self, meter: Rc<Meter>) {
        self.meters.borrow_mut().push(meter);
    }
}
