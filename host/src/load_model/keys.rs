//! Checks of keys that several models share.

use crate::pace::{LoadProfile, Stage};
use crate::script::model::{LoadKey, LoadSpec, Setting};
use crate::script::stage::{StageSpec, StageTarget};

/// The reason why keys do not make a load.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LoadError {
    /// The key to point at.
    pub key: LoadKey,
    /// The error in a sentence.
    pub message: String,
    /// The way to correct it.
    pub help: &'static str,
}

impl LoadError {
    /// Returns an error at a key's value.
    pub(crate) fn new<T>(name: &'static str, setting: Option<&Setting<T>>, message: &str, help: &'static str) -> Self {
        let span = setting.and_then(|setting| setting.span);
        Self { key: LoadKey { name, span }, message: message.to_owned(), help }
    }
}

/// Rejects the first key that has no meaning for a model. The message names the load, such as `an arrival rate`.
pub(super) fn accept_only(spec: &LoadSpec, keys: &[&str], load: &str, help: &'static str) -> Result<(), LoadError> {
    match spec.given().into_iter().find(|key| !keys.contains(&key.name)) {
        Some(key) => Err(LoadError { key, message: format!("`{}` does not go with {load}", key.name), help }),
        None => Ok(()),
    }
}

/// Rejects `duration` beside `stages`.
pub(super) fn reject_duration_beside_stages(spec: &LoadSpec) -> Result<(), LoadError> {
    let (Some(stages), Some(duration)) = (&spec.stages, &spec.duration) else { return Ok(()) };
    let place = Setting { value: (), span: duration.span.or(stages.span) };
    let message = "`duration` does not go with `stages`, which have durations";
    Err(LoadError::new("duration", Some(&place), message, "remove one of them"))
}

/// Returns the value of a key.
pub(super) fn value<T: Copy>(setting: Option<Setting<T>>) -> Option<T> {
    setting.map(|setting| setting.value)
}

/// Returns the profile that begins at `start` and goes through the stages.
pub(super) fn profile(start: f64, stages: &[StageSpec]) -> LoadProfile {
    let target = |stage: &StageSpec| match stage.target {
        StageTarget::Users(users) => f64::from(users),
        StageTarget::Rate(rate) => rate,
    };
    let stages: Vec<_> = stages.iter().map(|stage| Stage { duration: stage.duration, target: target(stage) }).collect();
    LoadProfile::new(start, &stages)
}
