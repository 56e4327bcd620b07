//! A number of users that follows stages: straight lines from one number to the next.

use super::keys::{LoadError, accept_only, profile, reject_duration_beside_stages};
use super::model::{LoadModel, LoadModelEntry, LoadModelHandle};
use super::phrases::{count, time};
use super::rule::{IterationRule, SelfPacedRule, UserCount};
use super::share::WeightShare;
use crate::pace::LoadProfile;
use crate::script::model::LoadSpec;

/// The entry in [`LOAD_MODELS`](super::LOAD_MODELS).
pub(super) const ENTRY: LoadModelEntry = LoadModelEntry {
    name: "ramping",
    keys: &["stages"],
    is_open: false,
    is_selected: |spec| spec.stages.is_some(),
    takes_script_duration: |_| false,
    parse,
};

/// Users over time.
#[derive(Clone, Debug)]
pub(crate) struct Ramping {
    /// Their number.
    pub users: LoadProfile,
}

fn parse(spec: &LoadSpec, _: u64) -> Result<LoadModelHandle, LoadError> {
    reject_duration_beside_stages(spec)?;
    let help = "remove one of them; stages of arrivals end in `/s`: `1m:100/s`";
    accept_only(spec, ENTRY.keys, "stages of users", help)?;
    let stages = spec.stages.as_ref().map(|stages| stages.value.as_slice()).unwrap_or_default();
    Ok(Ramping { users: profile(0.0, stages) }.into())
}

impl LoadModel for Ramping {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn describe(&self) -> String {
        let users = count(self.users.peak() as u64, "virtual user");
        format!("up to {users} walk the script for {}", time(self.users.end()))
    }

    fn share(&self, share: WeightShare) -> Option<LoadModelHandle> {
        Some(Self { users: self.users.scaled(share.factor()) }.into())
    }

    fn rule(&self) -> IterationRule {
        IterationRule::SelfPaced(SelfPacedRule {
            users: UserCount::Profile(self.users.clone()),
            max_iterations: None,
            shared_iterations: None,
        })
    }
}
