//! The length of a task that decides by itself how long it lasts, such as the session of a viewer.
//!
//! [`Action::configure`](crate::Action::configure) declares it; [`Task::ending`](crate::Task::ending) waits for the end
//! of the user's time:
//!
//! ```
//! # use std::time::Duration;
//! # use stampede_plugin::{ConfigError, Outcome, Task, lifetime, metric::Trend};
//! use stampede_plugin::future::{Either, select};
//!
//! struct Watch {
//!     duration: Duration,
//!     watched: Trend<Duration>,
//! }
//!
//! fn configure(duration: Duration) -> Result<Watch, ConfigError> {
//!     lifetime::lasts(duration);
//!     lifetime::connections(2);
//!     Ok(Watch { duration, watched: Trend::time("watched")? })
//! }
//!
//! async fn run(watch: &Watch, task: &Task) -> Outcome {
//!     let begin = task.now();
//!     // A viewer whose time ends early counts as well, with the time for which it has watched.
//!     match select(task.sleep(watch.duration), task.ending()).await {
//!         Either::Left(_) | Either::Right(_) => watch.watched.add(task, task.now() - begin),
//!     }
//!     Ok(())
//! }
//! ```

use std::time::Duration;

use crate::bindings::lifetime;

/// Declares that a task of the step lasts for up to this time by design. Unless the step has a `timeout` of its own, it
/// is this time and the timeout of other steps, 30 s by default; and the step's requests take no turn of the user's
/// rate limit. A script with `rps_total` is rejected. Only in [`Action::configure`](crate::Action::configure).
pub fn lasts(time: Duration) {
    lifetime::lasts(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
}

/// Declares how many exchanges a task of the step has under way at once to one host, so that the host knows before the
/// run how many connections it needs. Only in [`Action::configure`](crate::Action::configure).
pub fn connections(most: u16) {
    lifetime::connections(most);
}
