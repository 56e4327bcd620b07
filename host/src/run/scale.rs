//! What the load of each scenario is multiplied by, which may change while the run goes on: 1 at first, 0 while it is
//! paused, [`MOST`] at most.
//!
//! | model | the scale multiplies |
//! |---|---|
//! | arrivals | the rate, see [`Arrivals`](crate::pace::Arrivals); what was due while paused was not promised |
//! | the others | the users who may begin an iteration: user `n` does while `n < scale × users wanted` |
//!
//! A user who may not begin waits, and ends first what is under way: no request is cut off. The numbers are read where an
//! iteration is about to begin, never for a request. A change takes effect a moment after it was made, so that every
//! worker knows of it by then and arrivals stay the same for any number of workers.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use stampede_time::{Nanos, Phase};

use super::deadline_sweep::PERIOD;
use crate::user::Shared;

/// The most that a load may be multiplied by.
pub const MOST: f64 = 10.0;

/// From when a change is made until it takes effect: every worker that is not late looks at least once in this time.
pub const NOTICE: Nanos = 2 * PERIOD;

/// The scales of all scenarios, as the main thread sets them and the workers read them.
#[derive(Debug, Default)]
pub struct Scales {
    /// By scenario; the bits of an `f64`.
    now: Vec<AtomicU64>,
    /// All changes, for arrivals.
    changes: Mutex<Vec<Change>>,
    /// How often there was something that who waits must know of.
    news: AtomicUsize,
    /// Whether anybody may change them.
    open: AtomicBool,
}

/// A change of one scenario's scale.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Change {
    at: Nanos,
    scenario: usize,
    scale: f64,
}

/// Why a wait is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The time has come.
    Due,
    /// There is news.
    News,
    /// The run is ending.
    Ending,
}

impl Scales {
    /// Of so many scenarios.
    pub fn new(scenarios: usize) -> Self {
        let one = || AtomicU64::new(1_f64.to_bits());
        Self { now: std::iter::repeat_with(one).take(scenarios).collect(), ..Self::default() }
    }

    /// From now on somebody may change them: who has nothing to do for now waits for that.
    pub fn open(&self) {
        self.open.store(true, Ordering::Relaxed);
    }

    /// Whether somebody may change them.
    pub fn may_change(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    /// What a scenario's load is multiplied by.
    pub fn of(&self, scenario: usize) -> f64 {
        self.now.get(scenario).map_or(1.0, |bits| f64::from_bits(bits.load(Ordering::Relaxed)))
    }

    /// Multiplies a scenario's load by another number from `at` on.
    pub fn set(&self, scenario: usize, scale: f64, at: Nanos) {
        let Some(now) = self.now.get(scenario) else { return };
        now.store(scale.to_bits(), Ordering::Relaxed);
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push(Change { at, scenario, scale });
        self.tell();
    }

    /// Who waits is to look again.
    pub fn tell(&self) {
        self.news.fetch_add(1, Ordering::Release);
    }

    /// How much news there was so far.
    pub fn news(&self) -> usize {
        self.news.load(Ordering::Acquire)
    }

    /// Calls back for the changes of a scenario past the first `known` of all, in their order; gives how many are known now.
    pub fn since(&self, known: usize, scenario: usize, mut each: impl FnMut(Nanos, f64)) -> usize {
        let changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let new = changes.get(known..).unwrap_or_default();
        new.iter().filter(|change| change.scenario == scenario).for_each(|change| each(change.at, change.scale));
        changes.len()
    }

    /// Waits until a time, or for more news than `heard`. [`Nanos::MAX`] never comes.
    pub async fn wait(&self, shared: &Shared, until: Nanos, heard: usize) -> Waited {
        let mut waiting = None;
        poll_fn(|cx| {
            let now = shared.clock.now();
            if shared.phase.get() != Phase::Running {
                return Poll::Ready(Waited::Ending);
            }
            if self.news() != heard {
                return Poll::Ready(Waited::News);
            }
            if until <= now {
                return Poll::Ready(Waited::Due);
            }
            if until != Nanos::MAX && waiting.is_none() {
                waiting = Some(shared.timers.add(until, now, cx.waker().clone()));
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_in_order_to_whom_they_concern() {
        let scales = Scales::new(2);
        assert_eq!((scales.of(0), scales.of(1), scales.news()), (1.0, 1.0, 0));
        scales.set(1, 0.5, 10);
        scales.set(0, 2.0, 20);
        scales.set(1, 0.0, 30);
        scales.set(7, 9.0, 40);
        let mut told = Vec::new();
        let known = scales.since(0, 1, |at, scale| told.push((at, scale)));
        assert_eq!((told.as_slice(), known, scales.news()), (&[(10, 0.5), (30, 0.0)][..], 3, 3));
        assert_eq!(scales.since(known, 1, |_, _| panic!("nothing is told twice")), 3);
        assert_eq!((scales.of(0), scales.of(1)), (2.0, 0.0));
    }
}
