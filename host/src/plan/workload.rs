//! How many users walk a scenario, how fast, how long: the model of its load, complete and valid.

use std::time::Duration;

use stampede_time::{Nanos, nanos};

use crate::http::Retention;
use crate::pace::{ArrivalProcess, LoadProfile};

/// The load of one scenario. Times count from the scenario's start.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Who begins an iteration, and when.
    pub model: LoadModel,
    /// When the scenario starts.
    pub start: Duration,
    /// The most requests per second of one user; `None` is no limit.
    pub rps: Option<f64>,
    /// From the beginning of a user's iteration to that of its next one, at least.
    pub pace: Duration,
    /// How long requests in flight get to finish at the end.
    pub graceful_stop: Duration,
    /// How long the iteration of a user may go on that a ramp no longer wants.
    pub graceful_ramp_down: Duration,
    /// How long a user keeps its cookies and connections.
    pub retention: Retention,
}

/// Who begins an iteration, and when.
#[derive(Clone, Debug, PartialEq)]
pub enum LoadModel {
    /// Closed: so many users, each as often as it can. At least one of `duration` and `iterations` is there.
    Constant {
        /// At least one.
        users: u32,
        /// How many more there may be if the load is changed while it runs.
        spare_users: u32,
        /// How long users start requests; `None` is until their iterations are done.
        duration: Option<Duration>,
        /// Iterations of each user; `None` is until the duration is over.
        iterations: Option<u64>,
        /// Over what time the users begin, evenly.
        ramp_up: Duration,
    },
    /// Closed: as many users as the shape says at each moment.
    Ramping {
        /// Users over time.
        users: LoadProfile,
    },
    /// Closed: users who share a pool of iterations.
    Shared {
        /// At least one.
        users: u32,
        /// Iterations in the pool.
        iterations: u64,
        /// When the rest of the pool is left; `None` is never.
        duration: Option<Duration>,
        /// Over what time the users begin, evenly.
        ramp_up: Duration,
    },
    /// Open: iterations begin when they are due, whoever is still busy.
    Arrivals {
        /// Iterations begun per second, over time.
        rate: LoadProfile,
        /// How they are spread around it.
        spread: ArrivalProcess,
        /// The most users that may be busy at once.
        max_users: u32,
        /// How long an arrival waits for a user; then it is dropped.
        max_wait: Duration,
    },
}

impl LoadModel {
    /// The name in reports.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Constant { .. } => "constant",
            Self::Ramping { .. } => "ramping",
            Self::Shared { .. } => "shared",
            Self::Arrivals { .. } => "arrivals",
        }
    }
}

impl Workload {
    /// The most users at once, at least one.
    pub fn users(&self) -> u32 {
        match &self.model {
            LoadModel::Constant { users, spare_users: room, .. } => users.saturating_add(*room),
            LoadModel::Shared { users, .. } => *users,
            LoadModel::Ramping { users } => (users.peak().ceil() as u32).max(1),
            LoadModel::Arrivals { max_users, .. } => *max_users,
        }
    }

    /// From when on user `user` of a closed scenario is wanted while the load is multiplied by `scale`, at `now` or after
    /// it; `None` if it never is.
    pub fn next_active(&self, user: u32, scale: f64, now: Nanos) -> Option<Nanos> {
        let start = nanos(self.start);
        match &self.model {
            LoadModel::Constant { users, .. } | LoadModel::Shared { users, .. } => {
                (f64::from(user) < scale * f64::from(*users)).then_some(now)
            }
            // `scale × value > user`, in the form that asks for no value.
            LoadModel::Ramping { users } if scale > 0.0 => {
                let stretches = users.spans_above(f64::from(user) / scale).into_iter();
                let next = stretches.map(|(from, to)| (start.saturating_add(from), start.saturating_add(to)));
                next.into_iter().find(|(_, to)| now < *to).map(|(from, _)| from.max(now))
            }
            LoadModel::Ramping { .. } => None,
            LoadModel::Arrivals { .. } => Some(now),
        }
    }

    /// When its users start no more requests, after the run's begin; `None` if only their iterations end it.
    pub fn end(&self) -> Option<Nanos> {
        let lasts = match &self.model {
            LoadModel::Constant { duration, .. } | LoadModel::Shared { duration, .. } => nanos((*duration)?),
            LoadModel::Ramping { users: shape } | LoadModel::Arrivals { rate: shape, .. } => shape.end(),
        };
        Some(nanos(self.start).saturating_add(lasts))
    }

    /// When requests in flight are cut off.
    pub fn hard_end(&self) -> Option<Nanos> {
        Some(self.end()?.saturating_add(nanos(self.graceful_stop)))
    }

    /// When user `user` of the scenario begins, after the run's begin: user 0 at once, the others evenly over the ramp-up.
    pub fn user_begin(&self, user: u32) -> Nanos {
        let (users, ramp_up) = match &self.model {
            LoadModel::Constant { users, ramp_up, .. } | LoadModel::Shared { users, ramp_up, .. } => (*users, *ramp_up),
            LoadModel::Ramping { .. } | LoadModel::Arrivals { .. } => (1, Duration::ZERO),
        };
        let share = u128::from(nanos(ramp_up)) * u128::from(user) / u128::from(users.max(1));
        nanos(self.start).saturating_add(u64::try_from(share).unwrap_or(Nanos::MAX))
    }

    /// How many users send anything at all, at most: under a low cap the first turn of some comes after the end.
    pub fn sending_users(&self) -> u32 {
        let lasts = self.end().map(|end| Duration::from_nanos(end).saturating_sub(self.start));
        let turns = lasts.zip(self.rps).map_or(1.0, |(lasts, rps)| lasts.as_secs_f64() * rps);
        (f64::from(self.users()) * turns.min(1.0)).ceil() as u32
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// One user who walks once.
    pub fn once() -> Workload {
        let model = LoadModel::Constant {
            users: 1,
            spare_users: 0,
            duration: None,
            iterations: Some(1),
            ramp_up: Duration::ZERO,
        };
        Workload {
            model,
            start: Duration::ZERO,
            rps: None,
            pace: Duration::ZERO,
            graceful_stop: Duration::ZERO,
            graceful_ramp_down: Duration::ZERO,
            retention: Retention::default(),
        }
    }

    #[test]
    fn users_whose_first_turn_comes_too_late_send_nothing() {
        let sending = |rps, seconds: Option<u64>| {
            let duration = seconds.map(Duration::from_secs);
            let model = LoadModel::Constant {
                users: 1000,
                spare_users: 0,
                duration,
                iterations: None,
                ramp_up: Duration::ZERO,
            };
            Workload { model, rps, start: Duration::from_secs(5), ..once() }.sending_users()
        };
        assert_eq!([sending(None, Some(1)), sending(Some(0.1), None), sending(Some(5.0), Some(1))], [1000; 3]);
        assert_eq!(sending(Some(0.01), Some(10)), 100);
    }

    #[test]
    fn users_begin_evenly_over_the_ramp_up_and_none_after_it() {
        let ramp_up = Duration::from_secs(10);
        let model = LoadModel::Constant { users: 5000, spare_users: 0, duration: None, iterations: Some(1), ramp_up };
        let workload = Workload { model, start: Duration::from_secs(3), ..once() };
        let begins: Vec<_> = (0..5000).map(|user| workload.user_begin(user)).collect();
        assert_eq!(begins[0], 3_000_000_000);
        assert!(begins.windows(2).all(|pair| pair[1] - pair[0] == 2_000_000));
        assert!(begins[4999] < 13_000_000_000);
    }
}
