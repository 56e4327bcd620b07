//! What a report says about the run besides its measurements: how it was set up and how it ended. The caller fills these
//! in; durations become whole microseconds in JSON, as everywhere in it.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::run::EndReason;
use crate::run::clock::Nanos;

/// How the run was set up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// The script's file name, `-` for standard input.
    pub script: String,
    /// Concurrent virtual users.
    pub users: u32,
    /// Most requests per second and user; no limit if `None`.
    pub rps: Option<f64>,
    /// How long users were to be kept active, if that was limited.
    #[serde(rename = "duration_us", with = "optional_micros")]
    pub duration: Option<Duration>,
    /// How often each user was to walk the script, if that was limited.
    pub iterations: Option<u64>,
    /// Over what time the users started.
    #[serde(rename = "ramp_up_us", with = "micros")]
    pub ramp_up: Duration,
    /// How long requests in flight were given when the run ended.
    #[serde(rename = "graceful_stop_us", with = "micros")]
    pub graceful_stop: Duration,
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

/// How the run ended.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// When the run began, since the Unix epoch.
    pub started_at: Duration,
    /// From then to the last sample.
    pub elapsed: Nanos,
    /// Why it ended.
    pub ended: EndReason,
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
