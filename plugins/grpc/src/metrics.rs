//! Metrics of the messages within a call.

use std::time::Duration;

use stampede_plugin::ConfigError;
use stampede_plugin::metric::{Counter, Trend};

/// The metrics, which all steps share.
#[derive(Clone, Copy)]
pub(crate) struct Metrics {
    /// Messages received.
    pub messages_in: Counter,
    /// Messages sent.
    pub messages_out: Counter,
    /// Time from the start of a call to its first message.
    pub first_message: Trend<Duration>,
}

impl Metrics {
    /// Defines the metrics, or returns those that another step has defined.
    pub(crate) fn new() -> Result<Self, ConfigError> {
        Ok(Self {
            messages_in: Counter::new("messages_in")?,
            messages_out: Counter::new("messages_out")?,
            first_message: Trend::time("first_message")?,
        })
    }
}
