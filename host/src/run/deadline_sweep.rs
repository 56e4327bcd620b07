//! Wakes a worker's users while they wait: one pass over all deadlines every few milliseconds instead of a timer per
//! request, and one wake-up for all when the run's phase changes.

use std::cell::RefCell;
use std::task::Waker;

use stampede_time::{Nanos, RunPhase};

use crate::user::WorkerShared;

/// The period of a worker's loop, in nanoseconds: the greatest delay with which a timeout, a stop or a Ctrl-C is
/// noticed.
pub(super) const SWEEP_PERIOD: Nanos = 10_000_000;

/// The users of one worker that can be woken.
pub(super) struct DeadlineSweep {
    wakers: RefCell<Vec<Option<Waker>>>,
}

impl DeadlineSweep {
    /// Creates a sweep without users, with slots for this many.
    pub(super) fn new(users: usize) -> Self {
        Self { wakers: RefCell::new(vec![None; users]) }
    }

    /// Remembers the waker of a user. It never changes: a user is one tokio task from beginning to end.
    pub(super) fn register(&self, slot: usize, waker: &Waker) {
        self.wakers.borrow_mut()[slot] = Some(waker.clone());
    }

    /// Forgets a user.
    pub(super) fn unregister(&self, slot: usize) {
        self.wakers.borrow_mut()[slot] = None;
    }

    /// Wakes all users, so that they notice a change.
    pub(super) fn wake_all(&self) {
        self.wakers.borrow().iter().flatten().for_each(Waker::wake_by_ref);
    }

    /// Wakes the users whose step has timed out by `now`, and all of them if the phase is a new one.
    pub(super) fn sweep(&self, shared: &WorkerShared, now: Nanos, phase: RunPhase) {
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
