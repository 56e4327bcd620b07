//! A fixed number of users that share a number of iterations: a user that is done with one takes the next one.

use std::time::Duration;

use super::constant::ARRIVALS_ONLY;
use super::keys::{LoadError, accept_only, value};
use super::model::{LoadModel, LoadModelEntry, LoadModelHandle};
use super::phrases::{count, users_walk};
use super::rule::{IterationRule, SelfPacedRule, UserCount};
use super::share::WeightShare;
use crate::script::model::LoadSpec;

/// The entry in [`LOAD_MODELS`](super::LOAD_MODELS).
pub(super) const ENTRY: LoadModelEntry = LoadModelEntry {
    name: "shared",
    keys: &["users", "duration", "shared_iterations", "ramp_up"],
    is_open: false,
    is_selected: |spec| spec.shared_iterations.is_some(),
    takes_script_duration: |_| false,
    parse,
};

/// Users that share iterations.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    /// The number of users, at least one.
    pub users: u32,
    /// Iterations of all users together, at least one.
    pub iterations: u64,
    /// No iteration begins after this time, even if some are left; `None` means no limit.
    pub duration: Option<Duration>,
    /// The users begin evenly over this time.
    pub ramp_up: Duration,
}

fn parse(spec: &LoadSpec, _: u64) -> Result<LoadModelHandle, LoadError> {
    // `iterations` has a message of its own.
    let keys: Vec<_> = ENTRY.keys.iter().copied().chain(["iterations"]).collect();
    accept_only(spec, &keys, "a constant number of users", ARRIVALS_ONLY)?;
    if let Some(iterations) = &spec.iterations {
        let message = "`iterations` of each user do not go with `shared_iterations` of all";
        return Err(LoadError::new("iterations", Some(iterations), message, "remove one of them"));
    }
    let model = Shared {
        users: value(spec.users).unwrap_or(1),
        iterations: value(spec.shared_iterations).unwrap_or(1),
        duration: value(spec.duration),
        ramp_up: value(spec.ramp_up).unwrap_or_default(),
    };
    Ok(model.into())
}

impl LoadModel for Shared {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn describe(&self) -> String {
        let limit = self.duration.map(|limit| format!(", for {} at most", humantime::format_duration(limit)));
        let iterations = count(self.iterations, "iteration");
        let users = users_walk(self.users, self.ramp_up);
        format!("{users} {iterations} of the script between them{}", limit.unwrap_or_default())
    }

    fn share(&self, share: WeightShare) -> Option<LoadModelHandle> {
        let iterations = Some(share.of(self.iterations)).filter(|iterations| *iterations > 0)?;
        Some(Self { users: share.of_users(self.users)?, iterations, ..self.clone() }.into())
    }

    fn rule(&self) -> IterationRule {
        let Self { users, iterations, duration, ramp_up } = *self;
        IterationRule::SelfPaced(SelfPacedRule {
            users: UserCount::Constant { users, spare_users: 0, duration, ramp_up },
            max_iterations: None,
            shared_iterations: Some(iterations),
        })
    }
}
