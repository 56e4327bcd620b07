//! The parts of a report that are about time: distributions of durations, and the run over time.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::script::outcome::OutcomeFilter;

/// A distribution of durations in microseconds, each within 0.1 % (phases: 1 %) of the true value. Durations over an
/// hour count as an hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the meanings")]
pub(crate) struct DurationStats {
    pub count: u64,
    /// Exchanges that were cut off, so that their times are known only to be longer; `count` excludes them.
    #[serde(default)]
    pub cut_off: u64,
    /// Names of the fields whose values are lower bounds because exchanges were cut off.
    #[serde(default)]
    pub at_least: Vec<Cow<'static, str>>,
    pub min: u64,
    pub mean: f64,
    pub stddev: f64,
    pub p50: u64,
    pub p75: u64,
    pub p90: u64,
    pub p95: u64,
    pub p99: u64,
    pub p99_9: u64,
    pub max: u64,
    /// The percentiles that `--percentiles` asks for, in that order.
    #[serde(default)]
    pub percentiles: Vec<ChosenPercentile>,
}

/// A percentile that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ChosenPercentile {
    /// The percentage of durations that are at most this long, above 0 and below 100.
    pub percentile: f64,
    /// The duration in microseconds.
    pub value: u64,
    /// True if it is a lower bound because exchanges were cut off.
    pub at_least: bool,
}

impl DurationStats {
    /// Returns a percentile that was asked for, or that every report has; `None` for any other.
    pub(crate) fn percentile(&self, percentile: f64) -> Option<ChosenPercentile> {
        let fixed = [
            (50.0, self.p50),
            (75.0, self.p75),
            (90.0, self.p90),
            (95.0, self.p95),
            (99.0, self.p99),
            (99.9, self.p99_9),
        ];
        let chosen = self.percentiles.iter().find(|one| one.percentile == percentile).copied();
        chosen.or_else(|| {
            let (_, value) = fixed.into_iter().find(|(known, _)| *known == percentile)?;
            let at_least = self.is_lower_bound(&percentile_key(percentile));
            Some(ChosenPercentile { percentile, value, at_least })
        })
    }

    /// Returns `true` if the field of that name is a lower bound.
    pub(crate) fn is_lower_bound(&self, name: &str) -> bool {
        self.at_least.iter().any(|bound| bound == name)
    }
}

/// Returns the name of a percentile as a title: `p99.9`.
pub(crate) fn percentile_title(percentile: f64) -> String {
    format!("p{percentile}")
}

/// Returns the name of a percentile as part of an identifier: `p99_9`.
pub(crate) fn percentile_key(percentile: f64) -> String {
    percentile_title(percentile).replace('.', "_")
}

/// A value for each phase of an exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PerPhase<T> {
    /// Resolution of the host's name.
    pub dns: T,
    /// TCP connect.
    pub connect: T,
    /// TLS handshake.
    pub tls: T,
    /// Time from the request's first byte to the end of the reply's header section.
    pub first_byte: T,
    /// Time from then to the last byte.
    pub receive: T,
}

impl<T> PerPhase<T> {
    /// Returns the values in the order of the phases.
    pub(crate) const fn as_array(&self) -> [&T; 5] {
        [&self.dns, &self.connect, &self.tls, &self.first_byte, &self.receive]
    }

    /// Builds the struct from the values in the order of the phases.
    pub(crate) fn from_array([dns, connect, tls, first_byte, receive]: [T; 5]) -> Self {
        Self { dns, connect, tls, first_byte, receive }
    }
}

/// HDR histograms of microseconds, V2 compressed format in base64. Those of times that failed or were cut off are
/// `None` if there are none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RowHistograms {
    /// Response time, 3 significant digits.
    pub response_time: String,
    /// Service time, 3 significant digits.
    pub service_time: String,
    /// The phases, 2 significant digits.
    pub phases: PerPhase<String>,
    /// Response times of those exchanges that failed, 3 significant digits.
    #[serde(default)]
    pub failed_response_time: Option<String>,
    /// Service times of those exchanges that failed, 3 significant digits.
    #[serde(default)]
    pub failed_service_time: Option<String>,
    /// Response times of exchanges that were cut off, up to then, 3 significant digits.
    pub cut_off_response_time: Option<String>,
    /// Service times of exchanges that were cut off, up to then, 3 significant digits.
    pub cut_off_service_time: Option<String>,
}

impl RowHistograms {
    /// Returns the response times of exchanges with one outcome, or of all.
    pub(crate) fn response_times(&self, outcome: OutcomeFilter) -> EncodedTimes<'_> {
        let (failed, cut_off) = (self.failed_response_time.as_deref(), self.cut_off_response_time.as_deref());
        EncodedTimes::new(outcome, &self.response_time, failed, cut_off)
    }

    /// Returns the service times of those exchanges.
    pub(crate) fn service_times(&self, outcome: OutcomeFilter) -> EncodedTimes<'_> {
        let (failed, cut_off) = (self.failed_service_time.as_deref(), self.cut_off_service_time.as_deref());
        EncodedTimes::new(outcome, &self.service_time, failed, cut_off)
    }
}

/// The times of exchanges, as encoded histograms. Each is `None` if there are none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EncodedTimes<'a> {
    /// The times that are known.
    pub known: Option<&'a str>,
    /// Those among them that are not meant.
    pub except: Option<&'a str>,
    /// Those that were cut off.
    pub cut_off: Option<&'a str>,
}

impl<'a> EncodedTimes<'a> {
    const fn new(outcome: OutcomeFilter, all: &'a str, failed: Option<&'a str>, cut_off: Option<&'a str>) -> Self {
        match outcome {
            OutcomeFilter::All => Self { known: Some(all), except: None, cut_off },
            OutcomeFilter::Ok => Self { known: Some(all), except: failed, cut_off: None },
            OutcomeFilter::Failed => Self { known: failed, except: None, cut_off },
        }
    }
}

/// The times of the exchanges with each outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TimesByOutcome {
    /// Of those without a failure.
    pub ok: OutcomeTimes,
    /// Of those with a failure, those that were cut off included.
    pub failed: OutcomeTimes,
}

/// The times of exchanges; `None` if there are none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct OutcomeTimes {
    /// End − intended start.
    pub response_time_us: Option<DurationStats>,
    /// End − start.
    pub service_time_us: Option<DurationStats>,
}

/// The run over time. All lists are equally long: one element per stretch of time, from the start of the run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TimeSeries {
    /// Seconds that an element covers: 1, or a higher power of two for runs of more than an hour.
    pub resolution_s: u32,
    /// Active users: the greatest number at the end of any second of the stretch.
    pub users_active: Vec<u32>,
    /// One per row, in the order of the rows.
    pub actions: Vec<RowSeries>,
}

/// One row over time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RowSeries {
    /// The step's name.
    pub name: String,
    /// Exchanges without a failure that ended in this stretch.
    pub ok: Vec<u64>,
    /// Exchanges with a failure that ended in this stretch.
    pub err: Vec<u64>,
    /// Bytes sent.
    pub bytes_out: Vec<u64>,
    /// Bytes received.
    pub bytes_in: Vec<u64>,
    /// Median response time, within 3.2 %.
    pub response_p50_us: Vec<Option<u64>>,
    /// 95th percentile, within 3.2 %.
    pub response_p95_us: Vec<Option<u64>>,
    /// Longest response time.
    pub response_max_us: Vec<Option<u64>>,
    /// The percentiles that `--percentiles` asks for, in that order.
    #[serde(default)]
    pub response_percentiles: Vec<PercentileSeries>,
    /// The response times by outcome; `None` if no exchange of the row failed.
    #[serde(default)]
    pub by_outcome: Option<SeriesByOutcome>,
}

/// Response times over time by outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SeriesByOutcome {
    /// Of exchanges without a failure.
    pub ok: SeriesTimes,
    /// Of exchanges with a failure.
    pub failed: SeriesTimes,
}

/// Response times over time, as [`RowSeries`] has them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SeriesTimes {
    /// Median.
    pub response_p50_us: Vec<Option<u64>>,
    /// 95th percentile.
    pub response_p95_us: Vec<Option<u64>>,
    /// Longest.
    pub response_max_us: Vec<Option<u64>>,
    /// The percentiles that `--percentiles` asks for, in that order.
    pub response_percentiles: Vec<PercentileSeries>,
}

impl RowSeries {
    /// Returns the times of exchanges with one outcome, or of all; `None` if the report does not tell.
    pub(crate) fn times(&self, outcome: OutcomeFilter) -> Option<SeriesTimes> {
        let has_failures = self.err.iter().any(|count| *count > 0);
        match (outcome, &self.by_outcome) {
            (OutcomeFilter::Ok, Some(by_outcome)) => Some(by_outcome.ok.clone()),
            (OutcomeFilter::Failed, Some(by_outcome)) => Some(by_outcome.failed.clone()),
            (OutcomeFilter::Ok | OutcomeFilter::Failed, None) if has_failures => None,
            (OutcomeFilter::Failed, None) => Some(self.all_times().emptied()),
            _ => Some(self.all_times()),
        }
    }

    fn all_times(&self) -> SeriesTimes {
        SeriesTimes {
            response_p50_us: self.response_p50_us.clone(),
            response_p95_us: self.response_p95_us.clone(),
            response_max_us: self.response_max_us.clone(),
            response_percentiles: self.response_percentiles.clone(),
        }
    }
}

impl SeriesTimes {
    /// Returns lists of the same lengths without any time.
    pub(crate) fn emptied(mut self) -> Self {
        let chosen = self.response_percentiles.iter_mut().map(|one| &mut one.values_us);
        let own = [&mut self.response_p50_us, &mut self.response_p95_us, &mut self.response_max_us];
        own.into_iter().chain(chosen).for_each(|list| list.fill(None));
        self
    }

    /// Returns all lists.
    pub(crate) fn lists(&self) -> impl Iterator<Item = &Vec<Option<u64>>> {
        let own = [&self.response_p50_us, &self.response_p95_us, &self.response_max_us];
        own.into_iter().chain(self.response_percentiles.iter().map(|one| &one.values_us))
    }
}

/// A percentile of the response time that was asked for, over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PercentileSeries {
    /// The percentage of durations that are at most this long.
    pub percentile: f64,
    /// The durations in microseconds, within 3.2 %.
    pub values_us: Vec<Option<u64>>,
}
