//! The only file that reads time. All other code is given the time: a sample, a pacer or a report that read it itself
//! could not be tested exactly, nor would it agree with the others. `clippy.toml` bans other ways of reading it.
//!
//! The clock is tokio's, so pausing tokio's time gives a virtual clock everywhere: in the tests, and in `plugin test`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Nanoseconds since the run began. Monotonic; 2^64 ns are 584 years.
pub type Nanos = u64;

/// One second in [`Nanos`].
pub const SECOND: Nanos = 1_000_000_000;

/// A clock that measures from the start of the run. Cheap to copy; every worker has a copy with the same origin.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
    /// Wall-clock time at the origin, since the Unix epoch.
    epoch: Duration,
    is_virtual: bool,
}

impl Clock {
    /// Starts a clock whose origin is now.
    #[allow(clippy::disallowed_methods, reason = "this is the one place that reads time")]
    pub fn start() -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { origin: Instant::now(), epoch, is_virtual: false }
    }

    /// Starts a virtual clock on a runtime whose time is paused: time passes only when all tasks wait, and then at
    /// once. The wall clock starts at the Unix epoch, so that every run is the same.
    pub fn start_virtual() -> Self {
        Self { epoch: Duration::ZERO, is_virtual: true, ..Self::start() }
    }

    /// Returns a clock whose origin is a time of this one, for a start that was agreed on with others.
    pub fn starting_at(&self, at: Nanos) -> Self {
        Self { origin: self.instant(at), epoch: self.wall(at), is_virtual: self.is_virtual }
    }

    /// Returns a clock whose origin is earlier by this much, for a start that this process was not there for. It is as
    /// early as the system can tell.
    pub fn started_before(&self, earlier: Nanos) -> Self {
        let earlier = Duration::from_nanos(earlier);
        let origin = self.origin.checked_sub(earlier).unwrap_or(self.origin);
        Self { origin, epoch: self.epoch.saturating_sub(earlier), is_virtual: self.is_virtual }
    }

    /// Returns `true` if time passes only when all tasks wait.
    pub const fn is_virtual(&self) -> bool {
        self.is_virtual
    }

    /// Returns the nanoseconds since the origin.
    #[allow(clippy::disallowed_methods, reason = "this is the one place that reads time")]
    #[inline]
    pub fn now(&self) -> Nanos {
        nanos(Instant::now().saturating_duration_since(self.origin))
    }

    /// Converts a time of this clock to a tokio instant, for timers.
    pub fn instant(&self, at: Nanos) -> Instant {
        self.origin + Duration::from_nanos(at)
    }

    /// Converts a time of this clock to wall-clock time since the Unix epoch. Steps of the system's clock during the
    /// run have no effect, so that times within a run stay in order.
    pub fn wall(&self, at: Nanos) -> Duration {
        self.epoch + Duration::from_nanos(at)
    }
}

/// Converts a duration to nanoseconds, at most 584 years.
#[inline]
pub fn nanos(duration: Duration) -> Nanos {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(duration.subsec_nanos()))
}
