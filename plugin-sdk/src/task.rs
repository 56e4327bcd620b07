//! What an action may do while it runs. Everything that needs a current user, and would end the instance without one,
//! asks for a [`Task`]; so it cannot be written where there is none.

use std::time::Duration;

use crate::bindings::timer;
use crate::operation::Operation;
use crate::{Sleep, User};

/// One run of one step by one virtual user. Only the SDK makes one, for [`Action::run`](crate::Action::run).
#[derive(Debug)]
pub struct Task(());

/// The only one: which task is current, the host knows. Futures that borrow it cannot leave the task's own future.
pub(crate) const TASK: &Task = &Task(());

impl Task {
    /// The user on whose behalf the task runs.
    pub fn user(&self) -> User<'_> {
        User::new(self)
    }

    /// Waits at least that long; no more than a millisecond longer while the host keeps up. The wait begins with this
    /// call and is in no request's latency.
    pub fn sleep(&self, duration: Duration) -> Sleep<'_> {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Sleep(Operation::new(self, timer::sleep(nanoseconds)))
    }

    /// Time since the run began: monotonic, and the clock that times the samples. Only for measuring; what the time of
    /// day is, a template says.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(timer::now())
    }
}
