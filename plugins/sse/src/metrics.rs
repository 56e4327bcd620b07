//! What is worth a number inside of a stream.

use std::time::Duration;

use stampede_plugin::ConfigError;
use stampede_plugin::metric::{Counter, Trend};

/// The numbers of all steps together.
#[derive(Clone, Copy)]
pub struct Metrics {
    /// Events that came.
    pub events: Counter,
    /// From the request to its first event.
    pub first_event: Trend<Duration>,
    /// From an event to the next.
    pub gap: Trend<Duration>,
}

impl Metrics {
    /// Defines them, or finds them defined by another step.
    pub fn new() -> Result<Self, ConfigError> {
        Ok(Self { events: Counter::new("events")?, first_event: Trend::time("first_event")?, gap: Trend::time("gap")? })
    }
}
