//! Open load models on one worker: iterations that are due are assigned to free users.
//!
//! ```text
//!   Arrivals (pure) ─due─▶ ArrivalPool ─▶ the free user that became free last
//!                                      ├▶ a new user, up to the limit
//!                                      ├▶ the queue, for as long as an arrival may wait
//!                                      └▶ dropped, and counted
//! ```
//!
//! The user that became free last is taken, so that no more users and connections are in use than the load needs.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};

use stampede_time::{Nanos, RunPhase};

use super::scale::WakeReason;
use super::shared::RunShared;
use crate::metrics::sample::RowId;
use crate::pace::Arrivals;
use crate::user::{PromisedStart, WorkerShared};

/// The free users of one scenario on one worker, and the arrivals that wait for one.
pub(super) struct ArrivalPool {
    scenario: usize,
    first_row: Option<RowId>,
    /// The scenario's name and its maximum number of users in this process, for the warning about dropped iterations.
    scenario_name: Option<String>,
    max_users: u32,
    run_shared: Arc<RunShared>,
    max_wait: Nanos,
    end: Nanos,
    free: RefCell<Vec<Rc<IdleSlot>>>,
    queue: RefCell<VecDeque<Nanos>>,
    /// The number of users that may still be spawned.
    users_left: Cell<u32>,
    /// The number of users that are neither gone nor still to be spawned.
    users_here: Cell<u32>,
    is_over: Cell<bool>,
}

/// The place where a free user waits for its next iteration.
#[derive(Default)]
pub(super) struct IdleSlot {
    assigned: Cell<Option<PromisedStart>>,
    waker: RefCell<Option<Waker>>,
}

/// The state in which a user leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Departure {
    /// It had data, or needed none.
    WithData,
    /// A data set has no row left for it.
    NoDataForUser,
    /// A data set has no row left for any user.
    NoDataForAnyone,
}

/// The fate of an arrival that finds no free user.
enum ArrivalFallback {
    NewUser(PromisedStart),
    Queued,
    Dropped,
}

/// The settings of a pool.
pub(super) struct PoolOptions {
    /// The scenario's index in the run.
    pub scenario: usize,
    /// The row of the first step of an iteration.
    pub first_row: Option<RowId>,
    /// The scenario's name.
    pub scenario_name: Option<String>,
    /// Its maximum number of users on all workers of this process.
    pub max_users: u32,
    /// Its maximum number of users on this worker.
    pub users: u32,
    /// The longest wait of an arrival.
    pub max_wait: Nanos,
    /// No iteration begins at or after this time.
    pub end: Nanos,
}

impl ArrivalPool {
    /// Returns a pool without any user yet.
    pub(super) fn new(options: PoolOptions, run_shared: Arc<RunShared>) -> Self {
        let PoolOptions { scenario, first_row, scenario_name, max_users, users, max_wait, end } = options;
        Self {
            scenario,
            first_row,
            scenario_name,
            max_users,
            run_shared,
            max_wait,
            end,
            free: RefCell::default(),
            queue: RefCell::default(),
            users_left: Cell::new(users),
            users_here: Cell::new(0),
            is_over: Cell::new(false),
        }
    }

    /// Assigns arrivals as they come due, counted from `begin` after the run's start. `spawn` starts a new user, whose
    /// slot holds its first iteration.
    pub(super) async fn serve(
        &self,
        mut arrivals: Arrivals,
        begin: Nanos,
        shared: &WorkerShared,
        spawn: impl FnMut(Rc<IdleSlot>),
    ) {
        self.dispatch_due(&mut arrivals, begin, shared, spawn).await;
        // A late worker notices the end late: arrivals that came due in between are counted as cut short, so that the
        // total stays correct.
        let now = shared.clock.now();
        while let Some(due) = arrivals.next_due().map(|due| begin.saturating_add(due)).filter(|due| *due <= now) {
            if self.is_over.get() {
                break;
            }
            arrivals.advance();
            shared.recorder.borrow_mut().record_iteration(self.scenario, false, due, now);
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
            // After the last arrival the load goes on to its planned end, so that a rate is what it was planned to be.
            let until = due.or(Some(self.end)).filter(|until| *until < Nanos::MAX);
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
                    let slot = Rc::new(IdleSlot::default());
                    slot.assigned.set(Some(promise));
                    spawn(slot);
                }
                Some(ArrivalFallback::Dropped) => self.count_dropped(due, shared),
                Some(ArrivalFallback::Queued) | None => {}
            }
            self.drop_expired(shared);
        }
    }

    /// Notes that a user is gone. The arrivals end if it was the last one and had no data, or if no user has data left.
    pub(super) fn leave(&self, departure: Departure) {
        self.users_here.set(self.users_here.get() - 1);
        let is_last = self.users_here.get() == 0 && self.users_left.get() == 0;
        match departure {
            Departure::NoDataForAnyone => self.stop(),
            Departure::NoDataForUser if is_last => self.stop(),
            Departure::NoDataForUser | Departure::WithData => {}
        }
    }

    /// Ends the arrivals and lets free users leave.
    fn stop(&self) {
        self.is_over.set(true);
        self.free.borrow_mut().drain(..).for_each(|slot| slot.wake());
    }

    /// Assigns one arrival to a free user, or returns what happens to it instead.
    fn dispatch(&self, due: Nanos) -> Option<ArrivalFallback> {
        let promise = PromisedStart { intended: due, due };
        if let Some(slot) = self.free.borrow_mut().pop() {
            slot.assigned.set(Some(promise));
            slot.wake();
            return None;
        }
        if let Some(left) = self.users_left.get().checked_sub(1) {
            self.users_left.set(left);
            self.users_here.set(self.users_here.get() + 1);
            return Some(ArrivalFallback::NewUser(promise));
        }
        if self.max_wait == 0 {
            return Some(ArrivalFallback::Dropped);
        }
        self.queue.borrow_mut().push_back(due);
        Some(ArrivalFallback::Queued)
    }

    /// Waits for the next iteration of a user that is free now; `None` if there will be none.
    pub(super) async fn next(&self, slot: &Rc<IdleSlot>, shared: &WorkerShared) -> Option<PromisedStart> {
        let promise = match slot.assigned.take() {
            Some(promise) => Some(promise),
            None => self.take_queued(shared),
        };
        match promise {
            Some(promise) => Some(promise),
            None if self.is_over.get() => None,
            None => self.wait(slot, shared).await,
        }
    }

    async fn wait(&self, slot: &Rc<IdleSlot>, shared: &WorkerShared) -> Option<PromisedStart> {
        self.free.borrow_mut().push(Rc::clone(slot));
        poll_fn(|cx| {
            if let Some(promise) = slot.assigned.take() {
                return Poll::Ready(Some(promise));
            }
            if self.is_over.get() || shared.phase.get() != RunPhase::Running {
                return Poll::Ready(None);
            }
            // Arrivals queue up while the load is paused.
            if let Some(promise) = self.take_queued(shared) {
                self.free.borrow_mut().retain(|free| !Rc::ptr_eq(free, slot));
                return Poll::Ready(Some(promise));
            }
            slot.waker.borrow_mut().get_or_insert_with(|| cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Takes the arrival that has waited longest, if it may still begin.
    fn take_queued(&self, shared: &WorkerShared) -> Option<PromisedStart> {
        if self.queue.borrow().is_empty() {
            return None;
        }
        self.drop_expired(shared);
        let now = shared.clock.now();
        let is_paused = self.run_shared.scales.get(self.scenario) <= 0.0;
        let may_begin = now < self.end && !is_paused && shared.phase.get() == RunPhase::Running;
        let intended = may_begin.then(|| self.queue.borrow_mut().pop_front()).flatten()?;
        // Until now it waited for a free user; any further delay is the generator's.
        Some(PromisedStart { intended, due: now })
    }

    /// Drops the arrivals that have waited too long.
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
        shared.recorder.borrow_mut().record_dropped(self.scenario, self.first_row, due);
        self.run_shared.warn_of_drops(self.scenario_name.as_deref(), self.max_users);
    }

    /// Counts the arrivals still queued as dropped: all users are gone.
    pub(super) fn drop_queued(&self, shared: &WorkerShared) {
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
