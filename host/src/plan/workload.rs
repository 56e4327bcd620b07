//! How many users, how fast, how long.

use std::time::Duration;

use crate::run::clock::{Nanos, nanos};

/// A constant number of users, each under its own cap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Workload {
    /// Virtual users, at least one.
    pub users: u32,
    /// The most requests per second of one user; `None` is no limit.
    pub rps: Option<f64>,
    /// How long users start requests; `None` is until their iterations are done.
    pub duration: Option<Duration>,
    /// Walks of the script per user; `None` is until the duration is over. Never `None` with no duration.
    pub iterations: Option<u64>,
    /// Over what time the users begin, evenly.
    pub ramp_up: Duration,
    /// How long requests in flight get to finish at the end.
    pub graceful_stop: Duration,
}

impl Workload {
    /// When a user begins: user 0 at once, the others evenly over the ramp-up.
    pub fn begin(&self, user: u32) -> Nanos {
        let share = u128::from(nanos(self.ramp_up)) * u128::from(user) / u128::from(self.users);
        u64::try_from(share).unwrap_or(Nanos::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_begin_evenly_over_the_ramp_up_and_none_after_it() {
        let workload = Workload {
            users: 5000,
            rps: None,
            duration: None,
            iterations: Some(1),
            ramp_up: Duration::from_secs(10),
            graceful_stop: Duration::ZERO,
        };
        let begins: Vec<_> = (0..5000).map(|user| workload.begin(user)).collect();
        assert_eq!(begins[0], 0);
        assert!(begins.windows(2).all(|pair| pair[1] - pair[0] == 2_000_000));
        assert!(begins[4999] < 10_000_000_000);
    }
}
