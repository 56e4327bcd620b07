//! The time a guest's call may take: of the processor's time, not of the clock's. On a busy machine a worker may lie
//! still for longer than any call should take, and a guest that was not even running must not be ended for that.
//!
//! Reading the processor's time costs more than most calls, so a call begins with nothing but an epoch deadline. Only
//! when that passes is the processor's time looked at, now and then with every tick; the call ends once it has used the
//! budget up from there. So a guest that computes for ever runs for its budget at least, and twice that at most.

use std::time::Duration;

use cpu_time::ThreadTime;
use wasmtime::UpdateDeadline;

use super::engine::EPOCH_TICK;

/// What the call under way may still use.
#[derive(Default)]
pub struct CallBudget {
    limit: Duration,
    /// Since the deadline has passed; `None` before.
    overdue: Option<ThreadTime>,
}

impl CallBudget {
    /// Creates the budget of a call that begins.
    pub const fn new(whole: Duration) -> Self {
        Self { limit: whole, overdue: None }
    }

    /// Whether a call whose deadline has passed goes on.
    pub fn check(&mut self) -> UpdateDeadline {
        let since = *self.overdue.get_or_insert_with(ThreadTime::now);
        if since.elapsed() < self.limit { UpdateDeadline::Continue(1) } else { UpdateDeadline::Interrupt }
    }
}

/// Does something, and says how much of the processor's time this thread took for it.
pub fn measure_cpu<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = ThreadTime::now();
    (work(), began.elapsed())
}

/// A time as epoch ticks, rounded up, with one more for the tick that is under way.
pub const fn ticks(time: Duration) -> u64 {
    (time.as_millis().div_ceil(EPOCH_TICK.as_millis()) + 1) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_lay_still_goes_on_and_one_that_computes_ends() {
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
