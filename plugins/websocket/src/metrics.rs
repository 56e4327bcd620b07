//! What is worth a number inside of a sample.

use std::time::Duration;

use stampede_plugin::ConfigError;
use stampede_plugin::metric::{Counter, Trend};

/// The numbers of all steps together.
#[derive(Clone, Copy)]
pub struct Metrics {
    /// Text and binary messages that a step has looked at.
    pub messages_in: Counter,
    /// Text and binary messages sent.
    pub messages_out: Counter,
    /// From the request of a handshake to its reply.
    pub handshake: Trend<Duration>,
    /// From a message or ping to the answer that the same step expected.
    pub round_trip: Trend<Duration>,
}

impl Metrics {
    /// Defines them, or finds them defined by another step.
    pub fn new() -> Result<Self, ConfigError> {
        Ok(Self {
            messages_in: Counter::new("messages_in")?,
            messages_out: Counter::new("messages_out")?,
            handshake: Trend::time("handshake")?,
            round_trip: Trend::time("round_trip")?,
        })
    }
}
