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

    /// How many users send anything at all, at most: under a low cap the first turn of some comes after the end.
    pub fn sending(&self) -> u32 {
        let turns = self.duration.zip(self.rps).map_or(1.0, |(duration, rps)| duration.as_secs_f64() * rps);
        (f64::from(self.users) * turns.min(1.0)).ceil() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_whose_first_turn_comes_too_late_send_nothing() {
        let sending = |rps, seconds: Option<u64>| {
            let duration = seconds.map(Duration::from_secs);
            let (ramp_up, graceful_stop) = (Duration::ZERO, Duration::ZERO);
            Workload { users: 1000, rps, duration, iterations: None, ramp_up, graceful_stop }.sending()
        };
        assert_eq!([sending(None, Some(1)), sending(Some(0.1), None), sending(Some(5.0), Some(1))], [1000; 3]);
        assert_eq!(sending(Some(0.01), Some(10)), 100);
    }

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
