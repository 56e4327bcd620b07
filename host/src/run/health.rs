//! How a worker itself is doing. A worker that is late lies about everyone's latency, so each measures its own CPU
//! time, how late its loop comes round, and the time spent inside guests; the report's verdict on the generator stands
//! on these.

use std::cell::Cell;
use std::rc::Rc;

use cpu_time::ThreadTime;
use stampede_time::{Nanos, nanos};

use super::deadline_sweep::PERIOD;
use crate::metrics::interval::Health as Record;
use crate::plugin::instance::worker_plugin::{Family, Usage};

/// Measures the thread it was made on.
pub struct Health {
    since: Nanos,
    cpu: ThreadTime,
    looked: Nanos,
    loop_lag_max: Nanos,
}

impl Health {
    /// Starts measuring.
    pub fn start(now: Nanos) -> Self {
        Self { since: now, cpu: ThreadTime::now(), looked: now, loop_lag_max: 0 }
    }

    /// The worker's loop has come round. It should do so once a [`PERIOD`].
    pub fn looked(&mut self, now: Nanos) {
        self.loop_lag_max = self.loop_lag_max.max((now - self.looked).saturating_sub(PERIOD));
        self.looked = now;
    }

    /// The record since the last one.
    pub fn take(&mut self, now: Nanos, plugins: &[Rc<Family>]) -> Record {
        let taken = |counter: fn(&Usage) -> &Cell<u64>| {
            plugins.iter().map(|plugin| counter(&plugin.usage).take()).collect::<Vec<_>>()
        };
        let record = Record {
            cpu: nanos(self.cpu.elapsed()),
            wall: now - self.since,
            loop_lag_max: std::mem::take(&mut self.loop_lag_max),
            guest: taken(|usage| &usage.timed),
            guest_calls: taken(|usage| &usage.calls),
            guest_traps: taken(|usage| &usage.traps),
            guest_collateral: taken(|usage| &usage.collateral),
        };
        self.since = now;
        self.cpu = ThreadTime::now();
        record
    }
}
