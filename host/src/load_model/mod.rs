//! Load models: the ways to say in a script, or with flags, when the iterations of a scenario begin. To add one, follow
//! `docs/internals/extending.md`.
//!
//! Each model is one file. It reads its keys, describes itself, gives a scenario its share, and comes to an
//! [`IterationRule`]. The plan holds the model; the run carries out the rule and never asks which model it came from.
//!
//! | file | model |
//! |---|---|
//! | `constant` | closed: a fixed number of users |
//! | `ramping` | closed: a number of users that follows stages |
//! | `shared` | closed: a fixed number of users that share a number of iterations |
//! | `arrivals` | open: iterations begin at a rate |

mod arrivals;
mod constant;
mod flags;
mod keys;
pub mod phrases;
mod ramping;
mod rule;
mod share;
mod shared;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

#[cfg(test)]
pub use arrivals::ArrivalRate;
pub use constant::Constant;
pub use flags::{load_flag, with_flags};
pub use keys::LoadError;
#[cfg(test)]
pub use ramping::Ramping;
pub use rule::{ArrivalRule, IterationRule, SelfPacedRule, UserCount};
pub use share::WeightShare;
#[cfg(test)]
pub use shared::Shared;

use crate::script::model::LoadSpec;

/// The load models of scripts. The first one that is selected by the given keys is used; the last one always is.
pub const LOAD_MODELS: &[LoadModelEntry] = &[arrivals::ENTRY, ramping::ENTRY, shared::ENTRY, constant::ENTRY];

/// A load model as registered.
#[derive(Clone, Copy)]
pub struct LoadModelEntry {
    /// The name in reports.
    pub name: &'static str,
    /// The keys that have a meaning for it, each described in the schema of scripts and in the guide.
    pub keys: &'static [&'static str],
    /// True if iterations begin when they are due, even if no user is free. The result table then says how many were
    /// dropped.
    pub is_open: bool,
    /// Returns true if the keys select this model.
    pub is_selected: fn(&LoadSpec) -> bool,
    /// Returns true if a scenario that selects this model without a `duration` takes the script's.
    pub takes_script_duration: fn(&LoadSpec) -> bool,
    /// Reads the model from its keys. The number is the run's seed.
    pub parse: fn(&LoadSpec, u64) -> Result<LoadModelHandle, LoadError>,
}

/// A load model, complete and valid.
pub trait LoadModel: fmt::Debug + Send + Sync {
    /// Returns the name in reports, which is that of its entry.
    fn name(&self) -> &'static str;

    /// Describes the load in a sentence without its period, for `check` and reports. Start and limits are added to it.
    fn describe(&self) -> String;

    /// Returns the share that a scenario gets by its weight; `None` if it would get no user or no iteration.
    fn share(&self, share: WeightShare) -> Option<LoadModelHandle>;

    /// Returns the rule by which a run begins the iterations.
    fn rule(&self) -> IterationRule;
}

/// A load model and its rule, worked out once.
#[derive(Clone, Debug)]
pub struct LoadModelHandle {
    model: Arc<dyn LoadModel>,
    rule: IterationRule,
}

impl LoadModelHandle {
    /// Returns the name in reports.
    pub fn name(&self) -> &'static str {
        self.model.name()
    }

    /// Describes the load in a sentence without its period.
    pub fn describe(&self) -> String {
        self.model.describe()
    }

    /// Returns the share that a scenario gets by its weight; `None` if it would get no user or no iteration.
    pub fn share(&self, share: WeightShare) -> Option<Self> {
        self.model.share(share)
    }

    /// Returns the rule by which a run begins the iterations.
    pub const fn rule(&self) -> &IterationRule {
        &self.rule
    }
}

impl<M: LoadModel + 'static> From<M> for LoadModelHandle {
    fn from(model: M) -> Self {
        Self { rule: model.rule(), model: Arc::new(model) }
    }
}

/// Reads the load model that the keys select.
///
/// # Errors
/// A key does not go with the model, or the model lacks one.
pub fn parse(models: &[LoadModelEntry], spec: &LoadSpec, seed: u64) -> Result<LoadModelHandle, LoadError> {
    (selected(models, spec).parse)(spec, seed)
}

/// Returns true if any key selects a model. A duration alone does not.
pub fn is_given(spec: &LoadSpec) -> bool {
    spec.given().iter().any(|key| key.name != "duration")
}

/// Gives a scenario's own load the script's duration, if its model needs one and the scenario has none.
pub fn with_script_duration(models: &[LoadModelEntry], mut own: LoadSpec, script: &LoadSpec) -> LoadSpec {
    if (selected(models, &own).takes_script_duration)(&own) {
        own.duration = own.duration.or(script.duration);
    }
    own
}

/// Returns true if a report's model of this name begins iterations when they are due, even if no user is free.
pub fn is_open(name: &str) -> bool {
    LOAD_MODELS.iter().any(|model| model.name == name && model.is_open)
}

fn selected<'a>(models: &'a [LoadModelEntry], spec: &LoadSpec) -> &'a LoadModelEntry {
    models.iter().find(|model| (model.is_selected)(spec)).unwrap_or(&constant::ENTRY)
}
