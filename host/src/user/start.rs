//! When a user may do something: the start of a request, the time that an iteration was promised, and the window of a user.

use stampede_time::Nanos;

/// When a request starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestStart {
    /// Then.
    pub at: Nanos,
    /// How long after it should have. What was promised no time is never late.
    pub late: Nanos,
}

/// The time that an iteration was promised to begin at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PromisedStart {
    /// When it should begin.
    pub intended: Nanos,
    /// When it could: later if it had to wait for a user. From then on it is the generator that is late.
    pub due: Nanos,
}

/// From when and until when a user may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveWindow {
    /// Nothing is begun before this time.
    pub begin: Nanos,
    /// Iterations are not begun at or after this time.
    pub iterations_until: Nanos,
    /// Nor requests.
    pub requests_until: Nanos,
    /// What is in flight then is cut off.
    pub cut_off: Nanos,
}

impl ActiveWindow {
    /// From then on without an end.
    pub const fn from(begin: Nanos) -> Self {
        Self { begin, iterations_until: Nanos::MAX, requests_until: Nanos::MAX, cut_off: Nanos::MAX }
    }
}
