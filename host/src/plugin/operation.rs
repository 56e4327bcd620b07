//! What a task has submitted: exchanges and sleeps in flight, and what came of those that ended. The user's own task
//! polls them, so an operation costs no spawn and no channel; a timeout or the end of the run drops them.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use hyper::http::uri::PathAndQuery;

use crate::http::{self, Allowance, Failure, Flow, Grants, Measured, Meter, Origin, Reply, Request};
use crate::metrics::sample::{FailureKind, RowId, Sample};
use crate::template::VariableId;

use super::limits;
use super::session::{Session, Start};
use super::socket::{Activity, Received, SocketId, Upgraded};

/// Index of an operation within its task.
pub type OperationId = u32;

/// What came of an operation.
pub enum Ended {
    /// A reply, or the reason why there is none.
    Exchange(Box<TimedExchange>),
    /// A sleep is over.
    Slept,
    /// A socket's number, or the reason why there is none.
    Connected(Result<SocketId, Failure>),
    /// What a server answered to a request for its connection, or why it did not.
    Upgraded(Result<Upgraded, Failure>),
    /// All bytes were written to a socket, or not.
    Written(Result<(), Failure>),
    /// Bytes read from a socket, none if the peer has closed its side.
    Read(Result<Received, Failure>),
    /// The head of a streamed exchange has come, or never will.
    Headed(Result<u16, Failure>),
    /// Content of a streamed exchange, none at its end.
    Streamed(Result<Received, Failure>),
    /// Content was sent, or not.
    Sent(Result<(), Failure>),
    /// The run ended before the operation's turn came: nothing was sent.
    NotStarted,
}

/// An exchange that has ended.
pub struct TimedExchange {
    /// What was measured.
    pub measured: Measured,
    /// The reply, or why there is none.
    pub result: Result<Reply, Failure>,
    /// Where the last request went; `None` if it could not be sent.
    pub target: Option<(Rc<Origin>, PathAndQuery)>,
}

impl TimedExchange {
    /// The exchange as numbers.
    pub fn sample(&self, row: RowId) -> Sample {
        sample(row, &self.measured, self.result.as_ref().err().map(|failure| failure.kind))
    }

    /// Where the last request went, as a URL.
    pub fn url(&self) -> Option<String> {
        let (origin, target) = self.target.as_ref()?;
        origin.url(target).map(String::from)
    }

    /// Takes the header section out of what a task may hold, as its body has been.
    fn hold_headers(&mut self, allowance: &Allowance) {
        let Ok(reply) = &self.result else { return };
        match allowance.get().checked_sub(reply.headers.size()) {
            Some(left) => allowance.set(left),
            None => {
                allowance.set(allowance.get() + reply.body.len());
                let detail = format!("a task may hold {} MiB of replies", limits::HELD >> 20).into();
                self.result = Err(Failure { kind: FailureKind::Protocol, detail });
            }
        }
    }
}

/// What was measured as a sample. An exchange that was cut off ends when that is noticed, at `measured.end`.
pub fn sample(row: RowId, measured: &Measured, failure: Option<FailureKind>) -> Sample {
    let Measured { start, late, status, bytes_out, bytes_in, body_bytes_in, phases, .. } = *measured;
    let (intended, end) = (start.saturating_sub(late), measured.end.unwrap_or(start));
    Sample { row, intended, start, end, status, bytes_out, bytes_in, body_bytes_in, phases, failure }
}

/// An operation in flight.
struct Pending {
    id: OperationId,
    future: Pin<Box<dyn Future<Output = Ended>>>,
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
    pub begun_any: Cell<bool>,
    /// The status of the exchange announced last; 0 without a reply.
    pub status: Cell<u16>,
    /// What was held against it first.
    pub failure: Cell<Option<FailureKind>>,
    /// The sample of the exchange announced last, which the guest may still judge.
    pub open: Cell<Option<Sample>>,
    /// Whether that exchange was given up by the guest.
    pub given_up: Cell<bool>,
    /// What it does on its sockets.
    pub sockets: Activity,
    /// Variables captured so far.
    pub captured: RefCell<Vec<VariableId>>,
    submitted: Cell<OperationId>,
    /// By number, as are the next two.
    pending: RefCell<Vec<Pending>>,
    /// What the guest may still ask for.
    ended: RefCell<Vec<(OperationId, Ended)>>,
    /// The exchanges under way, and how far they have come.
    begun: RefCell<Vec<(OperationId, Rc<Meter>)>>,
    /// The content of the streamed ones.
    flows: RefCell<Vec<(OperationId, Rc<Flow>)>>,
    /// Meters that no exchange uses, kept from task to task.
    meters: RefCell<Vec<Rc<Meter>>>,
}

impl Task {
    /// Forgets the previous task.
    pub fn begin(&self, row: RowId, keep_body: bool) {
        self.row.set(row);
        self.keep_body.set(keep_body);
        self.exchanges.set(0);
        self.begun_any.set(false);
        self.status.set(0);
        self.failure.set(None);
        self.open.set(None);
        self.given_up.set(false);
        self.sockets.begin();
        self.captured.borrow_mut().clear();
        self.clear();
        self.allowance.set(limits::HELD);
    }

    /// Drops every operation; those in flight are cut off.
    pub fn clear(&self) {
        self.submitted.set(0);
        self.pending.borrow_mut().clear();
        self.ended.borrow_mut().clear();
        self.begun.borrow_mut().clear();
        self.flows.borrow_mut().clear();
    }

    /// The content of a streamed exchange, which is kept as long as the exchange.
    pub fn flow(&self, id: OperationId) -> Option<Rc<Flow>> {
        let flows = self.flows.borrow();
        let index = flows.binary_search_by_key(&id, |(known, _)| *known).ok()?;
        Some(Rc::clone(&flows[index].1))
    }

    /// Keeps the content of the exchange submitted last.
    pub fn keep_flow(&self, id: OperationId, flow: Rc<Flow>) {
        self.flows.borrow_mut().push((id, flow));
    }

    /// Whether there are numbers left for more operations.
    pub fn has_numbers(&self) -> bool {
        self.submitted.get() < OperationId::MAX
    }

    /// Operations that are in flight, or that have ended and are kept for the guest.
    pub fn kept(&self) -> usize {
        self.pending.borrow().len() + self.ended.borrow().len()
    }

    /// Whether any operation is in flight.
    pub fn in_flight(&self) -> bool {
        !self.pending.borrow().is_empty()
    }

    /// Adds an operation; the future is made from the number it gets.
    pub fn submit<F: Future<Output = Ended> + 'static>(&self, make: impl FnOnce(OperationId) -> F) -> OperationId {
        let id = self.submitted.get();
        self.submitted.set(id + 1);
        self.pending.borrow_mut().push(Pending { id, future: Box::pin(make(id)) });
        id
    }

    /// Polls what is in flight, in the order submitted, until one ends. It must not be called while nothing is.
    pub fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<OperationId> {
        let mut pending = self.pending.borrow_mut();
        for index in 0..pending.len() {
            if let Poll::Ready(ended) = pending[index].future.as_mut().poll(cx) {
                let id = pending.remove(index).id;
                // Of a sleep there is nothing to ask.
                if !matches!(ended, Ended::Slept) {
                    let mut kept = self.ended.borrow_mut();
                    let place = kept.partition_point(|(known, _)| *known < id);
                    kept.insert(place, (id, ended));
                }
                return Poll::Ready(id);
            }
        }
        Poll::Pending
    }

    /// Looks at what came of an operation; `None` if there is none of that number that has ended and is kept.
    pub fn ended<T>(&self, id: OperationId, look: impl FnOnce(&Ended) -> T) -> Option<T> {
        let ended = self.ended.borrow();
        let index = ended.binary_search_by_key(&id, |(known, _)| *known).ok()?;
        Some(look(&ended[index].1))
    }

    /// Hands over what came of an operation, and forgets it.
    pub fn take(&self, id: OperationId) -> Option<Ended> {
        let mut ended = self.ended.borrow_mut();
        let index = ended.binary_search_by_key(&id, |(known, _)| *known).ok()?;
        Some(ended.remove(index).1)
    }

    /// Hands over what came of an operation on a socket, which can be asked again: of bytes there are none then.
    pub fn hand_over(&self, id: OperationId) -> Option<Ended> {
        let mut ended = self.ended.borrow_mut();
        let index = ended.binary_search_by_key(&id, |(known, _)| *known).ok()?;
        match &mut ended[index].1 {
            Ended::Connected(result) => Some(Ended::Connected(result.clone())),
            Ended::Written(result) => Some(Ended::Written(result.clone())),
            Ended::Read(Err(failure)) => Some(Ended::Read(Err(failure.clone()))),
            Ended::Read(read @ Ok(_)) => {
                let none = Received::new(Vec::new(), &self.allowance);
                Some(Ended::Read(std::mem::replace(read, none)))
            }
            _ => None,
        }
    }

    /// Gives up an operation that is in flight, and says how far it has come if it is an exchange under way.
    pub fn give_up(&self, id: OperationId) -> Option<Measured> {
        let index = self.pending.borrow().binary_search_by_key(&id, |pending| pending.id);
        let Ok(index) = index else { return None };
        self.flows.borrow_mut().retain(|(known, _)| *known != id);
        // An exchange is charged with its bytes when its future is dropped.
        drop(self.pending.borrow_mut().remove(index));
        self.end_exchange(id).map(|meter| *meter.read())
    }

    /// Drops what is kept of an operation that has ended.
    pub fn forget(&self, id: OperationId) {
        self.flows.borrow_mut().retain(|(known, _)| *known != id);
        if let Some(Ended::Exchange(timed)) = self.take(id)
            && let Ok(reply) = &timed.result
        {
            self.allowance.set(self.allowance.get() + reply.held());
        }
    }

    /// Cuts off what is in flight and says how far the exchanges among it have come.
    pub fn cut_off(&self) -> Vec<Measured> {
        // An exchange is charged with its bytes when its future is dropped.
        self.pending.borrow_mut().clear();
        self.begun.borrow().iter().map(|(_, meter)| *meter.read()).collect()
    }

    /// An exchange begins, now.
    fn begin_exchange(&self, id: OperationId, meter: &Rc<Meter>, start: Start) {
        meter.begin(start.at, start.late);
        self.begun_any.set(true);
        let mut begun = self.begun.borrow_mut();
        let place = begun.partition_point(|(known, _)| *known < id);
        begun.insert(place, (id, Rc::clone(meter)));
    }

    /// An exchange has ended.
    fn end_exchange(&self, id: OperationId) -> Option<Rc<Meter>> {
        let mut begun = self.begun.borrow_mut();
        let index = begun.binary_search_by_key(&id, |(known, _)| *known).ok()?;
        Some(begun.remove(index).1)
    }
}

/// Which redirects an exchange follows.
pub struct Redirects {
    left: u8,
    /// Where they may lead; not needed if none is followed.
    grants: Option<Rc<Grants>>,
}

impl Redirects {
    /// So many, to granted hosts.
    pub fn new(most: u8, grants: &Rc<Grants>) -> Self {
        Self { left: most, grants: (most > 0).then(|| Rc::clone(grants)) }
    }

    /// The request that a reply asks for, if one more is followed. A redirect that cannot be followed fails the
    /// exchange.
    fn next(&mut self, session: &Session, sent: &Request, timed: &mut TimedExchange) -> Option<Request> {
        let grants = self.grants.as_ref().filter(|_| self.left > 0)?;
        let Ok(reply) = &timed.result else { return None };
        if !reply.status.is_redirection() {
            return None;
        }
        let secrets: Vec<_> = session.headers().iter().map(|(name, _)| name.clone()).collect();
        match http::redirect::next(sent, reply, &secrets, grants) {
            Ok(next) => {
                self.left -= 1;
                next
            }
            Err(failure) => {
                timed.result = Err(failure);
                None
            }
        }
    }
}

/// One exchange from the wait for its turn to the last byte, redirects followed. Every hop but the last is recorded
/// here; the last one is left to the guest's judgement. If the run ends between two hops, there is no last one.
pub async fn exchange(session: Rc<Session>, id: OperationId, mut request: Request, mut redirects: Redirects) -> Ended {
    let task = &session.task;
    let meter = task.meters.borrow_mut().pop().unwrap_or_default();
    loop {
        let Some(start) = session.turn().await else { return Ended::NotStarted };
        task.begin_exchange(id, &meter, start);
        let result = http::exchange(&session.shared.client, &session.http, &meter, &request).await;
        task.end_exchange(id);
        let mut timed = Box::new(TimedExchange { measured: *meter.read(), result, target: None });
        match redirects.next(&session, &request, &mut timed) {
            None => {
                task.meters.borrow_mut().push(meter);
                timed.hold_headers(&task.allowance);
                timed.target = Some((request.origin, request.target));
                return Ended::Exchange(timed);
            }
            Some(next) => request = next,
        }
        session.record(&timed.sample(task.row.get()));
        if let (Some(allowance), Ok(reply)) = (&request.keep_body, &timed.result) {
            allowance.set(allowance.get() + reply.body.len());
        }
    }
}

/// A sleep of at least that long; it ends early when the run does.
pub async fn sleep(session: Rc<Session>, nanoseconds: u64) -> Ended {
    session.task.begun_any.set(true);
    let until = session.shared.clock.now().saturating_add(nanoseconds);
    if session.wait_until(until).await { Ended::Slept } else { Ended::NotStarted }
}

/// A request that could not even be built: it takes its turn like any other, and fails.
pub async fn unsendable(session: Rc<Session>, failure: Failure) -> Ended {
    let Some(Start { at, late }) = session.turn().await else { return Ended::NotStarted };
    session.task.begun_any.set(true);
    let measured = Measured { start: at, late, end: Some(at), ..Measured::default() };
    Ended::Exchange(Box::new(TimedExchange { measured, result: Err(failure), target: None }))
}
