//! Thresholds: statistics compared with limits, over the whole run or over the last seconds of it.
//!
//! Thresholds need no measurements of their own. The counts of rows and metrics, which exist anyway, are added up
//! ([`sums`]) as a [`ThresholdRule`] needs them: once at the end, and once a second if it may abort the run or has a
//! window ([`judge`]).

pub(crate) mod judge;
pub(crate) mod live;
pub(crate) mod sums;

use super::custom_metric::{MetricId, MetricKind, MetricUnit};
use super::sample::RowId;
use super::survival::Estimate;
use crate::script::outcome::OutcomeFilter;
use crate::script::threshold_syntax::{Aggregation, Comparison, Quantity};

pub(crate) use judge::{Judge, ThresholdVerdict};

/// The state of a threshold while a run goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct LiveThreshold {
    /// True if it holds so far; `None` while there are no values, or no whole window.
    pub holds: Option<bool>,
    /// The number that shows it.
    pub value: Option<Estimate<f64>>,
}

/// A complete and valid threshold: its rows and metrics exist and support its aggregation.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdRule {
    /// The metric with its tags, as typed.
    pub metric: String,
    /// The condition, as typed.
    pub expression: String,
    /// The measure whose values are compared.
    pub measure: Measure,
    /// The aggregation that turns the values into one number.
    pub aggregation: Aggregation,
    /// The comparison of that number with the limit.
    pub comparison: Comparison,
    /// The limit, in the base unit of `quantity`.
    pub limit: f64,
    /// The quantity of both the number and the limit.
    pub quantity: Quantity,
    /// The number of most recent seconds that the threshold covers, judged every second; `None` for the whole run.
    pub window: Option<u32>,
    /// The first second in which a failure may end the run; `None` if a failure does not end it.
    pub abort: Option<u32>,
}

impl ThresholdRule {
    /// Returns true if the threshold holds. A lower bound never shows that an upper limit holds.
    pub fn holds(&self, number: Estimate<f64>) -> bool {
        if number.is_lower_bound {
            self.comparison.holds_from(number.value, self.limit)
        } else {
            self.comparison.holds(number.value, self.limit)
        }
    }
}

/// The counts that a threshold reads.
#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// A measure of these rows together.
    Rows(RowMeasure, Vec<RowId>),
    /// A measure of the iterations of these scenarios together.
    Iterations(IterationMeasure, Vec<usize>),
    /// Start delays of exchanges, over all rows.
    StartDelay,
    /// The Apdex score of these rows together.
    Apdex(Vec<ApdexRow>),
    /// Number of active users.
    Users,
    /// Metrics of one kind and unit together.
    Metrics {
        /// The metrics.
        ids: Vec<MetricId>,
        /// The kind of all these metrics.
        kind: MetricKind,
        /// The unit of all these metrics.
        unit: MetricUnit,
    },
}

/// A row with a target for its response times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApdexRow {
    /// The row.
    pub row: RowId,
    /// The longest time that satisfies, in microseconds.
    pub target: u64,
}

/// A measure of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowMeasure {
    /// End − intended start.
    Response,
    /// End − start.
    Service,
    /// End − intended start of exchanges without a failure.
    OkResponse,
    /// End − start of those exchanges.
    OkService,
    /// End − intended start of exchanges with a failure.
    FailedResponse,
    /// End − start of those exchanges.
    FailedService,
    /// A phase of an exchange, by its place in [`PhaseDurations`](super::sample::PhaseDurations).
    Phase(usize),
    /// The share of exchanges that failed.
    Failed,
    /// Number of exchanges.
    Requests,
    /// Bytes received.
    BytesIn,
    /// Bytes sent.
    BytesOut,
}

impl RowMeasure {
    /// Returns this measure of the exchanges with one outcome; `None` if it cannot tell them apart.
    pub(crate) const fn of_outcome(self, outcome: OutcomeFilter) -> Option<Self> {
        match (self, outcome) {
            (Self::Response | Self::Service, OutcomeFilter::All) => Some(self),
            (Self::Response, OutcomeFilter::Ok) => Some(Self::OkResponse),
            (Self::Response, OutcomeFilter::Failed) => Some(Self::FailedResponse),
            (Self::Service, OutcomeFilter::Ok) => Some(Self::OkService),
            (Self::Service, OutcomeFilter::Failed) => Some(Self::FailedService),
            _ => None,
        }
    }

    /// Returns `true` for a measure of times.
    pub(crate) const fn is_time(self) -> bool {
        !matches!(self, Self::Failed | Self::Requests | Self::BytesIn | Self::BytesOut)
    }
}

/// A measure of iterations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IterationMeasure {
    /// Iterations that ran to the end.
    Completed,
    /// Iterations that found no free user.
    Dropped,
    /// Durations of completed iterations.
    Duration,
}

/// The kind of a measure, which decides how its values become numbers and which aggregations it supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeasureKind {
    /// The distribution of the values. `fails` is `true` if each value belongs to an exchange, which may have failed.
    #[allow(missing_docs, reason = "said above")]
    Trend { fails: bool },
    /// The sum of the values.
    Counter,
    /// The share of values that are not 0.
    Share,
    /// The last, the least and the greatest value.
    Gauge,
    /// A single number from 0 to 1.
    Score,
}

impl Measure {
    /// Returns the kind, which decides how its values become numbers.
    pub const fn kind(&self) -> MeasureKind {
        match self {
            Self::Rows(RowMeasure::Response | RowMeasure::Service | RowMeasure::Phase(_), _) => {
                MeasureKind::Trend { fails: true }
            }
            Self::Rows(RowMeasure::Failed, _) => MeasureKind::Share,
            Self::Rows(RowMeasure::Requests | RowMeasure::BytesIn | RowMeasure::BytesOut, _) => MeasureKind::Counter,
            Self::Rows(..) => MeasureKind::Trend { fails: false },
            Self::Apdex(_) => MeasureKind::Score,
            Self::StartDelay | Self::Iterations(IterationMeasure::Duration, _) => MeasureKind::Trend { fails: false },
            Self::Iterations(..) => MeasureKind::Counter,
            Self::Users => MeasureKind::Gauge,
            Self::Metrics { kind, .. } => match kind {
                MetricKind::Trend => MeasureKind::Trend { fails: false },
                MetricKind::Counter => MeasureKind::Counter,
                MetricKind::Rate => MeasureKind::Share,
                MetricKind::Gauge => MeasureKind::Gauge,
            },
        }
    }

    /// Returns the quantity of an aggregation; `None` if the measure does not support it.
    pub fn quantity(&self, aggregation: Aggregation) -> Option<Quantity> {
        use Aggregation as A;
        match (self.kind(), aggregation) {
            (MeasureKind::Trend { fails: true }, A::Rate) | (MeasureKind::Share, A::Rate) => Some(Quantity::Share),
            (MeasureKind::Trend { .. }, A::Count) => Some(Quantity::Number),
            (MeasureKind::Trend { .. }, A::Percentile(_) | A::Avg | A::Min | A::Med | A::Max)
            | (MeasureKind::Counter, A::Count | A::Rate)
            | (MeasureKind::Gauge, A::Value | A::Min | A::Max)
            | (MeasureKind::Score, A::Value) => Some(self.unit()),
            _ => None,
        }
    }

    /// Returns the quantity of a single value.
    const fn unit(&self) -> Quantity {
        match self {
            Self::Rows(measure, _) if measure.is_time() => Quantity::Time,
            Self::Iterations(IterationMeasure::Duration, _) | Self::StartDelay => Quantity::Time,
            Self::Apdex(_) => Quantity::Score,
            Self::Rows(RowMeasure::BytesIn | RowMeasure::BytesOut, _) => Quantity::Bytes,
            Self::Rows(..) | Self::Iterations(..) | Self::Users => Quantity::Number,
            Self::Metrics { unit, .. } => match unit {
                MetricUnit::Number => Quantity::Number,
                MetricUnit::Nanoseconds => Quantity::Time,
                MetricUnit::Bytes => Quantity::Bytes,
            },
        }
    }
}

impl MeasureKind {
    /// Lists the supported aggregations in words, for messages.
    pub const fn aggregations(self) -> &'static str {
        match self {
            Self::Trend { fails: true } => "`p(N)`, `avg`, `min`, `med`, `max`, `count` and `rate`",
            Self::Trend { fails: false } => "`p(N)`, `avg`, `min`, `med`, `max` and `count`",
            Self::Counter => "`count` and `rate`",
            Self::Share => "`rate`",
            Self::Gauge => "`value`, `min` and `max`",
            Self::Score => "`value`",
        }
    }
}
