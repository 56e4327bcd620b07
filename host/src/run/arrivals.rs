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

use stampede_time::{Nanos, Phase};

use super::scale::Waited;
use super::shared::Common;
use crate::pace::Arrivals;
use crate::user::{Promise, Shared};

/// The users of one scenario on one worker, and the arrivals that wait for them.
pub struct Pool {
    scenario: usize,
    /// The scenario's name, and how many users it may have on all workers, for the one warning.
    named: (Option<String>, u32),
    common: Arc<Common>,
    max_wait: Nanos,
    end: Nanos,
    free: RefCell<Vec<Rc<Place>>>,
    queue: RefCell<VecDeque<Nanos>>,
    /// Users that there may be besides those that there are.
    more: Cell<u32>,
    is_over: Cell<bool>,
}

/// Where a free user waits.
#[derive(Default)]
pub struct Place {
    handed: Cell<Option<Promise>>,
    waker: RefCell<Option<Waker>>,
}

/// What becomes of an arrival for which there is no free user.
enum Unserved {
    NewUser(Promise),
    Queued,
    Dropped,
}

/// What a pool is for.
pub struct Terms {
    /// The number of the scenario in the run.
    pub scenario: usize,
    /// Its name, and how many users it may have on all workers.
    pub named: (Option<String>, u32),
    /// How many it may have on this one.
    pub users: u32,
    /// How long an arrival may wait.
    pub max_wait: Nanos,
    /// Nothing is begun at or after this time.
    pub end: Nanos,
}

impl Pool {
    /// Nobody there yet.
    pub fn new(terms: Terms, common: Arc<Common>) -> Self {
        let Terms { scenario, named, users, max_wait, end } = terms;
        let (free, queue) = Default::default();
        let (more, is_over) = (Cell::new(users), Cell::new(false));
        Self { scenario, named, common, max_wait, end, free, queue, more, is_over }
    }

    /// Lets everything arrive that is due, `begin` after the run's start; `spawn` makes a new user, who is handed its
    /// first iteration.
    pub async fn serve(&self, mut arrivals: Arrivals, begin: Nanos, shared: &Shared, spawn: impl FnMut(Rc<Place>)) {
        self.let_arrive(&mut arrivals, begin, shared, spawn).await;
        // What was due before an end that a late worker noticed too late: nobody shall think that it never was.
        let now = shared.clock.now();
        while let Some(due) = arrivals.due().map(|due| begin.saturating_add(due)).filter(|due| *due <= now) {
            if self.is_over.get() {
                break;
            }
            arrivals.pass();
            shared.recorder.borrow_mut().iteration(self.scenario, false, (due, now));
        }
        self.stop();
    }

    async fn let_arrive(
        &self,
        arrivals: &mut Arrivals,
        begin: Nanos,
        shared: &Shared,
        mut spawn: impl FnMut(Rc<Place>),
    ) {
        let scales = &self.common.scales;
        let (mut heard, mut known) = (0, 0);
        loop {
            let news = scales.news();
            if std::mem::replace(&mut heard, news) != news {
                let rescale = |at: Nanos, scale| arrivals.rescale(at.saturating_sub(begin), scale);
                known = scales.since(known, self.scenario, rescale);
            }
            let due = arrivals.due().map(|due| begin.saturating_add(due));
            // With another scale there may be more.
            let until = due.or(scales.may_change().then_some(self.end));
            let Some(until) = until.filter(|_| !self.is_over.get() && shared.phase.get() == Phase::Running) else {
                break;
            };
            if until > shared.clock.now() {
                match scales.wait(shared, until, heard).await {
                    Waited::Due => {}
                    Waited::News => {
                        self.expire(shared);
                        continue;
                    }
                    Waited::Ending => break,
                }
            }
            let Some(due) = due.filter(|_| !self.is_over.get()) else { break };
            arrivals.pass();
            match self.arrive(due) {
                Some(Unserved::NewUser(promise)) => {
                    let place = Rc::new(Place::default());
                    place.handed.set(Some(promise));
                    spawn(place);
                }
                Some(Unserved::Dropped) => self.drop_one(due, shared),
                Some(Unserved::Queued) | None => {}
            }
            self.expire(shared);
        }
    }

    /// Nothing more arrives: whoever is free may go.
    pub fn stop(&self) {
        self.is_over.set(true);
        self.free.borrow_mut().drain(..).for_each(|place| place.wake());
    }

    /// One arrival.
    fn arrive(&self, due: Nanos) -> Option<Unserved> {
        let promise = Promise { intended: due, due };
        if let Some(place) = self.free.borrow_mut().pop() {
            place.handed.set(Some(promise));
            place.wake();
            return None;
        }
        if let Some(left) = self.more.get().checked_sub(1) {
            self.more.set(left);
            return Some(Unserved::NewUser(promise));
        }
        if self.max_wait == 0 {
            return Some(Unserved::Dropped);
        }
        self.queue.borrow_mut().push_back(due);
        Some(Unserved::Queued)
    }

    /// What a user does next who is free now; `None` if there is nothing more to do.
    pub async fn next(&self, place: &Rc<Place>, shared: &Shared) -> Option<Promise> {
        let promise = match place.handed.take() {
            Some(promise) => Some(promise),
            None => self.queued(shared),
        };
        match promise {
            Some(promise) => Some(promise),
            None if self.is_over.get() => None,
            None => self.wait(place, shared).await,
        }
    }

    async fn wait(&self, place: &Rc<Place>, shared: &Shared) -> Option<Promise> {
        self.free.borrow_mut().push(Rc::clone(place));
        poll_fn(|cx| {
            if let Some(promise) = place.handed.take() {
                return Poll::Ready(Some(promise));
            }
            if self.is_over.get() || shared.phase.get() != Phase::Running {
                return Poll::Ready(None);
            }
            // What had to wait because nothing may begin while the load is paused.
            if let Some(promise) = self.queued(shared) {
                self.free.borrow_mut().retain(|free| !Rc::ptr_eq(free, place));
                return Poll::Ready(Some(promise));
            }
            place.waker.borrow_mut().get_or_insert_with(|| cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// The arrival that has waited longest, if it may still begin.
    fn queued(&self, shared: &Shared) -> Option<Promise> {
        if self.queue.borrow().is_empty() {
            return None;
        }
        self.expire(shared);
        let now = shared.clock.now();
        let is_paused = self.common.scales.of(self.scenario) <= 0.0;
        let may_begin = now < self.end && !is_paused && shared.phase.get() == Phase::Running;
        let intended = may_begin.then(|| self.queue.borrow_mut().pop_front()).flatten()?;
        // Until now there was no user for it; from now on it is the generator that is late.
        Some(Promise { intended, due: now })
    }

    /// Drops what has waited too long.
    fn expire(&self, shared: &Shared) {
        if self.queue.borrow().is_empty() {
            return;
        }
        let now = shared.clock.now();
        while self.queue.borrow().front().is_some_and(|due| due.saturating_add(self.max_wait) < now) {
            self.drop_first(shared);
        }
    }

    fn drop_first(&self, shared: &Shared) {
        let due = self.queue.borrow_mut().pop_front();
        due.into_iter().for_each(|due| self.drop_one(due, shared));
    }

    fn drop_one(&self, due: Nanos, shared: &Shared) {
        shared.recorder.borrow_mut().dropped(self.scenario, due);
        self.common.warn_of_drops(self.named.0.as_deref(), self.named.1);
    }

    /// The run is over: nobody will come for what still waits.
    pub fn close(&self, shared: &Shared) {
        while !self.queue.borrow().is_empty() {
            self.drop_first(shared);
        }
    }
}

impl Place {
    fn wake(&self) {
        self.waker.borrow().iter().for_each(Waker::wake_by_ref);
    }
}
