//! A fixed number of users, each of which begins its next iteration when the last one is over: for a time, a number of
//! times, or both. A script without load keys runs one iteration with one user.

use std::time::Duration;

use super::keys::{LoadError, accept_only, value};
use super::model::{LoadModel, LoadModelEntry, LoadModelHandle};
use super::phrases::users_walk;
use super::rule::{IterationRule, SelfPacedRule, UserCount};
use super::share::WeightShare;
use crate::script::model::LoadSpec;

/// The entry in [`LOAD_MODELS`](super::LOAD_MODELS).
pub(super) const ENTRY: LoadModelEntry = LoadModelEntry {
    name: "constant",
    keys: &["users", "duration", "iterations", "ramp_up", "max_users"],
    is_open: false,
    is_selected: |_| true,
    takes_script_duration: |spec| spec.iterations.is_none(),
    parse,
};

/// The help for keys of arrivals beside a fixed number of users.
pub(super) const ARRIVALS_ONLY: &str = "it is for an `arrival_rate`, such as `arrival_rate: 100/s`";

/// A fixed number of users. At least one of `duration` and `iterations` is there.
#[derive(Clone, Debug)]
pub(crate) struct Constant {
    /// The number of users, at least one.
    pub users: u32,
    /// Spare users, which wait until the load is raised during the run.
    pub spare_users: u32,
    /// The time in which users begin iterations; `None` means until their iterations are done.
    pub duration: Option<Duration>,
    /// Iterations of each user; `None` means until the duration is over.
    pub iterations: Option<u64>,
    /// The users begin evenly over this time.
    pub ramp_up: Duration,
}

impl Constant {
    /// Returns a load of one user and one iteration.
    pub(crate) const fn once() -> Self {
        Self { users: 1, spare_users: 0, duration: None, iterations: Some(1), ramp_up: Duration::ZERO }
    }
}

fn parse(spec: &LoadSpec, _: u64) -> Result<LoadModelHandle, LoadError> {
    // With a duration, more users can join when the load is raised; with a number of iterations they would have no
    // work.
    let has_spare = spec.duration.is_some() && spec.iterations.is_none();
    let keys: Vec<_> = ENTRY.keys.iter().copied().filter(|key| has_spare || *key != "max_users").collect();
    accept_only(spec, &keys, "a constant number of users", ARRIVALS_ONLY)?;
    if let (Some(users), Some(max_users)) = (&spec.users, &spec.max_users)
        && max_users.value < users.value
    {
        let help = "`max_users` is the most users that there may be";
        return Err(LoadError::new("max_users", Some(max_users), "`max_users` is less than `users`", help));
    }
    let (users, duration) = (value(spec.users).unwrap_or(1), value(spec.duration));
    let model = Constant {
        users,
        spare_users: value(spec.max_users).map_or(0, |max_users| max_users.saturating_sub(users)),
        duration,
        iterations: value(spec.iterations).or_else(|| duration.is_none().then_some(1)),
        ramp_up: value(spec.ramp_up).unwrap_or_default(),
    };
    Ok(model.into())
}

impl LoadModel for Constant {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn describe(&self) -> String {
        let length = match (self.duration.map(humantime::format_duration), self.iterations) {
            (Some(duration), None) => format!("the script for {duration}"),
            (Some(duration), Some(iterations)) => format!("the script {}, for {duration} at most", times(iterations)),
            (None, iterations) => format!("the script {}", times(iterations.unwrap_or(1))),
        };
        let spare = match self.spare_users {
            0 => String::new(),
            spare => format!(", with room for {spare} more"),
        };
        format!("{} {length}{spare}", users_walk(self.users, self.ramp_up))
    }

    fn share(&self, share: WeightShare) -> Option<LoadModelHandle> {
        let spare_users = share.of_users(self.spare_users).unwrap_or(0);
        Some(Self { users: share.of_users(self.users)?, spare_users, ..self.clone() }.into())
    }

    fn rule(&self) -> IterationRule {
        let Self { users, spare_users, duration, iterations, ramp_up } = *self;
        IterationRule::SelfPaced(SelfPacedRule {
            users: UserCount::Constant { users, spare_users, duration, ramp_up },
            max_iterations: iterations,
            shared_iterations: None,
        })
    }
}

fn times(number: u64) -> String {
    if number == 1 { "once".into() } else { format!("{number} times") }
}
