//! The load of a scenario, complete and valid: its load model, and the limits that apply to any model.

use std::sync::Arc;
use std::time::Duration;

use stampede_time::{Nanos, nanos};

use crate::http::Retention;
use crate::load_model::{IterationRule, LoadModelHandle};
use crate::net::LinkChoice;

/// The load of one scenario.
#[derive(Clone, Debug)]
pub struct Workload {
    /// The load model: when iterations begin, and on which users.
    pub model: LoadModelHandle,
    /// The start of the scenario, counted from the start of the run.
    pub start: Duration,
    /// The most requests per second of one user; `None` means no limit.
    pub rps: Option<f64>,
    /// The least time from the beginning of a user's iteration to the beginning of its next one.
    pub pace: Duration,
    /// The time that requests in flight have to finish at the end.
    pub graceful_stop: Duration,
    /// The time that an iteration has to end after its user is no longer wanted.
    pub graceful_ramp_down: Duration,
    /// The lifespan of a user's cookies and connections.
    pub retention: Retention,
    /// The links of which each user has one; `None` if users have none.
    pub link: Option<Arc<LinkChoice>>,
}

impl Workload {
    /// Returns the rule by which iterations begin.
    pub const fn rule(&self) -> &IterationRule {
        self.model.rule()
    }

    /// Returns the most users at once, at least one.
    pub fn users(&self) -> u32 {
        self.rule().max_users()
    }

    /// Returns the time, at or after `now`, from which user `user` of a closed scenario is wanted while the load is
    /// multiplied by `scale`; `None` if it never is. `now` is not before the scenario's start.
    pub fn next_active(&self, user: u32, scale: f64, now: Nanos) -> Option<Nanos> {
        let start = nanos(self.start);
        let next = self.rule().next_active(user, scale, now.saturating_sub(start))?;
        Some(start.saturating_add(next))
    }

    /// Returns when its users stop starting requests, counted from the start of the run; `None` if only their
    /// iterations end it.
    pub fn end(&self) -> Option<Nanos> {
        Some(nanos(self.start).saturating_add(self.rule().length()?))
    }

    /// Returns when user `user` of the scenario begins, counted from the start of the run: user 0 at the scenario's
    /// start, the others evenly over the ramp-up.
    pub fn user_begin(&self, user: u32) -> Nanos {
        nanos(self.start).saturating_add(self.rule().user_begin(user))
    }

    /// Returns the most users that send anything at all: under a low cap, the first turn of some comes after the end.
    pub fn sending_users(&self) -> u32 {
        let lasts = self.end().map(|end| Duration::from_nanos(end).saturating_sub(self.start));
        let turns = lasts.zip(self.rps).map_or(1.0, |(lasts, rps)| lasts.as_secs_f64() * rps);
        (f64::from(self.users()) * turns.min(1.0)).ceil() as u32
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::load_model::Constant;

    /// One user that walks once.
    pub(crate) fn once() -> Workload {
        Workload {
            model: Constant::once().into(),
            start: Duration::ZERO,
            rps: None,
            pace: Duration::ZERO,
            graceful_stop: Duration::ZERO,
            graceful_ramp_down: Duration::ZERO,
            retention: Retention::default(),
            link: None,
        }
    }

    #[test]
    fn users_whose_first_turn_comes_too_late_send_nothing() {
        let sending = |rps, seconds: Option<u64>| {
            let duration = seconds.map(Duration::from_secs);
            let model = Constant { users: 1000, duration, iterations: None, ..Constant::once() }.into();
            Workload { model, rps, start: Duration::from_secs(5), ..once() }.sending_users()
        };
        assert_eq!([sending(None, Some(1)), sending(Some(0.1), None), sending(Some(5.0), Some(1))], [1000; 3]);
        assert_eq!(sending(Some(0.01), Some(10)), 100);
    }

    #[test]
    fn users_begin_evenly_over_the_ramp_up_and_none_after_it() {
        let ramp_up = Duration::from_secs(10);
        let model = Constant { users: 5000, ramp_up, ..Constant::once() };
        let workload = Workload { model: model.into(), start: Duration::from_secs(3), ..once() };
        let begins: Vec<_> = (0..5000).map(|user| workload.user_begin(user)).collect();
        assert_eq!(begins[0], 3_000_000_000);
        assert!(begins.windows(2).all(|pair| pair[1] - pair[0] == 2_000_000));
        assert!(begins[4999] < 13_000_000_000);
    }
}
