//! The handle of a running task. Functions that need a current user, and would end the instance without one, take a
//! [`Task`], so that code without one does not compile.

use std::time::Duration;

use crate::bindings::timer;
use crate::operation::Operation;
use crate::{Sleep, User};

/// One run of one step by one virtual user. Only the SDK creates one, for [`Action::run`](crate::Action::run).
#[derive(Debug)]
pub struct Task(());

/// The only value: the host knows the current task. Futures that borrow it cannot leave the task's own future.
pub(crate) const TASK: &Task = &Task(());

impl Task {
    /// Returns the user on whose behalf the task runs.
    pub fn user(&self) -> User<'_> {
        User::new(self)
    }

    /// Waits at least that long; no more than a millisecond longer while the host keeps up. The wait begins with this
    /// call, and no request's latency includes it.
    pub fn sleep(&self, duration: Duration) -> Sleep<'_> {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Sleep(Operation::new(self, timer::sleep(nanoseconds)))
    }

    /// Returns the time since the run began: monotonic, from the clock that also times the samples. It only measures
    /// durations. The time of day is that of the standard library's `SystemTime`, which reads the run's clock in a
    /// component, to a millisecond; a template renders it, too.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(timer::now())
    }
}
