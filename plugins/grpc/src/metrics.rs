//! What is worth a number inside of a call.

use std::time::Duration;

use stampede_plugin::ConfigError;
use stampede_plugin::metric::{Counter, Trend};

/// The numbers of all steps together.
#[derive(Clone, Copy)]
pub struct Metrics {
    /// Messages that came.
    pub messages_in: Counter,
    /// Messages sent.
    pub messages_out: Counter,
    /// From the start of a call to its first message.
    pub first_message: Trend<Duration>,
}

impl Metrics {
    /// Defines them, or finds them defined by another step.
    pub fn new() -> Result<Self, ConfigError> {
        Ok(Self {
            messages_in: Counter::new("messages_in")?,
            messages_out: Counter::new("messages_out")?,
            first_message: Trend::time("first_message")?,
        })
    }
}
