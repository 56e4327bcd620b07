//! Load models: the ways to say in a script, or with flags, when the iterations of a scenario begin. To add one, follow
//! `docs/internals/extending.md`.
//!
//! Each model is one file. It reads its keys, describes itself, gives a scenario its share, and produces an
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
mod model;
pub(crate) mod phrases;
mod ramping;
mod rule;
mod share;
mod shared;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use arrivals::ArrivalRate;
pub(crate) use constant::Constant;
pub(crate) use flags::{load_flag, with_flags};
pub(crate) use keys::LoadError;
#[cfg(test)]
pub(crate) use model::LoadModel;
pub(crate) use model::{LoadModelEntry, LoadModelHandle};
#[cfg(test)]
pub(crate) use ramping::Ramping;
pub(crate) use rule::{ArrivalRule, IterationRule, SelfPacedRule, UserCount};
pub(crate) use share::WeightShare;
#[cfg(test)]
pub(crate) use shared::Shared;

use crate::script::model::LoadSpec;

/// The load models of scripts. The first one that is selected by the given keys is used; the last one always is.
pub(crate) const LOAD_MODELS: &[LoadModelEntry] = &[arrivals::ENTRY, ramping::ENTRY, shared::ENTRY, constant::ENTRY];

/// Reads the load model that the keys select.
///
/// # Errors
/// A key does not go with the model, or the model lacks one.
pub(crate) fn parse(models: &[LoadModelEntry], spec: &LoadSpec, seed: u64) -> Result<LoadModelHandle, LoadError> {
    (selected(models, spec).parse)(spec, seed)
}

/// Returns true if any key selects a model. A duration alone does not.
pub(crate) fn is_given(spec: &LoadSpec) -> bool {
    spec.given().iter().any(|key| key.name != "duration")
}

/// Gives a scenario's own load the script's duration, if its model needs one and the scenario has none.
pub(crate) fn with_script_duration(models: &[LoadModelEntry], mut own: LoadSpec, script: &LoadSpec) -> LoadSpec {
    if (selected(models, &own).takes_script_duration)(&own) {
        own.duration = own.duration.or(script.duration);
    }
    own
}

/// Returns true if a report's model of this name begins iterations when they are due, even if no user is free.
pub(crate) fn is_open(name: &str) -> bool {
    LOAD_MODELS.iter().any(|model| model.name == name && model.is_open)
}

fn selected<'a>(models: &'a [LoadModelEntry], spec: &LoadSpec) -> &'a LoadModelEntry {
    models.iter().find(|model| (model.is_selected)(spec)).unwrap_or(&constant::ENTRY)
}
