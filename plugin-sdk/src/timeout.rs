//! A time limit for a part of a task. The step's own `timeout`, which the host enforces, ends the whole task instead.

use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use crate::{Failure, FailureKind, Task};

/// The error of a future that exceeded its time limit; from [`Task::timeout`]. `?` turns it into a failure of kind
/// [`FailureKind::Timeout`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut {
    /// The limit.
    pub limit: Duration,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected a result within {:?}, got none", self.limit)
    }
}

impl Error for TimedOut {}

impl From<TimedOut> for Failure {
    fn from(timed_out: TimedOut) -> Self {
        Self::new(FailureKind::Timeout, timed_out.to_string())
    }
}

impl Task {
    /// Waits for a future, but no longer than `limit`, which begins with this call. A future that takes longer is
    /// dropped, which gives up its operations. One that is ready at the very moment the limit ends is in time.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use stampede_plugin::{Outcome, Task, http::Request};
    /// async fn run(request: Request, task: &Task) -> Outcome {
    ///     // The first `?` is about the time, the second about the exchange.
    ///     let reply = task.timeout(Duration::from_millis(500), request.send(task)).await??;
    /// #   let _ = reply.status;
    ///     Ok(())
    /// }
    /// ```
    pub fn timeout<F: Future>(&self, limit: Duration, future: F) -> impl Future<Output = Result<F::Output, TimedOut>> {
        let mut sleep = self.sleep(limit);
        async move {
            let mut future = pin!(future);
            let race = poll_fn(|context| match future.as_mut().poll(context) {
                Poll::Ready(output) => Poll::Ready(Ok(output)),
                Poll::Pending => Pin::new(&mut sleep).poll(context).map(|()| Err(TimedOut { limit })),
            });
            race.await
        }
    }
}
