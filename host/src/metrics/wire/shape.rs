//! The shape of the intervals that a reader expects, and the reasons why others are refused.

use std::fmt;

use crate::metrics::custom_metric::{MetricKind, MetricTally};
use crate::metrics::interval::Interval;

/// The version of the format. A reader knows no other.
pub const VERSION: u8 = 1;

/// The numbers of things in every interval of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntervalShape {
    /// The number of rows.
    pub rows: usize,
    /// The kinds of the metrics of plugins, groups and checks.
    pub metrics: Vec<MetricKind>,
    /// The number of scenarios.
    pub scenarios: usize,
    /// The number of plugins.
    pub plugins: usize,
}

/// The reason why bytes are not an interval of the reader's plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireError {
    /// The bytes are in another version of the format.
    Version(u8),
    /// The bytes are of a plan with other rows, metrics, scenarios or plugins.
    Shape(&'static str),
    /// The bytes end within the interval.
    Ended,
    /// There are more bytes than the interval has, or than are read.
    TooLong,
    /// A number or a text is not one that an interval may have.
    Invalid(&'static str),
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => {
                write!(f, "the counts are in format {version}, and this version reads format {VERSION}")
            }
            Self::Shape(what) => write!(f, "the counts are of a plan with other {what}"),
            Self::Ended => f.write_str("the counts end too early"),
            Self::TooLong => f.write_str("the counts are too long"),
            Self::Invalid(what) => write!(f, "the counts have an invalid {what}"),
        }
    }
}

impl std::error::Error for WireError {}

impl IntervalShape {
    /// Returns an interval of this shape without counts.
    pub fn empty_interval(&self) -> Interval {
        let mut interval = Interval::new(self.rows);
        interval.tallies = self.metrics.iter().copied().map(MetricTally::new).collect();
        interval
    }
}
