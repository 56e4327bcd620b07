//! The handle of a running task. Functions that need a current user, and would end the instance without one, take a
//! [`Task`], so that code without one does not compile.

use std::time::{Duration, SystemTime};

use crate::bindings::{lifetime, task, timer};
use crate::operation::Operation;
use crate::{Ending, Sleep, Turn, User};

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

    /// Waits for the user's turn under its rate limit: at once if there is no limit. The exchange or the first
    /// operation on sockets that the task begins next takes the turn, where it would otherwise have waited by itself.
    /// To measure a part of a task, or to limit its time, wait for the turn first:
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use stampede_plugin::{Failure, Task, metric::Trend, socket::Socket};
    /// async fn ping(socket: &Socket, round_trip: Trend<Duration>, task: &Task) -> Result<(), Failure> {
    ///     task.turn().await;
    ///     let sent = task.now();
    ///     socket.write(task, b"PING\r\n").await?;
    ///     socket.read(task, 64).await?;
    ///     round_trip.add(task, task.now() - sent);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// A task holds one turn at most. One that it does not use is lost when it ends.
    pub fn turn(&self) -> Turn<'_> {
        Turn(task::turn().map(|id| Operation::new(self, id)))
    }

    /// Waits until the user may begin nothing more: the load is over, its ramp-down has reached the user, or a person
    /// has ended the run. It comes before anything else that ends for the same reason. The task then counts what it has
    /// seen, leaves what is under way ([`Transfer::leave`](crate::http::Transfer::leave)) and returns: another wait, or
    /// a request that has not begun, would end it as unfinished. The module [`lifetime`](crate::lifetime) has an
    /// example.
    pub fn ending(&self) -> Ending<'_> {
        Ending(Operation::new(self, lifetime::ending()))
    }

    /// Returns the time of day, since 1970, to a millisecond. In a component it is the run's own, virtual in a
    /// rehearsal.
    #[allow(clippy::disallowed_methods, reason = "the host gives this clock to components")]
    pub fn time_of_day(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    /// Returns the time since the run began, less that in which the task could only wait for turns: some operation
    /// waited for one, and no exchange and no operation on a socket was under way. The difference of two values is the
    /// time of a part that takes several turns, such as a page with its images.
    pub fn active_time(&self) -> Duration {
        Duration::from_nanos(task::active_time())
    }

    /// Returns the time since the run began: monotonic, from the clock that also times the samples. It only measures
    /// durations, which include the waits for the user's turn in between; [`Task::turn`] and [`Task::active_time`]
    /// leave them out. [`Task::time_of_day`] tells the time of day, and a template renders it, too.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(timer::now())
    }
}
