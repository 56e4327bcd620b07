//! How a worker reaches its users while they wait: one look through all deadlines every few milliseconds instead of a
//! timer per request, and one wake-up for all when the run's phase changes.

use std::cell::RefCell;
use std::task::Waker;

use stampede_time::{Nanos, RunPhase};

use crate::user::WorkerShared;

/// How often a worker looks, in nanoseconds: how late a timeout, a stop or a Ctrl-C may be noticed.
pub const SWEEP_PERIOD: Nanos = 10_000_000;

/// The users of one worker that can be woken.
pub struct DeadlineSweep {
    wakers: RefCell<Vec<Option<Waker>>>,
}

impl DeadlineSweep {
    /// For that many users.
    pub fn new(users: usize) -> Self {
        Self { wakers: RefCell::new(vec![None; users]) }
    }

    /// Remembers how to wake a user. A user's waker never changes: it is one tokio task for life.
    pub fn register(&self, slot: usize, waker: &Waker) {
        self.wakers.borrow_mut()[slot] = Some(waker.clone());
    }

    /// Forgets a user.
    pub fn unregister(&self, slot: usize) {
        self.wakers.borrow_mut()[slot] = None;
    }

    /// Wakes everybody: there is news for who waits.
    pub fn wake_all(&self) {
        self.wakers.borrow().iter().flatten().for_each(Waker::wake_by_ref);
    }

    /// Wakes the users whose step has timed out by `now`, and all of them if the phase is a new one.
    pub fn sweep(&self, shared: &WorkerShared, now: Nanos, phase: RunPhase) {
        shared.last_sweep.set(now);
        let wakers = self.wakers.borrow();
        if shared.phase.replace(phase) != phase {
            wakers.iter().flatten().for_each(Waker::wake_by_ref);
            return;
        }
        for (deadline, waker) in shared.deadlines.iter().zip(wakers.iter()) {
            if deadline.get() <= now {
                waker.iter().for_each(Waker::wake_by_ref);
            }
        }
    }
}
