//! The state that all workers of a run share: the phase, the scales of the load, and the iterations that are left in
//! shared pools. None of it is touched for a request.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use stampede_time::SharedPhase;

use super::scale::Scales;
use crate::plan::Scenario;
use crate::segment::{Deal, Stride};

/// The state that the workers of a run share.
#[derive(Debug, Default)]
pub struct RunShared {
    /// The phase of the run.
    pub phase: SharedPhase,
    /// The multiples of the plan's load, by scenario.
    pub scales: Scales,
    /// Iterations left in the pool of each scenario that has one.
    pub iterations_left: Vec<AtomicU64>,
    warned_of_drops: AtomicBool,
}

impl RunShared {
    /// Creates the state of these scenarios before they begin, of which this process has the users in `own`.
    pub fn new(scenarios: &[Scenario], own: Stride) -> Self {
        let left = scenarios.iter().map(|scenario| {
            let deal = Deal::new(scenario.workload.users(), own.counted_from(scenario.first_user));
            AtomicU64::new(deal.count_below(scenario.workload.rule().shared_iterations()))
        });
        Self { iterations_left: left.collect(), scales: Scales::new(scenarios.len()), ..Self::default() }
    }

    /// Warns, once in a run, that iterations are dropped, and names the remedies.
    pub fn warn_of_drops(&self, scenario: Option<&str>, max_users: u32) {
        if self.warned_of_drops.swap(true, Ordering::Relaxed) {
            return;
        }
        let of = scenario.map(|name| format!(" of scenario `{name}`")).unwrap_or_default();
        tracing::warn!(
            "iterations{of} are dropped: all of its {max_users} users are busy when they are due; \
             raise `max_users`, or allow a `max_wait`, unless the target is what is slow"
        );
    }
}
