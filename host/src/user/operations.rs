//! The operations of one task: those in flight, and the completions that the guest may still fetch. The user's own
//! tokio task polls them, so an operation costs no spawn and no channel; a timeout or the end of the run drops them.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::operation::{CompletedExchange, Completion, OperationId, OperationKind};
use super::sockets::SocketId;
use super::start::RequestStart;
use crate::http::{Allowance, BodyChannel, Request};
use crate::net::{Measurements, Meter};

/// An operation in flight.
struct PendingOperation {
    id: OperationId,
    kind: OperationKind,
    future: Pin<Box<dyn Future<Output = Completion>>>,
}

/// An exchange that was cut off.
pub struct CutOffExchange {
    /// Its measurements up to then.
    pub measured: Measurements,
    /// Its request.
    pub request: Option<Request>,
}

/// The operations of one task. The lists are sorted by operation.
#[derive(Default)]
pub struct Operations {
    /// Operations submitted so far, and so the number of the next one.
    submitted: Cell<OperationId>,
    pending: RefCell<Vec<PendingOperation>>,
    /// True when one of them waits for the end of the user's time, or has waited.
    waits_for_ending: Cell<bool>,
    /// Completions that the guest may still fetch.
    completions: RefCell<Vec<(OperationId, Completion)>>,
    /// Meters of the exchanges under way.
    in_progress: RefCell<Vec<(OperationId, Rc<Meter>)>>,
    /// Contents of the streamed exchanges.
    channels: RefCell<Vec<(OperationId, Rc<BodyChannel>)>>,
    /// Requests of exchanges whose futures were dropped while they were under way.
    left_requests: RefCell<Vec<(OperationId, Request)>>,
    /// Meters that no exchange uses, kept from task to task.
    meters: RefCell<Vec<Rc<Meter>>>,
}

impl Operations {
    /// Drops every operation; those in flight are cut off.
    pub fn clear(&self) {
        self.submitted.set(0);
        self.pending.borrow_mut().clear();
        self.waits_for_ending.set(false);
        self.completions.borrow_mut().clear();
        self.in_progress.borrow_mut().clear();
        self.left_requests.borrow_mut().clear();
        self.channels.borrow_mut().clear();
    }

    /// Returns the content of a streamed exchange, which is kept as long as the exchange.
    pub fn channel(&self, id: OperationId) -> Option<Rc<BodyChannel>> {
        let channels = self.channels.borrow();
        let index = channels.binary_search_by_key(&id, |(candidate, _)| *candidate).ok()?;
        Some(Rc::clone(&channels[index].1))
    }

    /// Keeps the content of the exchange submitted last.
    pub fn add_channel(&self, id: OperationId, channel: Rc<BodyChannel>) {
        self.channels.borrow_mut().push((id, channel));
    }

    /// Returns `true` if there are numbers left for more operations.
    pub fn has_ids_left(&self) -> bool {
        self.submitted.get() < OperationId::MAX
    }

    /// Counts the operations that are in flight, or completed and kept for the guest.
    pub fn count(&self) -> usize {
        self.pending.borrow().len() + self.completions.borrow().len()
    }

    /// Returns `true` if any operation is in flight.
    pub fn in_flight(&self) -> bool {
        !self.pending.borrow().is_empty()
    }

    /// Returns `true` if an operation in flight has begun and waits for the target. A streamed exchange whose head has
    /// arrived does not, if the guest itself limits the time for which it reads.
    pub fn waits_for_target(&self) -> bool {
        let (pending, in_progress) = (self.pending.borrow(), self.in_progress.borrow());
        let is_timed = pending.iter().any(|pending| pending.kind == OperationKind::Wait);
        pending.iter().any(|pending| match pending.kind {
            OperationKind::Socket => true,
            OperationKind::Wait | OperationKind::Content | OperationKind::Ending => false,
            OperationKind::Exchange => {
                let has_begun = in_progress.binary_search_by_key(&pending.id, |(candidate, _)| *candidate).is_ok();
                let is_read = || self.channel(pending.id).is_some_and(|channel| channel.has_head());
                has_begun && !(is_timed && is_read())
            }
        })
    }

    /// Adds an operation. Its future is made from the number that the operation gets.
    pub fn submit<F: Future<Output = Completion> + 'static>(
        &self,
        kind: OperationKind,
        make: impl FnOnce(OperationId) -> F,
    ) -> OperationId {
        let id = self.submitted.get();
        self.submitted.set(id + 1);
        if kind == OperationKind::Ending {
            self.waits_for_ending.set(true);
        }
        self.pending.borrow_mut().push(PendingOperation { id, kind, future: Box::pin(make(id)) });
        id
    }

    /// Polls the operations in flight, in the order submitted, until one completes. A wait for the end of the user's
    /// time is polled first: others that cannot go on because of it would end the task. Must not be called while none
    /// is in flight: no waker would be registered.
    pub fn poll_completion(&self, cx: &mut Context<'_>) -> Poll<OperationId> {
        let mut pending = self.pending.borrow_mut();
        let is_ending = |pending: &PendingOperation| pending.kind == OperationKind::Ending;
        let ending = self.waits_for_ending.get().then(|| pending.iter().position(is_ending)).flatten();
        for index in ending.into_iter().chain(0..pending.len()) {
            if let Poll::Ready(completion) = pending[index].future.as_mut().poll(cx) {
                let id = pending.remove(index).id;
                // A wait has no result to fetch.
                if !matches!(completion, Completion::WaitOver) {
                    let mut completions = self.completions.borrow_mut();
                    let position = completions.partition_point(|(earlier, _)| *earlier < id);
                    completions.insert(position, (id, completion));
                }
                return Poll::Ready(id);
            }
        }
        Poll::Pending
    }

    /// Calls `look` with the completion of an operation; `None` if the operation has not completed or is not kept.
    pub fn with_completion<T>(&self, id: OperationId, look: impl FnOnce(&Completion) -> T) -> Option<T> {
        let completions = self.completions.borrow();
        let index = completions.binary_search_by_key(&id, |(candidate, _)| *candidate).ok()?;
        Some(look(&completions[index].1))
    }

    /// Calls `change` with the completion of an operation; `None` if the operation has not completed or is not kept.
    pub fn with_completion_mut<T>(&self, id: OperationId, change: impl FnOnce(&mut Completion) -> T) -> Option<T> {
        let mut completions = self.completions.borrow_mut();
        let index = completions.binary_search_by_key(&id, |(candidate, _)| *candidate).ok()?;
        Some(change(&mut completions[index].1))
    }

    /// Returns the measurements of an exchange so far; `None` if the operation is not an exchange, or was given up.
    pub fn exchange_measurements(&self, id: OperationId) -> Option<Measurements> {
        let in_progress = self.in_progress.borrow();
        if let Ok(index) = in_progress.binary_search_by_key(&id, |(candidate, _)| *candidate) {
            return Some(*in_progress[index].1.read());
        }
        let ended = |completion: &Completion| match completion {
            Completion::Exchange(exchange) => Some(exchange.measured),
            _ => None,
        };
        if let Some(ended) = self.with_completion(id, ended) {
            return ended;
        }
        let pending = self.pending.borrow();
        let index = pending.binary_search_by_key(&id, |pending| pending.id).ok()?;
        (pending[index].kind == OperationKind::Exchange).then(Measurements::default)
    }

    /// Removes the completion of an operation and returns it.
    pub fn take(&self, id: OperationId) -> Option<Completion> {
        let mut completions = self.completions.borrow_mut();
        let index = completions.binary_search_by_key(&id, |(candidate, _)| *candidate).ok()?;
        Some(completions.remove(index).1)
    }

    /// Abandons an operation that is in flight. Returns how far it had come if it was an exchange under way.
    pub fn abandon(&self, id: OperationId) -> Option<Measurements> {
        let index = self.pending.borrow().binary_search_by_key(&id, |pending| pending.id);
        let Ok(index) = index else { return None };
        self.channels.borrow_mut().retain(|(candidate, _)| *candidate != id);
        // An exchange is charged with its bytes when its future is dropped.
        drop(self.pending.borrow_mut().remove(index));
        self.end_exchange(id).map(|meter| *meter.read())
    }

    /// Returns the sockets that operations have opened whose outcome is still kept.
    pub fn opened_sockets(&self) -> Vec<SocketId> {
        self.completions.borrow().iter().filter_map(|(_, completion)| completion.socket()).collect()
    }

    /// Drops what is kept of an operation that has completed. The bytes of a reply go back to the allowance. Returns
    /// the exchange, if it was one.
    pub fn discard(&self, id: OperationId, allowance: &Allowance) -> Option<Box<CompletedExchange>> {
        self.channels.borrow_mut().retain(|(candidate, _)| *candidate != id);
        let Some(Completion::Exchange(exchange)) = self.take(id) else { return None };
        if let Ok(reply) = &exchange.result {
            allowance.set(allowance.get() + reply.held_bytes());
        }
        Some(exchange)
    }

    /// Cuts off every operation in flight. Returns the exchanges among them that were under way.
    pub fn cut_off_exchanges(&self) -> Vec<CutOffExchange> {
        // An exchange is charged with its bytes, and leaves its request, when its future is dropped.
        self.pending.borrow_mut().clear();
        let under_way = self.in_progress.borrow();
        let cut_off = |(id, meter): &(OperationId, Rc<Meter>)| CutOffExchange {
            measured: *meter.read(),
            request: self.take_left_request(*id),
        };
        under_way.iter().map(cut_off).collect()
    }

    /// Keeps the request of an exchange whose future is dropped, if it was under way.
    pub fn leave_request(&self, id: OperationId, request: Request) {
        if self.in_progress.borrow().binary_search_by_key(&id, |(candidate, _)| *candidate).is_ok() {
            self.left_requests.borrow_mut().push((id, request));
        }
    }

    /// Takes the request of an exchange that was cut off.
    pub fn take_left_request(&self, id: OperationId) -> Option<Request> {
        let mut left = self.left_requests.borrow_mut();
        let index = left.iter().position(|(candidate, _)| *candidate == id)?;
        Some(left.swap_remove(index).1)
    }

    /// Notes that an exchange begins at `start`, and begins its meter.
    pub fn begin_exchange(&self, id: OperationId, meter: &Rc<Meter>, start: RequestStart) {
        meter.begin(start.at, start.late);
        let mut in_progress = self.in_progress.borrow_mut();
        let position = in_progress.partition_point(|(earlier, _)| *earlier < id);
        in_progress.insert(position, (id, Rc::clone(meter)));
    }

    /// Notes that an exchange has ended. Returns its meter.
    pub fn end_exchange(&self, id: OperationId) -> Option<Rc<Meter>> {
        let mut in_progress = self.in_progress.borrow_mut();
        let index = in_progress.binary_search_by_key(&id, |(candidate, _)| *candidate).ok()?;
        Some(in_progress.remove(index).1)
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

#[cfg(test)]
mod tests {
    use std::future::{poll_fn, ready};

    use super::*;

    #[tokio::test]
    async fn the_end_of_the_users_time_is_announced_before_what_ends_because_of_it() {
        let operations = Operations::default();
        let kinds = [OperationKind::Wait, OperationKind::Exchange, OperationKind::Ending, OperationKind::Wait];
        for kind in kinds {
            let is_ending = kind == OperationKind::Ending;
            let completion = if is_ending { Completion::WaitOver } else { Completion::NotStarted };
            operations.submit(kind, |_| ready(completion));
        }
        let mut announced = Vec::new();
        while operations.in_flight() {
            announced.push(poll_fn(|cx| operations.poll_completion(cx)).await);
        }
        assert_eq!(announced, [2, 0, 1, 3]);
    }
}
