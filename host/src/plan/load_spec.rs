//! The load of a run or of a scenario, from the keys and flags that say how much. Which keys are there decides on the
//! model; keys that do not go together are an error, never one of them ignored.

use std::sync::Arc;
use std::time::Duration;

use super::workload::LoadModel;
use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, SourceText, Span};
use crate::pace::{ArrivalProcess, LoadProfile, Stage};
use crate::script::model::{self, LoadSettings, Spanned};
use crate::script::stage::{self, StageTarget};

/// A value, and where it was typed; from a flag it has no place.
#[derive(Clone, Copy, Debug)]
pub struct Setting<T> {
    value: T,
    span: Option<Span>,
}

/// What was said of one load. A flag has won over the script already.
#[derive(Clone, Debug, Default)]
pub struct LoadSpec {
    users: Option<Setting<u32>>,
    duration: Option<Setting<Duration>>,
    iterations: Option<Setting<u64>>,
    shared_iterations: Option<Setting<u64>>,
    ramp_up: Option<Setting<Duration>>,
    stages: Option<Setting<Vec<stage::StageSpec>>>,
    arrival_rate: Option<Setting<f64>>,
    arrivals: Option<Setting<model::ArrivalSpec>>,
    max_users: Option<Setting<u32>>,
    max_wait: Option<Setting<Duration>>,
}

/// Users that arrivals may keep busy if nobody says how many: so many seconds' worth of them, and no more than this.
const DEFAULT_MAX_USERS_SECONDS: f64 = 10.0;
const DEFAULT_MAX_USERS_CAP: f64 = 10_000.0;

impl LoadSpec {
    /// What a script or a scenario says.
    pub fn from_settings(load: &LoadSettings) -> Self {
        Self {
            users: setting(load.users.as_ref()),
            duration: setting(load.duration.as_ref()),
            iterations: setting(load.iterations.as_ref()),
            shared_iterations: setting(load.shared_iterations.as_ref()),
            ramp_up: setting(load.ramp_up.as_ref()),
            stages: load.stages.as_ref().map(|stages| Setting {
                value: stages.value.iter().map(|stage| stage.value).collect(),
                span: Some(stages.span),
            }),
            arrival_rate: setting(load.arrival_rate.as_ref()),
            arrivals: setting(load.arrivals.as_ref()),
            max_users: setting(load.max_users.as_ref()),
            max_wait: setting(load.max_wait.as_ref()),
        }
    }

    /// The same with the flags. A flag that chooses another model than the script's takes the place of its keys: `--users
    /// 5 --duration 10s` tries a script with stages out.
    pub fn with_flags(mut self, args: &RunArgs) -> Self {
        let closed = args.users.is_some() || args.iterations.is_some();
        let staged = args.stages.is_some();
        let open = args.arrival_rate.is_some();
        if closed || open || args.duration.is_some() {
            self.stages = None;
        }
        if closed || staged {
            (self.arrival_rate, self.arrivals, self.max_wait) = Default::default();
            self.max_users = None;
        }
        if staged || open {
            (self.users, self.iterations, self.shared_iterations, self.ramp_up) = Default::default();
        }
        if staged {
            self.duration = None;
        }
        if args.iterations.is_some() {
            self.shared_iterations = None;
        }
        override_with_flag(&mut self.users, args.users);
        override_with_flag(&mut self.duration, args.duration);
        override_with_flag(&mut self.iterations, args.iterations);
        override_with_flag(&mut self.ramp_up, args.ramp_up);
        override_with_flag(&mut self.stages, args.stages.as_ref().map(|stages| stages.0.clone()));
        override_with_flag(&mut self.arrival_rate, args.arrival_rate);
        override_with_flag(&mut self.max_users, args.max_users);
        self
    }

    /// Whether it chooses a model at all. A duration alone does not.
    pub fn selects_model(&self) -> bool {
        self.users.is_some()
            || self.iterations.is_some()
            || self.shared_iterations.is_some()
            || self.ramp_up.is_some()
            || self.stages.is_some()
            || self.arrival_rate.is_some()
            || self.arrivals.is_some()
            || self.max_users.is_some()
            || self.max_wait.is_some()
    }

    /// With the duration of another if it needs one and has none.
    pub fn with_duration_from(mut self, other: &Self) -> Self {
        if self.stages.is_none() && self.iterations.is_none() && self.shared_iterations.is_none() {
            self.duration = self.duration.or(other.duration);
        }
        self
    }

    /// The model that was chosen. Neither duration nor iterations means one iteration.
    ///
    /// # Errors
    /// What does not go together.
    pub fn model(&self, seed: u64, source: &Arc<SourceText>) -> Result<LoadModel, Box<Diagnostic>> {
        let wrong = |what: (&str, Option<Span>), message: String, help: &str| {
            let code = if what.1.is_some() { "script::load" } else { "usage::load" };
            let diagnostic = Diagnostic::new(code, message).help(help);
            Box::new(match what.1 {
                Some(span) => diagnostic.at(source, span, ""),
                None => diagnostic,
            })
        };
        let targets = self.stages.as_ref().map(|stages| (stages.value.as_slice(), stages.span));
        let rates =
            targets.filter(|(stages, _)| stages.iter().any(|stage| matches!(stage.target, StageTarget::Rate(_))));
        if let Some((stages, span)) = rates
            && stages.iter().any(|stage| matches!(stage.target, StageTarget::Users(_)))
        {
            let message = "some stages lead to users and some to a rate".into();
            return Err(wrong(("stages", span), message, "write all as `1m:100` or all as `1m:100/s`"));
        }
        if let Some((_, span)) = targets
            && let Some(duration) = &self.duration
        {
            let message = "`duration` beside `stages`, which say how long they take".into();
            return Err(wrong(("duration", duration.span.or(span)), message, "remove one of them"));
        }
        let is_open = self.arrival_rate.is_some() || rates.is_some();
        let (against, because, help) = if is_open {
            let help = "arrivals begin whoever is busy: give `max_users`, and remove this";
            (self.closed_keys(), "an arrival rate", help)
        } else if targets.is_some() {
            (
                self.keys_besides_stages(),
                "stages of users",
                "remove one of them; stages of arrivals end in `/s`: `1m:100/s`",
            )
        } else {
            (
                self.open_keys(),
                "a constant number of users",
                "it is for an `arrival_rate`, such as `arrival_rate: 100/s`",
            )
        };
        if let Some((key, span)) = against {
            return Err(wrong((key, span), format!("`{key}` does not go with {because}"), help));
        }
        if let (Some(each), Some(_)) = (&self.iterations, &self.shared_iterations) {
            let message = "`iterations` of each user beside `shared_iterations` of all".into();
            return Err(wrong(("iterations", each.span), message, "remove one of them"));
        }
        if let (Some(users), Some(most)) = (&self.users, &self.max_users)
            && most.value < users.value
        {
            let message = "`max_users` is less than `users`".into();
            return Err(wrong(("max_users", most.span), message, "it is how many users there may be at most"));
        }
        if !is_open {
            return Ok(self.closed_model());
        }
        let shape = match (&self.stages, &self.duration, &self.arrival_rate) {
            (Some(stages), ..) => {
                load_profile(self.arrival_rate.as_ref().map_or(0.0, |rate| rate.value), &stages.value)
            }
            (None, Some(duration), Some(rate)) => LoadProfile::constant(rate.value, duration.value),
            _ => {
                let span = self.arrival_rate.as_ref().and_then(|rate| rate.span);
                let help = "add `duration`, or `stages` such as `1m:100/s`";
                return Err(wrong(("arrival_rate", span), "an arrival rate needs a duration".into(), help));
            }
        };
        Ok(self.open_model(shape, seed))
    }

    fn closed_model(&self) -> LoadModel {
        let users = value(self.users).unwrap_or(1);
        let (duration, ramp_up) = (value(self.duration), value(self.ramp_up).unwrap_or_default());
        match (&self.stages, value(self.shared_iterations)) {
            (Some(stages), _) => LoadModel::Ramping { users: load_profile(0.0, &stages.value) },
            (None, Some(iterations)) => LoadModel::Shared { users, iterations, duration, ramp_up },
            (None, None) => {
                let iterations = value(self.iterations).or_else(|| duration.is_none().then_some(1));
                let room = value(self.max_users).map_or(0, |most| most.saturating_sub(users));
                LoadModel::Constant { users, spare_users: room, duration, iterations, ramp_up }
            }
        }
    }

    fn open_model(&self, rate: LoadProfile, seed: u64) -> LoadModel {
        let by_default = (rate.peak() * DEFAULT_MAX_USERS_SECONDS).ceil().clamp(1.0, DEFAULT_MAX_USERS_CAP) as u32;
        let spread = match value(self.arrivals).unwrap_or_default() {
            model::ArrivalSpec::Even => ArrivalProcess::Even,
            model::ArrivalSpec::Poisson => ArrivalProcess::Poisson(seed),
        };
        let max_users = value(self.max_users).unwrap_or(by_default);
        LoadModel::Arrivals { rate, spread, max_users, max_wait: value(self.max_wait).unwrap_or_default() }
    }

    /// The first key that has no meaning for arrivals.
    fn closed_keys(&self) -> Option<(&'static str, Option<Span>)> {
        first_present([
            ("users", key_span(&self.users)),
            ("iterations", key_span(&self.iterations)),
            ("shared_iterations", key_span(&self.shared_iterations)),
            ("ramp_up", key_span(&self.ramp_up)),
        ])
    }

    /// The first key that has a meaning for arrivals only.
    fn open_keys(&self) -> Option<(&'static str, Option<Span>)> {
        // A constant number of users for a time may have room for more.
        let has_room = self.duration.is_some() && self.iterations.is_none() && self.shared_iterations.is_none();
        let max_users = self.max_users.as_ref().filter(|_| !has_room).copied();
        first_present([
            ("max_users", key_span(&max_users)),
            ("max_wait", key_span(&self.max_wait)),
            ("arrivals", key_span(&self.arrivals)),
        ])
    }

    fn keys_besides_stages(&self) -> Option<(&'static str, Option<Span>)> {
        let max_users = first_present([("max_users", key_span(&self.max_users))]);
        self.closed_keys().or(max_users).or_else(|| self.open_keys())
    }
}

/// The share of a model's load that the weights from `before` to `after`, of 1 in all, stand for. Shares of users and of
/// iterations are whole and add up to all of them; a share may be none.
pub fn weighted_share(model: &LoadModel, before: f64, after: f64) -> Option<LoadModel> {
    let whole = |all: u64| ((all as f64 * after).round() - (all as f64 * before).round()) as u64;
    let part = |all: u32| u32::try_from(whole(all.into())).ok().filter(|part| *part > 0);
    let share = after - before;
    Some(match model {
        LoadModel::Constant { users, spare_users: room, duration, iterations, ramp_up } => {
            let (users, room) = (part(*users)?, part(*room).unwrap_or(0));
            LoadModel::Constant {
                users,
                spare_users: room,
                duration: *duration,
                iterations: *iterations,
                ramp_up: *ramp_up,
            }
        }
        LoadModel::Ramping { users } => LoadModel::Ramping { users: users.scaled(share) },
        LoadModel::Shared { users, iterations, duration, ramp_up } => {
            let iterations = Some(whole(*iterations)).filter(|part| *part > 0)?;
            LoadModel::Shared { users: part(*users)?, iterations, duration: *duration, ramp_up: *ramp_up }
        }
        LoadModel::Arrivals { rate, spread, max_users, max_wait } => LoadModel::Arrivals {
            rate: rate.scaled(share),
            spread: *spread,
            max_users: part(*max_users)?,
            max_wait: *max_wait,
        },
    })
}

fn load_profile(start: f64, stages: &[stage::StageSpec]) -> LoadProfile {
    let target = |stage: &stage::StageSpec| match stage.target {
        StageTarget::Users(users) => f64::from(users),
        StageTarget::Rate(rate) => rate,
    };
    let stages: Vec<_> = stages.iter().map(|stage| Stage { duration: stage.duration, target: target(stage) }).collect();
    LoadProfile::new(start, &stages)
}

fn setting<T: Copy>(typed: Option<&Spanned<T>>) -> Option<Setting<T>> {
    typed.map(|typed| Setting { value: typed.value, span: Some(typed.span) })
}

fn override_with_flag<T>(said: &mut Option<Setting<T>>, flag: Option<T>) {
    if let Some(value) = flag {
        *said = Some(Setting { value, span: None });
    }
}

fn value<T: Copy>(typed: Option<Setting<T>>) -> Option<T> {
    typed.map(|typed| typed.value)
}

#[allow(clippy::option_option, reason = "whether a key is there, and where it stands")]
fn key_span<T>(typed: &Option<Setting<T>>) -> Option<Option<Span>> {
    typed.as_ref().map(|typed| typed.span)
}

#[allow(clippy::option_option, reason = "whether a key is there, and where it stands")]
fn first_present<const N: usize>(
    keys: [(&'static str, Option<Option<Span>>); N],
) -> Option<(&'static str, Option<Span>)> {
    keys.into_iter().find_map(|(key, place)| Some((key, place?)))
}
