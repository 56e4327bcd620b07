//! The rules by which a run begins iterations. Models produce them, and a run carries them out; neither knows the
//! other. Times count from the scenario's start.

use std::ops::Range;
use std::time::Duration;

use stampede_time::{Nanos, nanos};

use crate::pace::{ArrivalProcess, LoadProfile};

/// The rule by which a scenario's iterations begin: when, and on which users.
#[derive(Clone, Debug, PartialEq)]
pub enum IterationRule {
    /// Closed: each user begins its next iteration when its last one is over.
    SelfPaced(SelfPacedRule),
    /// Open: iterations begin when they are due, each on a user that is free.
    Arrivals(ArrivalRule),
}

/// Users that begin their next iteration when the last one is over.
#[derive(Clone, Debug, PartialEq)]
pub struct SelfPacedRule {
    /// The number of users over time.
    pub users: UserCount,
    /// Iterations of each user; `None` means no limit.
    pub max_iterations: Option<u64>,
    /// Iterations of all users together; `None` means no limit.
    pub shared_iterations: Option<u64>,
}

/// The number of users over time.
#[derive(Clone, Debug, PartialEq)]
pub enum UserCount {
    /// A fixed number.
    Constant {
        /// The number of users, at least one.
        users: u32,
        /// Spare users, which wait until the load is raised during the run.
        spare_users: u32,
        /// The time in which users begin iterations; `None` means until their iterations are done.
        duration: Option<Duration>,
        /// The users begin evenly over this time.
        ramp_up: Duration,
    },
    /// User `n`, from 0, is active while the profile is above `n`.
    Profile(LoadProfile),
}

/// Iterations that begin when they are due.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrivalRule {
    /// Iterations begun per second, over time.
    pub rate: LoadProfile,
    /// The process by which they arrive at that rate.
    pub process: ArrivalProcess,
    /// The most users that may be busy at once.
    pub max_users: u32,
    /// The time that an arrival waits for a user before it is dropped.
    pub max_wait: Duration,
}

impl IterationRule {
    /// Returns the most users at once, at least one.
    pub fn max_users(&self) -> u32 {
        match self {
            Self::SelfPaced(SelfPacedRule { users: UserCount::Constant { users, spare_users, .. }, .. }) => {
                users.saturating_add(*spare_users)
            }
            Self::SelfPaced(SelfPacedRule { users: UserCount::Profile(profile), .. }) => {
                (profile.peak().ceil() as u32).max(1)
            }
            Self::Arrivals(rule) => rule.max_users,
        }
    }

    /// Returns how long users begin iterations; `None` if only their iterations end it.
    pub fn length(&self) -> Option<Nanos> {
        match self {
            Self::SelfPaced(SelfPacedRule { users: UserCount::Constant { duration, .. }, .. }) => duration.map(nanos),
            Self::SelfPaced(SelfPacedRule { users: UserCount::Profile(profile), .. }) => Some(profile.end()),
            Self::Arrivals(rule) => Some(rule.rate.end()),
        }
    }

    /// Returns when a user of a fixed number begins: user 0 at once, the others evenly over the ramp-up. Others begin
    /// at 0.
    pub fn user_begin(&self, user: u32) -> Nanos {
        match self {
            Self::SelfPaced(SelfPacedRule { users: UserCount::Constant { users, ramp_up, .. }, .. }) => {
                let begin = u128::from(nanos(*ramp_up)) * u128::from(user) / u128::from((*users).max(1));
                u64::try_from(begin).unwrap_or(Nanos::MAX)
            }
            Self::SelfPaced(SelfPacedRule { users: UserCount::Profile(_), .. }) | Self::Arrivals(_) => 0,
        }
    }

    /// Returns the spans in which a user may begin iterations, in order. For arrivals, it is the time in which any user
    /// may.
    #[allow(clippy::single_range_in_vec_init, reason = "one span is meant")]
    pub fn active_spans(&self, user: u32) -> Vec<Range<Nanos>> {
        match self {
            Self::SelfPaced(SelfPacedRule { users: UserCount::Profile(profile), .. }) => {
                profile.spans_above(f64::from(user))
            }
            Self::SelfPaced(SelfPacedRule { users: UserCount::Constant { .. }, .. }) | Self::Arrivals(_) => {
                vec![self.user_begin(user)..self.length().unwrap_or(Nanos::MAX)]
            }
        }
    }

    /// Returns the time, at or after `now`, from which a user is wanted while the load is multiplied by `scale`; `None`
    /// if it never is.
    pub fn next_active(&self, user: u32, scale: f64, now: Nanos) -> Option<Nanos> {
        match self {
            Self::SelfPaced(SelfPacedRule { users: UserCount::Constant { users, .. }, .. }) => {
                (f64::from(user) < scale * f64::from(*users)).then_some(now)
            }
            // `scale × value > user`, solved for the value.
            Self::SelfPaced(SelfPacedRule { users: UserCount::Profile(profile), .. }) if scale > 0.0 => {
                let spans = profile.spans_above(f64::from(user) / scale);
                spans.into_iter().find(|span| now < span.end).map(|span| span.start.max(now))
            }
            Self::SelfPaced(SelfPacedRule { users: UserCount::Profile(_), .. }) => None,
            Self::Arrivals(_) => Some(now),
        }
    }

    /// Returns true if some users only have work once the load is raised during the run.
    pub fn has_spare_users(&self) -> bool {
        match self {
            Self::SelfPaced(SelfPacedRule { users: UserCount::Constant { spare_users, .. }, .. }) => *spare_users > 0,
            Self::SelfPaced(SelfPacedRule { users: UserCount::Profile(_), .. }) | Self::Arrivals(_) => false,
        }
    }

    /// Returns the number of iterations that all users share; 0 if they share none.
    pub fn shared_iterations(&self) -> u64 {
        match self {
            Self::SelfPaced(rule) => rule.shared_iterations.unwrap_or(0),
            Self::Arrivals(_) => 0,
        }
    }
}
