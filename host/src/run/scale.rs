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

use stampede_time::{Nanos, RunPhase};

use super::deadline_sweep::SWEEP_PERIOD;
use crate::user::WorkerShared;

/// The most that a load may be multiplied by.
pub const MAX_SCALE: f64 = 10.0;

/// From when a change is made until it takes effect: every worker that is not late looks at least once in this time.
pub const CHANGE_DELAY: Nanos = 2 * SWEEP_PERIOD;

/// The scales of all scenarios, as the main thread sets them and the workers read them.
#[derive(Debug, Default)]
pub struct Scales {
    /// By scenario; the bits of an `f64`.
    current: Vec<AtomicU64>,
    /// All changes, for arrivals.
    changes: Mutex<Vec<ScaleChange>>,
    /// How often there was something that who waits must know of.
    generation: AtomicUsize,
    /// Whether anybody may change them.
    changeable: AtomicBool,
}

/// A change of one scenario's scale.
#[derive(Clone, Copy, Debug, PartialEq)]
struct ScaleChange {
    at: Nanos,
    scenario: usize,
    scale: f64,
}

/// Why a wait is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WakeReason {
    /// The time has come.
    Due,
    /// There is news.
    Changed,
    /// The run is ending.
    Ending,
}

impl Scales {
    /// Of so many scenarios.
    pub fn new(scenarios: usize) -> Self {
        let one = || AtomicU64::new(1_f64.to_bits());
        Self { current: std::iter::repeat_with(one).take(scenarios).collect(), ..Self::default() }
    }

    /// From now on somebody may change them: who has nothing to do for now waits for that.
    pub fn allow_changes(&self) {
        self.changeable.store(true, Ordering::Relaxed);
    }

    /// Whether somebody may change them.
    pub fn may_change(&self) -> bool {
        self.changeable.load(Ordering::Relaxed)
    }

    /// What a scenario's load is multiplied by.
    pub fn get(&self, scenario: usize) -> f64 {
        self.current.get(scenario).map_or(1.0, |bits| f64::from_bits(bits.load(Ordering::Relaxed)))
    }

    /// Multiplies a scenario's load by another number from `at` on.
    pub fn set(&self, scenario: usize, scale: f64, at: Nanos) {
        let Some(now) = self.current.get(scenario) else { return };
        now.store(scale.to_bits(), Ordering::Relaxed);
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push(ScaleChange { at, scenario, scale });
        self.notify();
    }

    /// Who waits is to look again.
    pub fn notify(&self) {
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// How much news there was so far.
    pub fn generation(&self) -> usize {
        self.generation.load(Ordering::Acquire)
    }

    /// Calls back for the changes of a scenario past the first `known` of all, in their order; gives how many are known now.
    pub fn changes_since(&self, seen: usize, scenario: usize, mut on_change: impl FnMut(Nanos, f64)) -> usize {
        let changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let new = changes.get(seen..).unwrap_or_default();
        new.iter().filter(|change| change.scenario == scenario).for_each(|change| on_change(change.at, change.scale));
        changes.len()
    }

    /// Waits until a time, or for more news than `heard`. [`Nanos::MAX`] never comes.
    pub async fn wait(&self, shared: &WorkerShared, until: Nanos, seen_generation: usize) -> WakeReason {
        let mut timer = None;
        poll_fn(|cx| {
            let now = shared.clock.now();
            if shared.phase.get() != RunPhase::Running {
                return Poll::Ready(WakeReason::Ending);
            }
            if self.generation() != seen_generation {
                return Poll::Ready(WakeReason::Changed);
            }
            if until <= now {
                return Poll::Ready(WakeReason::Due);
            }
            if until != Nanos::MAX && timer.is_none() {
                timer = Some(shared.timers.add(until, now, cx.waker().clone()));
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
        assert_eq!((scales.get(0), scales.get(1), scales.generation()), (1.0, 1.0, 0));
        scales.set(1, 0.5, 10);
        scales.set(0, 2.0, 20);
        scales.set(1, 0.0, 30);
        scales.set(7, 9.0, 40);
        let mut told = Vec::new();
        let known = scales.changes_since(0, 1, |at, scale| told.push((at, scale)));
        assert_eq!((told.as_slice(), known, scales.generation()), (&[(10, 0.5), (30, 0.0)][..], 3, 3));
        assert_eq!(scales.changes_since(known, 1, |_, _| panic!("nothing is told twice")), 3);
        assert_eq!((scales.get(0), scales.get(1)), (2.0, 0.0));
    }
}
