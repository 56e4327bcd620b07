//! Start times: the start of a request, the turn that it takes, the start that an iteration was promised, and the
//! window in which a user is active.

use stampede_time::Nanos;

/// The start of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestStart {
    /// Time of the start.
    pub at: Nanos,
    /// Delay after the promised start; 0 if no start was promised.
    pub late: Nanos,
}

/// A turn under the user's rate limit that has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Time at which it came.
    pub at: Nanos,
    /// Time at which the request was to begin, if a start was promised.
    pub intended: Option<Nanos>,
}

impl Turn {
    /// Returns the start of a request that takes the turn at `now`.
    pub(super) fn start(self, now: Nanos) -> RequestStart {
        RequestStart { at: now, late: self.intended.map_or(0, |intended| now.saturating_sub(intended)) }
    }
}

/// The start that an iteration was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PromisedStart {
    /// Time at which it should begin.
    pub intended: Nanos,
    /// Earliest time at which it could begin: later than intended if it had to wait for a user. Any further delay is
    /// the generator's.
    pub due: Nanos,
}

/// The time during which a user may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveWindow {
    /// Nothing begins before this time.
    pub begin: Nanos,
    /// No iteration begins at or after this time.
    pub iterations_until: Nanos,
    /// No request begins at or after this time.
    pub requests_until: Nanos,
    /// Operations in flight at this time are cut off.
    pub cut_off: Nanos,
}

impl ActiveWindow {
    /// Returns a window from `begin` on, without an end.
    pub const fn from(begin: Nanos) -> Self {
        Self { begin, iterations_until: Nanos::MAX, requests_until: Nanos::MAX, cut_off: Nanos::MAX }
    }
}
