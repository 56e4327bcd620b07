//! The one place that reads time. Everyone else is told: a sample, a pacer or a report that asked for the time itself
//! could not be tested exactly, nor trusted to agree with its neighbours. `clippy.toml` bans the other ways.
//!
//! The clock is tokio's, so whoever pauses tokio's time has a virtual clock everywhere: our own tests, and `plugin test`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Nanoseconds since the run began. Monotonic; 2^64 ns are 584 years.
pub type Nanos = u64;

/// Measures from the moment the run began. Cheap to copy; every worker has its own copy of the same origin.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
    /// Wall-clock time at the origin, since the Unix epoch.
    epoch: Duration,
    is_virtual: bool,
}

impl Clock {
    /// Starts now.
    #[allow(clippy::disallowed_methods, reason = "this is the one place that reads time")]
    pub fn start() -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { origin: Instant::now(), epoch, is_virtual: false }
    }

    /// Starts now on a runtime whose time is paused: it passes when everybody waits, and then at once. The wall clock
    /// stands at the Unix epoch, so that every run is the same.
    pub fn start_virtual() -> Self {
        Self { epoch: Duration::ZERO, is_virtual: true, ..Self::start() }
    }

    /// Whether time passes only when everybody waits.
    pub const fn is_virtual(&self) -> bool {
        self.is_virtual
    }

    /// Nanoseconds since the origin.
    #[allow(clippy::disallowed_methods, reason = "this is the one place that reads time")]
    pub fn now(&self) -> Nanos {
        nanos(Instant::now().saturating_duration_since(self.origin))
    }

    /// The tokio instant of a time of this clock, for timers.
    pub fn instant(&self, at: Nanos) -> Instant {
        self.origin + Duration::from_nanos(at)
    }

    /// Wall-clock time since the Unix epoch at a time of this clock. Steps of the system's clock during the run do not
    /// show, so that times within a run stay in order.
    pub fn wall(&self, at: Nanos) -> Duration {
        self.epoch + Duration::from_nanos(at)
    }
}

/// A duration in nanoseconds, at most 584 years.
pub fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
