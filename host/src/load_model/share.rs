//! A scenario's share of the script's load.

/// The share of one scenario, from a sum of weights to another, both in `0.0..=1.0`. The shares of all scenarios meet,
/// so that whole numbers add up to the whole load however they are rounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightShare {
    /// The weights of the scenarios before it, as a share of all.
    pub before: f64,
    /// That share with its own weight included.
    pub after: f64,
}

impl WeightShare {
    /// Returns the share as a factor, for a number that can be divided freely.
    pub fn factor(self) -> f64 {
        self.after - self.before
    }

    /// Returns the share of a whole number, which may be 0.
    pub fn of(self, all: u64) -> u64 {
        (all as f64 * self.after).round() as u64 - (all as f64 * self.before).round() as u64
    }

    /// Returns the share of a number of users; `None` if it gets no user.
    pub fn of_users(self, all: u32) -> Option<u32> {
        u32::try_from(self.of(all.into())).ok().filter(|users| *users > 0)
    }
}
