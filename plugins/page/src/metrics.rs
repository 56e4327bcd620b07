//! What is worth a number about a page as a whole.

use std::time::Duration;

use stampede_plugin::ConfigError;
use stampede_plugin::metric::{Counter, Trend};

/// The numbers of all steps together.
#[derive(Clone, Copy)]
pub struct Metrics {
    /// From the request for a page to the last byte of its last resource.
    pub load_time: Trend<Duration>,
    /// Content of a page and its resources, as transferred.
    pub bytes: Trend<u64>,
    /// Resources that were asked for.
    pub resources: Counter,
    /// Those that were not: of other hosts, or too many.
    pub skipped: Counter,
    /// Those that a user had from before.
    pub cached: Counter,
}

impl Metrics {
    /// Defines them, or finds them defined by another step.
    pub fn new() -> Result<Self, ConfigError> {
        Ok(Self {
            load_time: Trend::time("load_time")?,
            bytes: Trend::bytes("bytes")?,
            resources: Counter::new("resources")?,
            skipped: Counter::new("skipped")?,
            cached: Counter::new("cached")?,
        })
    }
}
