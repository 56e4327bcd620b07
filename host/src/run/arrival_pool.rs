//! Open workloads on one worker: iterations that are due are handed to users who are free.
//!
//! ```text
//!   Arrivals (pure) ─due─▶ Pool ─▶ a free user, the one who became free last
//!                               ├▶ a new user, while there may be more
//!                               ├▶ the queue, for as long as an arrival may wait
//!                               └▶ dropped, and counted
//! ```
//!
//! The user who became free last is taken, so that as few users, and connections, are in use as the load needs.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};

use stampede_time::{Nanos, RunPhase};

use super::scale::WakeReason;
use super::shared::RunShared;
use crate::pace::Arrivals;
use crate::user::{PromisedStart, WorkerShared};

/// The users of one scenario on one worker, and the arrivals that wait for them.
pub struct ArrivalPool {
    scenario: usize,
    /// The scenario's name, and how many users it may have on all workers, for the one warning.
    label: (Option<String>, u32),
    run_shared: Arc<RunShared>,
    max_wait: Nanos,
    end: Nanos,
    free: RefCell<Vec<Rc<IdleSlot>>>,
    queue: RefCell<VecDeque<Nanos>>,
    /// Users that there may be besides those that there are.
    users_left: Cell<u32>,
    is_over: Cell<bool>,
}

/// Where a free user waits.
#[derive(Default)]
pub struct IdleSlot {
    assigned: Cell<Option<PromisedStart>>,
    waker: RefCell<Option<Waker>>,
}

/// What becomes of an arrival for which there is no free user.
enum ArrivalFallback {
    NewUser(PromisedStart),
    Queued,
    Dropped,
}

/// What a pool is for.
pub struct PoolOptions {
    /// The number of the scenario in the run.
    pub scenario: usize,
    /// Its name, and how many users it may have on all workers.
    pub label: (Option<String>, u32),
    /// How many it may have on this one.
    pub users: u32,
    /// How long an arrival may wait.
    pub max_wait: Nanos,
    /// Nothing is begun at or after this time.
    pub end: Nanos,
}

impl ArrivalPool {
    /// Nobody there yet.
    pub fn new(terms: PoolOptions, common: Arc<RunShared>) -> Self {
        let PoolOptions { scenario, label: named, users, max_wait, end } = terms;
        let (free, queue) = Default::default();
        let (more, is_over) = (Cell::new(users), Cell::new(false));
        Self { scenario, label: named, run_shared: common, max_wait, end, free, queue, users_left: more, is_over }
    }

    /// Lets everything arrive that is due, `begin` after the run's start; `spawn` makes a new user, who is handed its
    /// first iteration.
    pub async fn serve(
        &self,
        mut arrivals: Arrivals,
        begin: Nanos,
        shared: &WorkerShared,
        spawn: impl FnMut(Rc<IdleSlot>),
    ) {
        self.dispatch_due(&mut arrivals, begin, shared, spawn).await;
        // What was due before an end that a late worker noticed too late: nobody shall think that it never was.
        let now = shared.clock.now();
        while let Some(due) = arrivals.next_due().map(|due| begin.saturating_add(due)).filter(|due| *due <= now) {
            if self.is_over.get() {
                break;
            }
            arrivals.advance();
            shared.recorder.borrow_mut().record_iteration(self.scenario, false, (due, now));
        }
        self.stop();
    }

    async fn dispatch_due(
        &self,
        arrivals: &mut Arrivals,
        begin: Nanos,
        shared: &WorkerShared,
        mut spawn: impl FnMut(Rc<IdleSlot>),
    ) {
        let scales = &self.run_shared.scales;
        let (mut seen_generation, mut changes_seen) = (0, 0);
        loop {
            let generation = scales.generation();
            if std::mem::replace(&mut seen_generation, generation) != generation {
                let rescale = |at: Nanos, scale| arrivals.rescale(at.saturating_sub(begin), scale);
                changes_seen = scales.changes_since(changes_seen, self.scenario, rescale);
            }
            let due = arrivals.next_due().map(|due| begin.saturating_add(due));
            // With another scale there may be more.
            let until = due.or(scales.may_change().then_some(self.end));
            let Some(until) = until.filter(|_| !self.is_over.get() && shared.phase.get() == RunPhase::Running) else {
                break;
            };
            if until > shared.clock.now() {
                match scales.wait(shared, until, seen_generation).await {
                    WakeReason::Due => {}
                    WakeReason::Changed => {
                        self.drop_expired(shared);
                        continue;
                    }
                    WakeReason::Ending => break,
                }
            }
            let Some(due) = due.filter(|_| !self.is_over.get()) else { break };
            arrivals.advance();
            match self.dispatch(due) {
                Some(ArrivalFallback::NewUser(promise)) => {
                    let place = Rc::new(IdleSlot::default());
                    place.assigned.set(Some(promise));
                    spawn(place);
                }
                Some(ArrivalFallback::Dropped) => self.count_dropped(due, shared),
                Some(ArrivalFallback::Queued) | None => {}
            }
            self.drop_expired(shared);
        }
    }

    /// Nothing more arrives: whoever is free may go.
    pub fn stop(&self) {
        self.is_over.set(true);
        self.free.borrow_mut().drain(..).for_each(|place| place.wake());
    }

    /// One arrival.
    fn dispatch(&self, due: Nanos) -> Option<ArrivalFallback> {
        let promise = PromisedStart { intended: due, due };
        if let Some(place) = self.free.borrow_mut().pop() {
            place.assigned.set(Some(promise));
            place.wake();
            return None;
        }
        if let Some(left) = self.users_left.get().checked_sub(1) {
            self.users_left.set(left);
            return Some(ArrivalFallback::NewUser(promise));
        }
        if self.max_wait == 0 {
            return Some(ArrivalFallback::Dropped);
        }
        self.queue.borrow_mut().push_back(due);
        Some(ArrivalFallback::Queued)
    }

    /// What a user does next who is free now; `None` if there is nothing more to do.
    pub async fn next(&self, place: &Rc<IdleSlot>, shared: &WorkerShared) -> Option<PromisedStart> {
        let promise = match place.assigned.take() {
            Some(promise) => Some(promise),
            None => self.take_queued(shared),
        };
        match promise {
            Some(promise) => Some(promise),
            None if self.is_over.get() => None,
            None => self.wait(place, shared).await,
        }
    }

    async fn wait(&self, place: &Rc<IdleSlot>, shared: &WorkerShared) -> Option<PromisedStart> {
        self.free.borrow_mut().push(Rc::clone(place));
        poll_fn(|cx| {
            if let Some(promise) = place.assigned.take() {
                return Poll::Ready(Some(promise));
            }
            if self.is_over.get() || shared.phase.get() != RunPhase::Running {
                return Poll::Ready(None);
            }
            // What had to wait because nothing may begin while the load is paused.
            if let Some(promise) = self.take_queued(shared) {
                self.free.borrow_mut().retain(|free| !Rc::ptr_eq(free, place));
                return Poll::Ready(Some(promise));
            }
            place.waker.borrow_mut().get_or_insert_with(|| cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// The arrival that has waited longest, if it may still begin.
    fn take_queued(&self, shared: &WorkerShared) -> Option<PromisedStart> {
        if self.queue.borrow().is_empty() {
            return None;
        }
        self.drop_expired(shared);
        let now = shared.clock.now();
        let is_paused = self.run_shared.scales.get(self.scenario) <= 0.0;
        let may_begin = now < self.end && !is_paused && shared.phase.get() == RunPhase::Running;
        let intended = may_begin.then(|| self.queue.borrow_mut().pop_front()).flatten()?;
        // Until now there was no user for it; from now on it is the generator that is late.
        Some(PromisedStart { intended, due: now })
    }

    /// Drops what has waited too long.
    fn drop_expired(&self, shared: &WorkerShared) {
        if self.queue.borrow().is_empty() {
            return;
        }
        let now = shared.clock.now();
        while self.queue.borrow().front().is_some_and(|due| due.saturating_add(self.max_wait) < now) {
            self.drop_oldest(shared);
        }
    }

    fn drop_oldest(&self, shared: &WorkerShared) {
        let due = self.queue.borrow_mut().pop_front();
        due.into_iter().for_each(|due| self.count_dropped(due, shared));
    }

    fn count_dropped(&self, due: Nanos, shared: &WorkerShared) {
        shared.recorder.borrow_mut().record_dropped(self.scenario, due);
        self.run_shared.warn_of_drops(self.label.0.as_deref(), self.label.1);
    }

    /// The run is over: nobody will come for what still waits.
    pub fn drop_queued(&self, shared: &WorkerShared) {
        while !self.queue.borrow().is_empty() {
            self.drop_oldest(shared);
        }
    }
}

impl IdleSlot {
    fn wake(&self) {
        self.waker.borrow().iter().for_each(Waker::wake_by_ref);
    }
}
