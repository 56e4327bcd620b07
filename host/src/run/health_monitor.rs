//! The health of a worker itself. A worker that is late adds to all latencies that it measures, so each worker measures
//! its own CPU time, its waits for a CPU, the delay of its loop, and the time spent inside guests. The report's verdict
//! on the generator rests on these.

use std::cell::Cell;
use std::fs::File;
use std::io::{Read, Seek};
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
    cpu_wait: CpuWait,
    last_turn: Nanos,
    loop_lag_max: Nanos,
}

impl HealthMonitor {
    /// Starts measuring.
    pub(super) fn start(now: Nanos) -> Self {
        Self { since: now, cpu: ThreadTime::now(), cpu_wait: CpuWait::start(), last_turn: now, loop_lag_max: 0 }
    }

    /// Notes a turn of the worker's loop, of which there should be one in each [`SWEEP_PERIOD`].
    pub(super) fn loop_turned(&mut self, now: Nanos) {
        self.loop_lag_max = self.loop_lag_max.max((now - self.last_turn).saturating_sub(SWEEP_PERIOD));
        self.last_turn = now;
    }

    /// Returns the health since the last call, except for the open connections.
    pub(super) fn take_interval(&mut self, now: Nanos, plugins: &[Rc<WorkerPlugin>]) -> IntervalHealth {
        let taken = |counter: fn(&PluginUsage) -> &Cell<u64>| {
            plugins.iter().map(|plugin| counter(&plugin.usage).take()).collect::<Vec<_>>()
        };
        let health = IntervalHealth {
            cpu: nanos(self.cpu.elapsed()),
            wall: now - self.since,
            cpu_wait: self.cpu_wait.take(),
            loop_lag_max: std::mem::take(&mut self.loop_lag_max),
            connections: 0,
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

/// The time for which the calling thread was ready to run and waited for a CPU. Linux counts it in
/// `/proc/thread-self/schedstat`: `RUNNING WAITING TIMESLICES`, the times in nanoseconds
/// (`Documentation/scheduler/sched-stats.rst`). Other systems do not tell.
struct CpuWait {
    /// Open, since it is read every second; `None` if it does not exist.
    schedstat: Option<File>,
    last: Nanos,
}

impl CpuWait {
    fn start() -> Self {
        let mut wait = Self { schedstat: File::open("/proc/thread-self/schedstat").ok(), last: 0 };
        wait.take();
        wait
    }

    /// Returns the time since the last call.
    fn take(&mut self) -> Option<Nanos> {
        let file = self.schedstat.as_mut()?;
        let mut text = [0; 96];
        file.rewind().ok()?;
        let length = file.read(&mut text).ok()?;
        let now = waiting(std::str::from_utf8(&text[..length]).ok()?)?;
        Some(now.saturating_sub(std::mem::replace(&mut self.last, now)))
    }
}

/// Reads the waiting time from the text of a `schedstat`.
fn waiting(schedstat: &str) -> Option<Nanos> {
    schedstat.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_number_of_a_schedstat_is_the_waiting_time() {
        assert_eq!(waiting("421573896 163953087 79\n"), Some(163_953_087));
        for damaged in ["", "5", "5 x 7"] {
            assert_eq!(waiting(damaged), None, "{damaged}");
        }
    }
}
