//! Metrics of the events in a stream.

use std::time::Duration;

use stampede_plugin::ConfigError;
use stampede_plugin::metric::{Counter, Trend};

/// The metrics, which all steps share.
#[derive(Clone, Copy)]
pub(crate) struct Metrics {
    /// Events received.
    pub events: Counter,
    /// Time from the request to its first event.
    pub first_event: Trend<Duration>,
    /// Time from an event to the next.
    pub gap: Trend<Duration>,
}

impl Metrics {
    /// Defines the metrics, or returns those that another step has defined.
    pub(crate) fn new() -> Result<Self, ConfigError> {
        Ok(Self { events: Counter::new("events")?, first_event: Trend::time("first_event")?, gap: Trend::time("gap")? })
    }
}
