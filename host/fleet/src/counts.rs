//! The view that the protocol has of the numbers it carries. It adds them up and compares them, and never looks
//! inside.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// The counts of some seconds of one node, or a sum of such counts.
///
/// A value without counts gives the shape: the coordinator and the nodes are given one, and clone it.
pub trait Counts: Clone {
    /// Adds other counts. The order must not matter, and counters must be wide enough for a whole run of one node.
    fn add(&mut self, other: &Self);

    /// Appends the counts to a body, from which [`read`](Self::read) makes the same counts.
    fn write(&self, out: &mut Vec<u8>);

    /// Reads counts of the shape of `self` from bytes that may be anything. Memory must be bounded by the shape and the
    /// number of bytes.
    ///
    /// # Errors
    /// The bytes are not counts, or those of another shape.
    fn read(&self, bytes: &[u8]) -> Result<Self, CountsError>;

    /// Returns `true` if nothing is counted.
    fn is_empty(&self) -> bool;

    /// Returns the promised starts among the counts.
    fn starts(&self) -> PromisedStarts;

    /// Compares the cumulative counts of a node with `sum`, the sum of its frames, counter by counter and bin by bin.
    /// Returns the first difference in words, `None` if they are equal.
    fn difference(&self, sum: &Self) -> Option<String>;
}

/// The starts that a schedule of an open model promised and that were due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromisedStarts {
    /// The number of iterations that were begun.
    pub fired: u64,
    /// The number of those that were dropped, since no user was free.
    pub dropped: u64,
}

impl PromisedStarts {
    /// Returns the number of starts that were due.
    pub const fn due(self) -> u64 {
        self.fired.saturating_add(self.dropped)
    }

    /// Adds other starts.
    pub const fn add(&mut self, other: Self) {
        self.fired = self.fired.saturating_add(other.fired);
        self.dropped = self.dropped.saturating_add(other.dropped);
    }
}

/// The reason why bytes are not counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountsError(pub String);

impl fmt::Display for CountsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CountsError {}

/// A change of the load that an operator asked for. Each replaces the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steering {
    /// Its number; the first is 1.
    pub number: u32,
    /// The instant from which it holds, from the start of the load.
    pub at: Time,
    /// The factor by which the load is multiplied, in thousandths.
    pub scale_permille: u32,
    /// `true` if nothing begins.
    pub is_paused: bool,
}

/// The number of starts that the plan promises, as a pure function of the plan.
pub trait FleetSchedule {
    /// Returns the number of starts that are due in a segment from `from` until just before `to`, both from the start
    /// of the load; 0 for models that promise no times. `steering` holds all changes of the load, in order.
    fn due(&self, segment: u32, from: Time, to: Time, steering: &[Steering]) -> u64;
}
