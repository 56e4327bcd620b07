//! Iterations that begin at a rate, however many users are still busy: a constant one for a time, or one that follows
//! stages.

use std::time::Duration;

use super::keys::{LoadError, accept_only, profile, reject_duration_beside_stages, value};
use super::model::{LoadModel, LoadModelEntry, LoadModelHandle};
use super::phrases::{count, time};
use super::rule::{ArrivalRule, IterationRule};
use super::share::WeightShare;
use crate::pace::{ArrivalProcess, LoadProfile};
use crate::script::model::{ArrivalSpec, LoadSpec};
use crate::script::stage::StageTarget;

/// The entry in [`LOAD_MODELS`](super::LOAD_MODELS).
pub(super) const ENTRY: LoadModelEntry = LoadModelEntry {
    name: "arrivals",
    keys: &["duration", "stages", "arrival_rate", "arrivals", "max_users", "max_wait"],
    is_open: true,
    is_selected: |spec| spec.arrival_rate.is_some() || has_stage_of(spec, is_rate),
    takes_script_duration: |spec| spec.stages.is_none(),
    parse,
};

/// Seconds at the highest rate whose arrivals are the default of `max_users`.
const DEFAULT_MAX_USERS_SECONDS: f64 = 10.0;
/// The largest default of `max_users`.
const DEFAULT_MAX_USERS_CAP: f64 = 10_000.0;

/// Iterations that begin at a rate.
#[derive(Clone, Debug)]
pub(crate) struct ArrivalRate {
    /// Iterations begun per second, over time.
    pub rate: LoadProfile,
    /// The process by which they arrive at that rate.
    pub process: ArrivalProcess,
    /// The most users that may be busy at once.
    pub max_users: u32,
    /// The time that an arrival waits for a user before it is dropped.
    pub max_wait: Duration,
}

fn has_stage_of(spec: &LoadSpec, is_kind: fn(StageTarget) -> bool) -> bool {
    spec.stages.iter().flat_map(|stages| &stages.value).any(|stage| is_kind(stage.target))
}

const fn is_rate(target: StageTarget) -> bool {
    matches!(target, StageTarget::Rate(_))
}

fn parse(spec: &LoadSpec, seed: u64) -> Result<LoadModelHandle, LoadError> {
    if has_stage_of(spec, is_rate) && has_stage_of(spec, |target| !is_rate(target)) {
        let (message, help) =
            ("some stages lead to users, others to a rate", "write all as `1m:100` or all as `1m:100/s`");
        return Err(LoadError::new("stages", spec.stages.as_ref(), message, help));
    }
    reject_duration_beside_stages(spec)?;
    let help = "arrivals begin even if all users are busy: remove this, and give `max_users`";
    accept_only(spec, ENTRY.keys, "an arrival rate", help)?;
    let rate = match (&spec.stages, &spec.duration, &spec.arrival_rate) {
        (Some(stages), _, rate) => profile(rate.map_or(0.0, |rate| rate.value), &stages.value),
        (None, Some(duration), Some(rate)) => LoadProfile::constant(rate.value, duration.value),
        (None, _, rate) => {
            let (message, help) =
                ("an arrival rate needs a duration", "add `duration`, or `stages` such as `1m:100/s`");
            return Err(LoadError::new("arrival_rate", rate.as_ref(), message, help));
        }
    };
    if planned_arrivals(&rate) == 0 {
        let (message, help) = ("no iteration would begin", "give a rate above 0, such as `arrival_rate: 100/s`");
        return Err(match &spec.stages {
            Some(stages) => LoadError::new("stages", Some(stages), message, help),
            None => LoadError::new("arrival_rate", spec.arrival_rate.as_ref(), message, help),
        });
    }
    let process = match value(spec.arrivals).unwrap_or_default() {
        ArrivalSpec::Even => ArrivalProcess::Even,
        ArrivalSpec::Poisson => ArrivalProcess::Poisson(seed),
    };
    let default_max_users = (rate.peak() * DEFAULT_MAX_USERS_SECONDS).ceil().clamp(1.0, DEFAULT_MAX_USERS_CAP) as u32;
    let max_users = value(spec.max_users).unwrap_or(default_max_users);
    Ok(ArrivalRate { rate, process, max_users, max_wait: value(spec.max_wait).unwrap_or_default() }.into())
}

/// Returns the number of arrivals at even intervals: one for each whole area from 0 on that is reached before the end.
fn planned_arrivals(rate: &LoadProfile) -> u64 {
    let most = rate.area().ceil() as u64;
    // Rounding may put the last one at the very end, where none begins.
    if most > 0 && rate.time_above_area((most - 1) as f64).is_none() { most - 1 } else { most }
}

impl LoadModel for ArrivalRate {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn describe(&self) -> String {
        let iterations = count(planned_arrivals(&self.rate), "iteration");
        let about = match self.process {
            ArrivalProcess::Even => "",
            ArrivalProcess::Poisson(_) => "about ",
        };
        let wait = (!self.max_wait.is_zero())
            .then(|| format!(", waiting up to {} for a free one", humantime::format_duration(self.max_wait)));
        let users = count(self.max_users.into(), "virtual user");
        format!(
            "{about}{iterations} of the script begin within {}, up to {} a second, with up to {users}{}",
            time(self.rate.end()),
            (self.rate.peak() * 100.0).round() / 100.0,
            wait.unwrap_or_default()
        )
    }

    fn share(&self, share: WeightShare) -> Option<LoadModelHandle> {
        let (rate, max_users) = (self.rate.scaled(share.factor()), share.of_users(self.max_users)?);
        Some(Self { rate, max_users, ..self.clone() }.into())
    }

    fn rule(&self) -> IterationRule {
        let Self { rate, process, max_users, max_wait } = self.clone();
        IterationRule::Arrivals(ArrivalRule { rate, process, max_users, max_wait })
    }
}
