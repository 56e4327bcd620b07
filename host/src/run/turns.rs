//! Whose turn it is to begin an iteration. A user asks before each one, and waits until it may or never will.
//!
//! | model | it may begin an iteration |
//! |---|---|
//! | constant, ramping | as soon as the last one is over and the pace allows it, while its hours last |
//! | shared | likewise, while there are any left in the pool |
//! | arrivals | when one is handed to it, see [`Pool`] |

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::pace::Limiter;
use crate::plugin::session::Session;

use super::arrivals::{Place, Pool};
use super::common::Common;

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
        let now = session.shared.clock.now();
        if !session.may_start_at(now) || now >= session.hours.get().iterations {
            return false;
        }
        let take =
            |left: &AtomicU64| left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        self.shares.as_ref().is_none_or(|(common, scenario)| take(&common.left[*scenario]).is_ok())
    }
}
