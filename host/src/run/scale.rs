//! The scale of each scenario's load, a factor that may change during the run: 1 at first, 0 while the load is paused,
//! at most [`MAX_SCALE`].
//!
//! | rule | the scale multiplies |
//! |---|---|
//! | arrivals | the rate, see [`Arrivals`](crate::pace::Arrivals); nothing is due during a pause |
//! | self-paced | the users that may begin an iteration: user `n` may while `n < scale × users wanted` |
//!
//! A user that may not begin an iteration first finishes the one that is under way, then waits: no request is cut off.
//! A scale is read when an iteration is about to begin, never for a request. A change takes effect [`CHANGE_DELAY`]
//! after it was made, so that every worker knows it by then and arrivals stay the same for any number of workers.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use stampede_time::{Nanos, RunPhase};

use super::deadline_sweep::SWEEP_PERIOD;
use crate::user::WorkerShared;

/// The largest scale.
pub(crate) const MAX_SCALE: f64 = 10.0;

/// The time from a change until it takes effect. Every worker that is not late sweeps at least once in this time.
pub(crate) const CHANGE_DELAY: Nanos = 2 * SWEEP_PERIOD;

/// The scales of all scenarios. The main thread sets them and the workers read them.
#[derive(Debug, Default)]
pub struct Scales {
    /// The scales by scenario, each as the bits of an `f64`.
    current: Vec<AtomicU64>,
    /// All changes, for arrivals.
    changes: Mutex<Vec<ScaleChange>>,
    /// Counts the events that wake waiting users.
    generation: AtomicUsize,
    /// `true` if scales may change during the run.
    changeable: AtomicBool,
}

/// A change of one scenario's scale.
#[derive(Clone, Copy, Debug, PartialEq)]
struct ScaleChange {
    at: Nanos,
    scenario: usize,
    scale: f64,
}

/// The reason why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WakeReason {
    /// The time has come.
    Due,
    /// The generation has changed.
    Changed,
    /// The run is ending.
    Ending,
}

impl Scales {
    /// Returns the scales of a number of scenarios, all 1.
    pub fn new(scenarios: usize) -> Self {
        let one = || AtomicU64::new(1_f64.to_bits());
        Self { current: std::iter::repeat_with(one).take(scenarios).collect(), ..Self::default() }
    }

    /// Allows changes: from now on, users that have nothing to do wait for a change.
    pub fn allow_changes(&self) {
        self.changeable.store(true, Ordering::Relaxed);
    }

    /// Returns true if scales may change during the run.
    pub fn may_change(&self) -> bool {
        self.changeable.load(Ordering::Relaxed)
    }

    /// Returns the scale of a scenario.
    pub fn get(&self, scenario: usize) -> f64 {
        self.current.get(scenario).map_or(1.0, |bits| f64::from_bits(bits.load(Ordering::Relaxed)))
    }

    /// Sets the scale of a scenario from `at` on.
    pub fn set(&self, scenario: usize, scale: f64, at: Nanos) {
        let Some(now) = self.current.get(scenario) else { return };
        now.store(scale.to_bits(), Ordering::Relaxed);
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push(ScaleChange { at, scenario, scale });
        self.notify();
    }

    /// Lets nothing arrive from `at` on. Users that pace themselves go on. Returns `false`: the run goes on, too.
    pub fn end_arrivals(&self, at: Nanos) -> bool {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.extend((0..self.current.len()).map(|scenario| ScaleChange { at, scenario, scale: 0.0 }));
        drop(changes);
        self.notify();
        false
    }

    /// Wakes waiting users, so that they check their condition again.
    pub fn notify(&self) {
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Returns the current generation, which changes with every event.
    pub fn generation(&self) -> usize {
        self.generation.load(Ordering::Acquire)
    }

    /// Calls `on_change` for the changes of a scenario after the first `seen` of all changes, in order. Returns how
    /// many changes there are now.
    pub fn changes_since(&self, seen: usize, scenario: usize, mut on_change: impl FnMut(Nanos, f64)) -> usize {
        let changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let new = changes.get(seen..).unwrap_or_default();
        new.iter().filter(|change| change.scenario == scenario).for_each(|change| on_change(change.at, change.scale));
        changes.len()
    }

    /// Waits until a time, or until the generation is no longer `seen_generation`. [`Nanos::MAX`] is never reached.
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
    fn changes_are_reported_in_order_for_their_scenario() {
        let scales = Scales::new(2);
        assert_eq!((scales.get(0), scales.get(1), scales.generation()), (1.0, 1.0, 0));
        scales.set(1, 0.5, 10);
        scales.set(0, 2.0, 20);
        scales.set(1, 0.0, 30);
        scales.set(7, 9.0, 40);
        let mut reported = Vec::new();
        let known = scales.changes_since(0, 1, |at, scale| reported.push((at, scale)));
        assert_eq!((reported.as_slice(), known, scales.generation()), (&[(10, 0.5), (30, 0.0)][..], 3, 3));
        assert_eq!(scales.changes_since(known, 1, |_, _| panic!("a change is reported once")), 3);
        assert_eq!((scales.get(0), scales.get(1)), (2.0, 0.0));
    }
}
