//! The health of a worker itself. A worker that is late adds to all latencies that it measures, so each worker measures
//! its own CPU time, the delay of its loop, and the time spent inside guests; the report's verdict on the generator
//! rests on these.

use std::cell::Cell;
use std::rc::Rc;

use cpu_time::ThreadTime;
use stampede_time::{Nanos, nanos};

use super::deadline_sweep::SWEEP_PERIOD;
use crate::metrics::interval::IntervalHealth;
use crate::plugin::instance::worker_plugin::{PluginUsage, WorkerPlugin};

/// Measures the thread that it was created on.
pub(super) struct HealthMonitor {
    since: Nanos,
    cpu: ThreadTime,
    last_turn: Nanos,
    loop_lag_max: Nanos,
}

impl HealthMonitor {
    /// Starts measuring.
    pub(super) fn start(now: Nanos) -> Self {
        Self { since: now, cpu: ThreadTime::now(), last_turn: now, loop_lag_max: 0 }
    }

    /// Notes a turn of the worker's loop, of which there should be one in each [`SWEEP_PERIOD`].
    pub(super) fn loop_turned(&mut self, now: Nanos) {
        self.loop_lag_max = self.loop_lag_max.max((now - self.last_turn).saturating_sub(SWEEP_PERIOD));
        self.last_turn = now;
    }

    /// Returns the health since the last call.
    pub(super) fn take_interval(&mut self, now: Nanos, plugins: &[Rc<WorkerPlugin>]) -> IntervalHealth {
        let taken = |counter: fn(&PluginUsage) -> &Cell<u64>| {
            plugins.iter().map(|plugin| counter(&plugin.usage).take()).collect::<Vec<_>>()
        };
        let health = IntervalHealth {
            cpu: nanos(self.cpu.elapsed()),
            wall: now - self.since,
            loop_lag_max: std::mem::take(&mut self.loop_lag_max),
            guest: taken(|usage| &usage.guest_time),
            guest_calls: taken(|usage| &usage.calls),
            guest_traps: taken(|usage| &usage.traps),
            guest_collateral: taken(|usage| &usage.collateral),
        };
        self.since = now;
        self.cpu = ThreadTime::now();
        health
    }
}
