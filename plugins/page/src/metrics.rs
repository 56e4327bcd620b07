//! Metrics of a page as a whole.

use std::time::Duration;

use stampede_plugin::ConfigError;
use stampede_plugin::metric::{Counter, Trend};

/// The metrics, which all steps share.
#[derive(Clone, Copy)]
pub(crate) struct Metrics {
    /// Time from the request for a page to the last byte of its last resource.
    pub load_time: Trend<Duration>,
    /// Content of a page and its resources, as transferred.
    pub bytes: Trend<u64>,
    /// Resources requested.
    pub resources: Counter,
    /// Resources not requested: of other hosts, or too many.
    pub skipped: Counter,
    /// Resources that a user had in its cache.
    pub cached: Counter,
}

impl Metrics {
    /// Defines the metrics, or returns those that another step has defined.
    pub(crate) fn new() -> Result<Self, ConfigError> {
        Ok(Self {
            load_time: Trend::time("load_time")?,
            bytes: Trend::bytes("bytes")?,
            resources: Counter::new("resources")?,
            skipped: Counter::new("skipped")?,
            cached: Counter::new("cached")?,
        })
    }
}
