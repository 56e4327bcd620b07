//! The budget of a guest's call, in processor time, not wall-clock time. On a busy machine a worker may be suspended
//! for longer than any call should take, and a guest that was not even running must not be ended for that.
//!
//! Reading the processor time costs more than most calls, so a call begins with an epoch deadline only. Once that has
//! passed, the processor time is read with every tick, and the call ends when it has used its budget since then. So a
//! guest that computes forever runs at least for its budget, and at most for twice that.

use std::time::Duration;

use cpu_time::ThreadTime;
use wasmtime::UpdateDeadline;

use super::engine::EPOCH_TICK;

/// The budget of the call under way.
#[derive(Default)]
pub struct CallBudget {
    limit: Duration,
    /// Time since the deadline has passed; `None` before.
    overdue: Option<ThreadTime>,
}

impl CallBudget {
    /// Creates the budget of a call that begins.
    pub const fn new(whole: Duration) -> Self {
        Self { limit: whole, overdue: None }
    }

    /// Decides whether a call whose deadline has passed continues.
    pub fn check(&mut self) -> UpdateDeadline {
        let since = *self.overdue.get_or_insert_with(ThreadTime::now);
        if since.elapsed() < self.limit { UpdateDeadline::Continue(1) } else { UpdateDeadline::Interrupt }
    }
}

/// Runs `work`. Returns its result and the processor time that this thread used for it.
pub(crate) fn measure_cpu<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = ThreadTime::now();
    (work(), began.elapsed())
}

/// Converts a time to epoch ticks, rounded up, plus one for the tick under way.
pub(crate) const fn ticks(time: Duration) -> u64 {
    (time.as_millis().div_ceil(EPOCH_TICK.as_millis()) + 1) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_was_suspended_continues_and_one_that_computes_ends() {
        let mut lying = CallBudget { limit: Duration::from_secs(3600), overdue: None };
        assert!(matches!(lying.check(), UpdateDeadline::Continue(1)));
        assert!(matches!(lying.check(), UpdateDeadline::Continue(1)));
        let mut computing = CallBudget { limit: Duration::from_millis(5), overdue: None };
        assert!(matches!(computing.check(), UpdateDeadline::Continue(1)));
        while matches!(computing.check(), UpdateDeadline::Continue(1)) {}
    }

    #[test]
    fn ticks_are_rounded_up() {
        assert_eq!([0, 1, 10, 11, 100].map(|ms| ticks(Duration::from_millis(ms))), [1, 2, 2, 3, 11]);
    }
}
