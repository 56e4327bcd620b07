//! Whose turn it is to begin an iteration. A user asks before each one, and waits until it may or never will.
//!
//! | model | it may begin an iteration |
//! |---|---|
//! | constant, ramping | as soon as the last one is over and the pace allows it, while its hours last |
//! | shared | likewise, while there are any left in the pool |
//! | arrivals | when one is handed to it, see [`Pool`] |
//!
//! Where the load may be changed while it runs, a user of the first two also waits at its [`Gate`].

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::arrival_pool::{ArrivalPool, IdleSlot};
use super::context::WorkerContext;
use super::scale::WakeReason;
use super::shared::RunShared;
use crate::pace::RateLimiter;
use crate::plan::Scenario;
use crate::user::Session;

/// When one user begins its iterations.
pub enum IterationSource {
    /// When it is done with the last one.
    SelfPaced(SelfPaced),
    /// When one arrives.
    Arrivals(Rc<ArrivalPool>, Rc<IdleSlot>),
}

/// The turns of a user who goes at its own speed.
pub struct SelfPaced {
    /// The most iterations of the user, if there is a limit.
    pub max_iterations: Option<u64>,
    /// Where the iterations are counted that are left to it and others, if they share them.
    pub pool: Option<(Arc<RunShared>, usize)>,
    /// Keeps the beginnings of iterations apart.
    pub pace: Cell<Option<RateLimiter>>,
    /// Where it waits while the load has no use for it.
    pub gate: Option<ScaleGate>,
}

/// Lets a user begin iterations while its number is below the number of users wanted now.
pub struct ScaleGate {
    /// Where it is said what the load is multiplied by.
    pub run_shared: Arc<RunShared>,
    /// The scenario's number in the run.
    pub scenario_index: usize,
    /// The scenario itself.
    pub scenario: Rc<Scenario>,
    /// The user's number within it.
    pub number: u32,
    /// Where who waits does not count as active.
    pub context: Rc<WorkerContext>,
}

impl IterationSource {
    /// The data has ended for one user: where iterations arrive, for all.
    pub fn stop(&self) {
        if let Self::Arrivals(pool, _) = self {
            pool.stop();
        }
    }

    /// Waits until the user may begin an iteration; `false` if it never will.
    pub async fn next(&self, session: &Session) -> bool {
        match self {
            Self::SelfPaced(self_paced) => self_paced.next(session).await,
            Self::Arrivals(pool, place) => match pool.next(place, &session.shared).await {
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
        if self.max_iterations.is_some_and(|most| session.iteration.get() >= most) {
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
        let take =
            |left: &AtomicU64| left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        self.pool.as_ref().is_none_or(|(common, scenario)| {
            let left_before = take(&common.iterations_left[*scenario]);
            if left_before == Ok(1) {
                // Who waits at its gate waits in vain from now on.
                common.scales.notify();
            }
            left_before.is_ok()
        })
    }
}

impl ScaleGate {
    /// Waits while the user is not wanted; `false` if the run, its hours or the pool end first.
    async fn wait(&self, session: &Session, pool: Option<&(Arc<RunShared>, usize)>) -> bool {
        let (scales, workload) = (&self.run_shared.scales, &self.scenario.workload);
        let mut has_waited = false;
        let passed = loop {
            let (seen_generation, now, end) =
                (scales.generation(), session.shared.clock.now(), session.window.get().iterations_until);
            if pool.is_some_and(|(common, scenario)| common.iterations_left[*scenario].load(Ordering::Relaxed) == 0)
                || now >= end
            {
                break false;
            }
            let wanted = workload.next_active(self.number, scales.get(self.scenario_index), now);
            if wanted.is_some_and(|from| from <= now) {
                break true;
            }
            if !std::mem::replace(&mut has_waited, true) {
                self.context.active_users.set(self.context.active_users.get() - 1);
            }
            if scales.wait(&session.shared, wanted.unwrap_or(end).min(end), seen_generation).await == WakeReason::Ending
            {
                break false;
            }
        };
        if has_waited {
            self.context.active_users.set(self.context.active_users.get() + 1);
            // Who was held goes on beside many others: their turns are spread again.
            if let Some(rps) = workload.rps {
                let now = session.shared.clock.now();
                let limiter = RateLimiter::new(rps, now, self.number, workload.users());
                session.limiter.set(session.limiter.get().map(|last| limiter.not_before(last)).or(Some(limiter)));
            }
        }
        passed
    }
}
