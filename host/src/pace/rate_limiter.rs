//! The rate limiter of one user's requests: a token bucket of size one, with one token per request.
//!
//! At rate `r` the interval is `T = 1/r`. A request wanted at time `t` is due at `max(t, next)`, after which `next =
//! due + T`. So two requests of a user are never due less than `T` apart, and a user that is late gets no burst to
//! catch up. A user that waits stays on schedule however late it is woken: lateness does not add up, and the gap after
//! a late start is shorter by it. This is the generic cell rate algorithm (ITU-T I.371) with a tolerance of zero.

use stampede_time::Nanos;

/// The state of one user's rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimiter {
    interval: Nanos,
    next: Nanos,
}

impl RateLimiter {
    /// Returns a limit of `rps` requests per second for user `user` of `users`, which may not start before `begin`.
    ///
    /// The users' first tokens are spread evenly over one interval, so that 500 users at 1 rps start 2 ms apart and not
    /// all at the same time. `rps` must be positive and finite. The interval is rounded up to whole nanoseconds, and a
    /// rate below one request in 584 years is taken as that.
    pub fn new(rps: f64, begin: Nanos, user: u32, users: u32) -> Self {
        let interval = (1e9 / rps).ceil() as Nanos;
        let offset = u128::from(interval) * u128::from(user) / u128::from(users.max(1));
        Self { interval, next: begin.saturating_add(u64::try_from(offset).unwrap_or(u64::MAX)) }
    }

    /// Returns a limit of one start per interval, the first at once.
    pub const fn every(interval: Nanos) -> Self {
        Self { interval, next: 0 }
    }

    /// Returns the limit with its next token no earlier than that of another.
    #[must_use]
    pub fn not_before(self, other: Self) -> Self {
        Self { next: self.next.max(other.next), ..self }
    }

    /// Takes the next token and returns when it is available: the intended start of the request, never before `now`.
    pub fn reserve(&mut self, now: Nanos) -> Nanos {
        let due = self.next.max(now);
        self.next = due.saturating_add(self.interval);
        due
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stampede_time::SECOND;

    use super::*;

    /// Returns the start times within `length` of a user whose every request takes `takes`.
    fn starts(mut limiter: RateLimiter, takes: Nanos, length: Nanos) -> Vec<Nanos> {
        let mut now = 0;
        std::iter::from_fn(|| {
            let due = limiter.reserve(now);
            now = due.saturating_add(takes);
            (due < length).then_some(due)
        })
        .collect()
    }

    #[test]
    fn a_limit_that_is_staggered_again_keeps_its_distance_from_the_last_start() {
        let mut old = RateLimiter::new(1.0, 0, 0, 4);
        assert_eq!(old.reserve(5 * SECOND), 5 * SECOND);
        // Staggered again 10 ms later: user 0 would start at once, user 3 three quarters of an interval later.
        let anew = |user, now| RateLimiter::new(1.0, now, user, 4).not_before(old).reserve(now);
        let soon = 5 * SECOND + 10_000_000;
        assert_eq!([anew(0, soon), anew(3, soon)], [6 * SECOND; 2]);
        assert_eq!([anew(0, 9 * SECOND), anew(2, 9 * SECOND)], [9 * SECOND, 9 * SECOND + SECOND / 2]);
    }

    #[test]
    fn starts_are_an_interval_apart_or_more() {
        for (case, rps, takes, expected) in [
            ("replies at once", 5.0, 0, 100),
            ("replies within the interval", 5.0, 150_000_000, 100),
            ("replies slower than the interval", 5.0, 500_000_000, 40),
            ("less than one a second", 0.25, 0, 5),
            ("a rate that does not divide a second", 3.0, 0, 60),
        ] {
            let all = starts(RateLimiter::new(rps, 0, 0, 1), takes, 20 * SECOND);
            assert_eq!(all.len(), expected, "{case}");
            let shortest = all.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap();
            assert!(shortest as f64 >= 1e9 / rps, "{case}: {shortest}");
        }
    }

    #[test]
    fn two_hundred_users_at_five_a_second_start_exactly_twenty_thousand_in_twenty_seconds() {
        let all = (0..200).map(|user| starts(RateLimiter::new(5.0, 0, user, 200), SECOND / 100, 20 * SECOND).len());
        assert_eq!(all.sum::<usize>(), 20_000);
    }

    #[test]
    fn phases_are_spread_over_one_interval() {
        let mut first: Vec<_> = (0..500).map(|user| RateLimiter::new(1.0, 7, user, 500).reserve(0)).collect();
        assert_eq!(first[0], 7);
        first.dedup();
        assert_eq!(first.len(), 500);
        assert!(first.windows(2).all(|pair| pair[1] - pair[0] == 2_000_000));
    }

    #[test]
    fn a_late_user_gets_no_burst() {
        let mut limiter = RateLimiter::new(10.0, 0, 0, 1);
        limiter.reserve(0);
        let late = limiter.reserve(5 * SECOND);
        assert_eq!((late, limiter.reserve(late)), (5 * SECOND, 5 * SECOND + SECOND / 10));
    }

    #[test]
    fn extremes_do_not_overflow() {
        let mut slow = RateLimiter::new(f64::MIN_POSITIVE, u64::MAX - 1, 9, 10);
        assert_eq!(slow.reserve(0), u64::MAX);
        assert_eq!(slow.reserve(u64::MAX), u64::MAX);
        let mut fast = RateLimiter::new(1e12, 0, 0, 0);
        assert_eq!((fast.reserve(5), fast.reserve(5)), (5, 6));
    }

    proptest! {
        #[test]
        fn no_start_is_early_and_none_later_than_it_has_to_be(
            rps in 0.001..1e6_f64,
            begin in 0..10 * SECOND,
            (user, users) in (0_u32..1_000, 1_000_u32..2_000),
            takes in prop::collection::vec(0..3 * SECOND, 1..50),
        ) {
            let interval = (1e9 / rps).ceil() as Nanos;
            let mut limiter = RateLimiter::new(rps, begin, user, users);
            // From the definition alone: each start is due when it is wanted, or an interval after the last one.
            let mut next = begin + (u128::from(interval) * u128::from(user) / u128::from(users)) as Nanos;
            prop_assert!((begin..=begin + interval).contains(&next), "the first one is within an interval");
            let mut now = 0;
            for takes in takes {
                let due = limiter.reserve(now);
                prop_assert!(due >= now && due >= next, "early: {due}, asked at {now}, not before {next}");
                prop_assert_eq!(due, now.max(next));
                (next, now) = (due + interval, due + takes);
            }
        }

        #[test]
        fn starts_are_as_many_as_the_rate_has_room_for(
            rps in 0.5..1e3_f64,
            (user, users) in (0_u32..10, 10_u32..20),
            length in SECOND..5 * SECOND,
        ) {
            let all = starts(RateLimiter::new(rps, 0, user, users), 0, length).len() as f64;
            // The integral of the rate, up to a part of one start at either end and the rounding of the interval.
            let due = rps * length as f64 / 1e9;
            prop_assert!((all - due).abs() <= 1.0 + due * rps / 1e9, "{all} of {due}");
        }
    }
}
