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

use super::arrivals::{Place, Pool};
use super::context::Crew;
use super::scale::Waited;
use super::shared::Common;
use crate::pace::Limiter;
use crate::plan::Scenario;
use crate::user::Session;

/// When one user begins its iterations.
pub enum Turns {
    /// When it is done with the last one.
    Own(Own),
    /// When one arrives.
    Arrivals(Rc<Pool>, Rc<Place>),
}

/// The turns of a user who goes at its own speed.
pub struct Own {
    /// The most iterations of the user, if there is a limit.
    pub most: Option<u64>,
    /// Where the iterations are counted that are left to it and others, if they share them.
    pub shares: Option<(Arc<Common>, usize)>,
    /// Keeps the beginnings of iterations apart.
    pub pace: Cell<Option<Limiter>>,
    /// Where it waits while the load has no use for it.
    pub gate: Option<Gate>,
}

/// Lets a user begin iterations while its number is below the number of users wanted now.
pub struct Gate {
    /// Where it is said what the load is multiplied by.
    pub common: Arc<Common>,
    /// The scenario's number in the run.
    pub scenario: usize,
    /// The scenario itself.
    pub load: Rc<Scenario>,
    /// The user's number within it.
    pub number: u32,
    /// Where who waits does not count as active.
    pub crew: Rc<Crew>,
}

impl Turns {
    /// The data has ended for one user: where iterations arrive, for all.
    pub fn stop(&self) {
        if let Self::Arrivals(pool, _) = self {
            pool.stop();
        }
    }

    /// Waits until the user may begin an iteration; `false` if it never will.
    pub async fn next(&self, session: &Session) -> bool {
        match self {
            Self::Own(own) => own.next(session).await,
            Self::Arrivals(pool, place) => match pool.next(place, &session.shared).await {
                Some(promise) => {
                    session.promise.set(Some(promise));
                    true
                }
                None => false,
            },
        }
    }
}

impl Own {
    async fn next(&self, session: &Session) -> bool {
        if self.most.is_some_and(|most| session.iteration.get() >= most) {
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
            && !gate.pass(session, self.shares.as_ref()).await
        {
            return false;
        }
        let now = session.shared.clock.now();
        if !session.may_start_at(now) || now >= session.hours.get().iterations {
            return false;
        }
        let take =
            |left: &AtomicU64| left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        self.shares.as_ref().is_none_or(|(common, scenario)| {
            let taken = take(&common.left[*scenario]);
            if taken == Ok(1) {
                // Who waits at its gate waits in vain from now on.
                common.scales.tell();
            }
            taken.is_ok()
        })
    }
}

impl Gate {
    /// Waits while the user is not wanted; `false` if the run, its hours or the pool end first.
    async fn pass(&self, session: &Session, pool: Option<&(Arc<Common>, usize)>) -> bool {
        let (scales, workload) = (&self.common.scales, &self.load.workload);
        let mut held = false;
        let passed = loop {
            let (heard, now, end) = (scales.news(), session.shared.clock.now(), session.hours.get().iterations);
            if pool.is_some_and(|(common, scenario)| common.left[*scenario].load(Ordering::Relaxed) == 0) || now >= end
            {
                break false;
            }
            let wanted = workload.wanted(self.number, scales.of(self.scenario), now);
            if wanted.is_some_and(|from| from <= now) {
                break true;
            }
            if !std::mem::replace(&mut held, true) {
                self.crew.active.set(self.crew.active.get() - 1);
            }
            if scales.wait(&session.shared, wanted.unwrap_or(end).min(end), heard).await == Waited::Ending {
                break false;
            }
        };
        if held {
            self.crew.active.set(self.crew.active.get() + 1);
            // Who was held goes on beside many others: their turns are spread again.
            if let Some(rps) = workload.rps {
                let now = session.shared.clock.now();
                let anew = Limiter::new(rps, now, self.number, workload.users());
                session.limiter.set(session.limiter.get().map(|last| anew.no_earlier_than(last)).or(Some(anew)));
            }
        }
        passed
    }
}
