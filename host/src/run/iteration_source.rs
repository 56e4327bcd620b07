//! Decides when a user begins its next iteration. A user asks before each one, and waits until it may begin or no more
//! are left.
//!
//! | rule | a user may begin an iteration |
//! |---|---|
//! | self-paced | as soon as its last one is over and the pace allows it, within its active window |
//! | self-paced, shared iterations | as above, while any are left in the pool |
//! | arrivals | when one is assigned to it, see [`ArrivalPool`] |
//!
//! Where the load may be changed while it runs, a self-paced user also waits at its [`ScaleGate`].

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::arrival_pool::{ArrivalPool, Departure, IdleSlot};
use super::context::WorkerContext;
use super::scale::WakeReason;
use super::shared::RunShared;
use crate::pace::RateLimiter;
use crate::plan::Scenario;
use crate::user::Session;

/// The source of one user's iterations.
pub(super) enum IterationSource {
    /// The user begins one when it is done with the last one.
    SelfPaced(SelfPaced),
    /// Iterations arrive.
    Arrivals(Rc<ArrivalPool>, Rc<IdleSlot>),
}

/// The iterations of a self-paced user.
pub(super) struct SelfPaced {
    /// The most iterations of the user, if there is a limit.
    pub max_iterations: Option<u64>,
    /// The pool that its iterations come from, if it shares them with other users.
    pub pool: Option<IterationPool>,
    /// Spaces out the starts of iterations.
    pub pace: Cell<Option<RateLimiter>>,
    /// Holds the user back while the load is scaled down.
    pub gate: Option<ScaleGate>,
}

/// Iterations that the users of a scenario share, on all workers.
pub(super) struct IterationPool {
    /// Holds the count.
    pub run_shared: Arc<RunShared>,
    /// The scenario's index in the run.
    pub scenario: usize,
}

/// Lets a user begin iterations while its number is below the number of users wanted now.
pub(super) struct ScaleGate {
    /// Holds the scales.
    pub run_shared: Arc<RunShared>,
    /// The scenario's index in the run.
    pub scenario_index: usize,
    /// The scenario itself.
    pub scenario: Rc<Scenario>,
    /// The user's number within it.
    pub number: u32,
    /// Counts active users; one that waits here is not active.
    pub context: Rc<WorkerContext>,
}

impl IterationSource {
    /// Notes that the user is gone.
    pub(super) fn leave(&self, session: &Session) {
        let Self::Arrivals(pool, _) = self else { return };
        pool.leave(match session.user_shortage() {
            None => Departure::WithData,
            Some(shortage) if session.shared.is_short_for_all(shortage) => Departure::NoDataForAnyone,
            Some(_) => Departure::NoDataForUser,
        });
    }

    /// Waits until the user may begin an iteration; `false` if it never will.
    pub(super) async fn next(&self, session: &Session) -> bool {
        match self {
            Self::SelfPaced(self_paced) => self_paced.next(session).await,
            Self::Arrivals(pool, slot) => match pool.next(slot, &session.shared).await {
                Some(promise) => {
                    session.promised.set(Some(promise));
                    true
                }
                None => false,
            },
        }
    }
}

impl SelfPaced {
    async fn next(&self, session: &Session) -> bool {
        if self.max_iterations.is_some_and(|max| session.iteration.get() >= max) {
            return false;
        }
        if let Some(mut pace) = self.pace.get() {
            let due = pace.reserve(session.shared.clock.now());
            self.pace.set(Some(pace));
            if !session.pause_until(due).await {
                return false;
            }
        }
        if let Some(gate) = &self.gate
            && !gate.wait(session, self.pool.as_ref()).await
        {
            return false;
        }
        let now = session.shared.clock.now();
        if !session.may_start_at(now) || now >= session.window.get().iterations_until {
            return false;
        }
        self.pool.as_ref().is_none_or(IterationPool::take)
    }
}

impl IterationPool {
    /// Takes one iteration; `false` if none is left. Users at their gates are woken when the last one is taken, since
    /// they would wait for nothing.
    pub(super) fn take(&self) -> bool {
        let left = &self.run_shared.iterations_left[self.scenario];
        let before = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if before == Ok(1) {
            self.run_shared.scales.notify();
        }
        before.is_ok()
    }

    /// Returns true if no iteration is left.
    pub(super) fn is_empty(&self) -> bool {
        self.run_shared.iterations_left[self.scenario].load(Ordering::Relaxed) == 0
    }
}

impl ScaleGate {
    /// Waits while the user is not wanted; `false` if the run, the user's window or the pool ends first.
    async fn wait(&self, session: &Session, pool: Option<&IterationPool>) -> bool {
        let (scales, workload) = (&self.run_shared.scales, &self.scenario.workload);
        let mut has_waited = false;
        let passed = loop {
            let (seen_generation, now, end) =
                (scales.generation(), session.shared.clock.now(), session.window.get().iterations_until);
            if pool.is_some_and(IterationPool::is_empty) || now >= end {
                break false;
            }
            let wanted = workload.next_active(self.number, scales.get(self.scenario_index), now);
            if wanted.is_some_and(|from| from <= now) {
                break true;
            }
            if !std::mem::replace(&mut has_waited, true) {
                self.context.active_users.set(self.context.active_users.get() - 1);
            }
            let until = wanted.unwrap_or(end).min(end);
            if scales.wait(&session.shared, until, seen_generation).await == WakeReason::Ending {
                break false;
            }
        };
        if has_waited {
            self.context.active_users.set(self.context.active_users.get() + 1);
            // Many users resume at once, so their rate-limit slots are staggered again.
            if let Some(rps) = workload.rps {
                let now = session.shared.clock.now();
                let limiter = RateLimiter::new(rps, now, self.number, workload.users());
                session.limiter.set(session.limiter.get().map(|last| limiter.not_before(last)).or(Some(limiter)));
            }
        }
        passed
    }
}
