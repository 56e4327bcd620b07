//! Metrics of the messages within a sample.

use std::time::Duration;

use stampede_plugin::ConfigError;
use stampede_plugin::metric::{Counter, Trend};

/// The metrics, which all steps share.
#[derive(Clone, Copy)]
pub(crate) struct Metrics {
    /// Text and binary messages read.
    pub messages_in: Counter,
    /// Text and binary messages sent.
    pub messages_out: Counter,
    /// Time from the request of a handshake to its reply.
    pub handshake: Trend<Duration>,
    /// Time from a message or ping to the answer that one step sent and expected.
    pub round_trip: Trend<Duration>,
}

impl Metrics {
    /// Defines the metrics, or returns those that another step has defined.
    pub(crate) fn new() -> Result<Self, ConfigError> {
        Ok(Self {
            messages_in: Counter::new("messages_in")?,
            messages_out: Counter::new("messages_out")?,
            handshake: Trend::time("handshake")?,
            round_trip: Trend::time("round_trip")?,
        })
    }
}
