//! The parts of a report besides measurements: the settings of the run and its end. The caller fills these in;
//! durations become whole microseconds in JSON, as everywhere in it.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use stampede_time::Nanos;

use crate::run::EndReason;

/// The settings of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunSettings {
    /// The script's file name, `-` for standard input.
    pub script: String,
    /// Concurrent virtual users, at most.
    pub users: u32,
    /// Most requests per second of all users together; no limit if `None`.
    pub rps_total: Option<f64>,
    /// The warm-up: everything that began within this time after the start was not counted.
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
    /// `true` if any certificate was accepted.
    pub insecure_tls: bool,
    /// The URL that relative URLs were resolved against. User name, password and query are taken out of the report.
    pub base_url: Option<String>,
    /// Names of the plugins in use, in the order of
    /// [`IntervalHealth::guest`](crate::metrics::interval::IntervalHealth::guest).
    pub plugins: Vec<String>,
    /// Version of this tool.
    #[serde(skip)]
    pub tool_version: String,
}

impl RunSettings {
    /// Takes user name, password and query out of the base URL.
    pub fn without_credentials(self) -> Self {
        Self { base_url: self.base_url.as_deref().and_then(url_without_credentials), ..self }
    }
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
    /// Its planned start.
    #[serde(rename = "start_us", with = "micros")]
    pub start: Duration,
    /// The time at which it should start no more requests, if that was limited.
    #[serde(rename = "end_us", with = "optional_micros")]
    pub end: Option<Duration>,
    /// The time that requests in flight were given then.
    #[serde(rename = "graceful_stop_us", with = "micros")]
    pub graceful_stop: Duration,
}

/// The end of a run.
#[derive(Clone, Copy, Debug)]
pub struct RunSummary {
    /// The start of the run, since the Unix epoch.
    pub started_at: Duration,
    /// From then to the last sample.
    pub elapsed: Nanos,
    /// The reason why it ended.
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

/// Optional durations as whole microseconds.
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

/// Returns a URL without user name, password and query. A text that is not a web URL is not shown at all, since any
/// part of it may be a secret.
fn url_without_credentials(url: &str) -> Option<String> {
    let mut parsed = url::Url::parse(url).ok().filter(|parsed| matches!(parsed.scheme(), "http" | "https"))?;
    // These fail only for URLs that cannot have credentials.
    let _ = parsed.set_username("");
    let _ = parsed.set_password(None);
    parsed.set_query(None);
    Some(parsed.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_taken_out_of_the_base_url() {
        let cases = [
            ("https://site/api", Some("https://site/api")),
            ("https://me:secret@site/api?key=secret", Some("https://site/api")),
            ("me:secret@site", None),
            ("secret", None),
        ];
        for (given, shown) in cases {
            assert_eq!(url_without_credentials(given).as_deref(), shown, "{given}");
        }
    }
}
