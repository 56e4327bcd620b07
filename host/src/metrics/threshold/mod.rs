//! Whether a run was good enough: statistics held against limits, over the whole run or over the last seconds of it.
//!
//! Nothing is measured for this. What the rows and metrics have counted anyway is added up ([`sums`]) where a
//! [`Threshold`] looks, once at the end, and once a second where it may abort the run or has a window ([`judge`]).

pub mod judge;
pub mod sums;

use super::custom_metric::{MetricId, MetricKind, MetricUnit};
use super::sample::RowId;
use crate::script::threshold_syntax::{Aggregation, Comparison, Quantity};

pub use judge::{Judge, ThresholdVerdict};

/// What has to hold. Complete and valid: the rows and metrics exist, and have this aggregation.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdRule {
    /// The metric with its tags, as typed.
    pub metric: String,
    /// What has to hold of it, as typed.
    pub expression: String,
    /// What is looked at.
    pub measure: Measure,
    /// How its values become a number.
    pub aggregation: Aggregation,
    /// How that is held against the limit.
    pub comparison: Comparison,
    /// The limit, in the base unit of its quantity.
    pub limit: f64,
    /// What both are.
    pub quantity: Quantity,
    /// Over so many last seconds, at every second; over the whole run if `None`.
    pub window: Option<u32>,
    /// Whether the run ends when it does not hold, and from which second on.
    pub abort: Option<u32>,
}

/// What a threshold looks at.
#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// Something of these rows together.
    Rows(RowMeasure, Vec<RowId>),
    /// Something of the iterations of these scenarios together.
    Iterations(IterationMeasure, Vec<usize>),
    /// How late exchanges started, over all rows.
    StartDelay,
    /// Users under way.
    Users,
    /// Metrics of one kind and unit together.
    Metrics {
        /// Which.
        ids: Vec<MetricId>,
        /// What they are.
        kind: MetricKind,
        /// What they count.
        unit: MetricUnit,
    },
}

/// What is measured of every row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowMeasure {
    /// End − intended start.
    Response,
    /// End − start.
    Service,
    /// A part of an exchange, by its place in [`PhaseTimes::NAMES`](super::series::PhaseTimes::NAMES).
    Phase(usize),
    /// Whether an exchange failed.
    Failed,
    /// Exchanges.
    Requests,
    /// Bytes received.
    BytesIn,
    /// Bytes sent.
    BytesOut,
}

/// What is measured of iterations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IterationMeasure {
    /// Those that were walked to the end.
    Completed,
    /// Those that found no user.
    Dropped,
    /// How long the completed ones took.
    Duration,
}

/// How values of a measure become numbers; it decides which aggregations there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeasureKind {
    /// Their distribution. `fails` is whether each is of something that may have failed.
    #[allow(missing_docs, reason = "said above")]
    Trend { fails: bool },
    /// Their sum.
    Counter,
    /// The share of them that is so.
    Share,
    /// The last, the least, the greatest.
    Gauge,
}

impl Measure {
    /// How its values become numbers.
    pub const fn kind(&self) -> MeasureKind {
        match self {
            Self::Rows(RowMeasure::Response | RowMeasure::Service | RowMeasure::Phase(_), _) => {
                MeasureKind::Trend { fails: true }
            }
            Self::Rows(RowMeasure::Failed, _) => MeasureKind::Share,
            Self::Rows(RowMeasure::Requests | RowMeasure::BytesIn | RowMeasure::BytesOut, _) => MeasureKind::Counter,
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

    /// What an aggregation of it is; `None` if it has no such aggregation.
    pub fn quantity(&self, aggregation: Aggregation) -> Option<Quantity> {
        use Aggregation as A;
        match (self.kind(), aggregation) {
            (MeasureKind::Trend { fails: true }, A::Rate) | (MeasureKind::Share, A::Rate) => Some(Quantity::Share),
            (MeasureKind::Trend { .. }, A::Count) => Some(Quantity::Number),
            (MeasureKind::Trend { .. }, A::Percentile(_) | A::Avg | A::Min | A::Med | A::Max)
            | (MeasureKind::Counter, A::Count | A::Rate)
            | (MeasureKind::Gauge, A::Value | A::Min | A::Max) => Some(self.unit()),
            _ => None,
        }
    }

    /// What a single value is.
    const fn unit(&self) -> Quantity {
        match self {
            Self::Rows(RowMeasure::Response | RowMeasure::Service | RowMeasure::Phase(_), _)
            | Self::Iterations(IterationMeasure::Duration, _)
            | Self::StartDelay => Quantity::Time,
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
    /// The aggregations, for messages.
    pub const fn aggregations(self) -> &'static str {
        match self {
            Self::Trend { fails: true } => "`p(N)`, `avg`, `min`, `med`, `max`, `count` and `rate`",
            Self::Trend { fails: false } => "`p(N)`, `avg`, `min`, `med`, `max` and `count`",
            Self::Counter => "`count` and `rate`",
            Self::Share => "`rate`",
            Self::Gauge => "`value`, `min` and `max`",
        }
    }
}
