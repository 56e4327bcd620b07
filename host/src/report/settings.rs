//! What a report says about the run besides its measurements: how it was set up and how it ended. The caller fills these
//! in; durations become whole microseconds in JSON, as everywhere in it.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use stampede_time::Nanos;

use crate::run::EndReason;

/// How the run was set up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunSettings {
    /// The script's file name, `-` for standard input.
    pub script: String,
    /// Concurrent virtual users, at most.
    pub users: u32,
    /// Most requests per second of all users together; no limit if `None`.
    pub rps_total: Option<f64>,
    /// What began within this time after the start was not counted.
    #[serde(rename = "warm_up_us", with = "micros")]
    pub warm_up: Duration,
    /// The loads that ran side by side.
    #[serde(skip)]
    pub scenarios: Vec<ScenarioLoad>,
    /// Timeout of steps that give none.
    #[serde(rename = "timeout_us", with = "micros")]
    pub timeout: Duration,
    /// Worker threads.
    pub workers: usize,
    /// Seed of the users' random streams.
    pub seed: u64,
    /// Whether any certificate was accepted.
    pub insecure_tls: bool,
    /// What relative URLs were resolved against. A user name and password in it are taken out of the report.
    pub base_url: Option<String>,
    /// Names of the plugins in use, in the order of [`Health::guest`](crate::metrics::interval::Health::guest).
    pub plugins: Vec<String>,
    /// Version of this tool.
    #[serde(skip)]
    pub tool_version: String,
}

/// The load of one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScenarioLoad {
    /// The scenario's name; `None` in the plain form.
    pub name: Option<String>,
    /// `constant`, `ramping`, `shared` or `arrivals`.
    pub model: Cow<'static, str>,
    /// The load in a sentence.
    pub load: String,
    /// Users, at most.
    pub users: u32,
    /// Most requests per second and user; no limit if `None`.
    pub rps: Option<f64>,
    /// When it was to start.
    #[serde(rename = "start_us", with = "micros")]
    pub start: Duration,
    /// When it was to start no more requests, if that was limited.
    #[serde(rename = "end_us", with = "optional_micros")]
    pub end: Option<Duration>,
    /// How long requests in flight were given then.
    #[serde(rename = "graceful_stop_us", with = "micros")]
    pub graceful_stop: Duration,
}

/// How the run ended.
#[derive(Clone, Copy, Debug)]
pub struct RunSummary {
    /// When the run began, since the Unix epoch.
    pub started_at: Duration,
    /// From then to the last sample.
    pub elapsed: Nanos,
    /// Why it ended.
    pub end_reason: EndReason,
    /// Users that signed in; 0 if the script has no login.
    pub users_signed_in: u32,
    /// Users that gave up signing in.
    pub users_given_up: u32,
}

/// Durations as whole microseconds.
mod micros {
    use super::{Deserialize, Deserializer, Duration, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(super::whole_micros(*duration))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_micros)
    }
}

/// The same where there may be none.
mod optional_micros {
    use super::{Deserialize, Deserializer, Duration, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        duration.map(super::whole_micros).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_micros))
    }
}

fn whole_micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
