//! The parts of a report besides measurements: the settings of the run and its end. The caller fills these in. In JSON,
//! durations are whole microseconds, as everywhere in the report.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use stampede_time::Nanos;

use crate::run::{CpuLimits, EndReason};
use crate::script::outcome::OutcomeFilter;
use crate::segment::Segment;

/// The settings of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RunSettings {
    /// The script's file name, `-` for standard input.
    pub script: String,
    /// The greatest number of concurrent virtual users; of segments, that of their own users.
    pub users: u32,
    /// The segments that the report is of; `None` if the run was not divided.
    #[serde(default)]
    pub segments: Option<RunSegments>,
    /// The limit on requests per second of all users together; `None` if there is no limit.
    pub rps_total: Option<f64>,
    /// Length of the warm-up: anything that began within this time after the start is not counted.
    #[serde(rename = "warm_up_us", with = "micros")]
    pub warm_up: Duration,
    /// The loads that ran side by side.
    #[serde(skip)]
    pub scenarios: Vec<ScenarioLoad>,
    /// Timeout of steps that do not set one.
    #[serde(rename = "timeout_us", with = "micros")]
    pub timeout: Duration,
    /// Worker threads.
    pub workers: usize,
    /// Seed of the users' random streams.
    pub seed: u64,
    /// True if the run accepted any TLS certificate.
    pub insecure_tls: bool,
    /// The URL against which relative URLs were resolved. The report omits its user name, password and query.
    pub base_url: Option<String>,
    /// Names of the plugins in use, in the order of
    /// [`IntervalHealth::guest`](crate::metrics::interval::IntervalHealth::guest).
    pub plugins: Vec<String>,
    /// The percentiles that the user asks for; empty for the usual ones.
    #[serde(default)]
    pub percentiles: Vec<f64>,
    /// The requests whose times the table shows.
    #[serde(default)]
    pub latency_of: OutcomeFilter,
    /// Version of this tool.
    #[serde(skip)]
    pub tool_version: String,
}

impl RunSettings {
    /// Removes user name, password and query from the base URL.
    pub(crate) fn without_credentials(self) -> Self {
        Self { base_url: self.base_url.as_deref().and_then(url_without_credentials), ..self }
    }
}

/// The segments of a divided run that a report is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunSegments {
    /// The number of segments of the run.
    pub of: u32,
    /// The numbers of those in the report, from 1, in ascending order.
    pub included: Vec<u32>,
}

impl RunSegments {
    /// Returns those of a report of one segment.
    pub(crate) fn of(segment: Segment) -> Self {
        Self { of: segment.count(), included: vec![segment.number()] }
    }

    /// Returns the numbers of those that are not in the report.
    pub(crate) fn missing(&self) -> Vec<u32> {
        (1..=self.of).filter(|number| !self.included.contains(number)).collect()
    }
}

/// The load of one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ScenarioLoad {
    /// The scenario's name; `None` in the plain form.
    pub name: Option<String>,
    /// `constant`, `ramping`, `shared` or `arrivals`.
    pub model: Cow<'static, str>,
    /// The load in a sentence.
    pub load: String,
    /// The greatest number of users.
    pub users: u32,
    /// The limit on requests per second of each user; `None` if there is no limit.
    pub rps: Option<f64>,
    /// Planned start of the scenario, after the run's start.
    #[serde(rename = "start_us", with = "micros")]
    pub start: Duration,
    /// Planned time after the run's start from which no more requests start; `None` if there is no limit.
    #[serde(rename = "end_us", with = "optional_micros")]
    pub end: Option<Duration>,
    /// The time that requests in flight then had to finish.
    #[serde(rename = "graceful_stop_us", with = "micros")]
    pub graceful_stop: Duration,
}

/// The verdict on a run; the exit code follows from it. The greater one outranks the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RunVerdict {
    /// Nothing was wrong.
    Passed,
    /// Segments of the run are missing, so that nothing shows that it passed.
    Inconclusive,
    /// Requests failed in the way that `fail_on` names.
    RequestsFailed,
    /// A step of the set-up failed.
    SetupFailed,
    /// No user could sign in.
    SignInFailed,
    /// No request could be sent.
    TargetUnreached,
    /// A threshold did not hold.
    ThresholdsFailed,
    /// A person or a signal ended the run.
    Interrupted,
    /// A worker ended before its users.
    WorkerLost,
}

/// The end of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunSummary {
    /// A random number that tells the run from others.
    pub id: u64,
    /// The start of the run, since the Unix epoch.
    pub started_at: Duration,
    /// Time from the start to the last sample.
    pub elapsed: Nanos,
    /// Time from the start to the end of the load; zero if there was no load.
    pub load_end: Nanos,
    /// The CPU time that the process might use.
    pub cpu_limits: CpuLimits,
    /// The reason why the run ended.
    pub end_reason: EndReason,
    /// The verdict.
    pub verdict: RunVerdict,
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

pub(super) fn whole_micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Returns a URL without user name, password and query; `None` if the text is not a web URL, since any part of it may
/// be a secret.
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
