//! Failed exchanges as they stand in the report.

use serde::{Deserialize, Serialize};
use stampede_time::Nanos;

use super::times::PerPhase;
use crate::metrics::sample::PhaseDurations;
use crate::metrics::shown_exchange::{ShownExchange, ShownMessage};

/// One exchange, to be read by a person. It holds no secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ExchangeReport {
    /// Its start after the beginning of the set-up, the load or the teardown.
    pub at_us: u64,
    /// The number of the user.
    pub user: u32,
    /// The failure in one line; empty if there was none.
    pub reason: String,
    /// The status of the reply; `None` if there was none.
    pub status: Option<u16>,
    /// The request; `None` if it could not be built.
    pub request: Option<MessageReport>,
    /// The reply; `None` if it was not received whole.
    pub reply: Option<MessageReport>,
    /// End − intended start.
    pub response_time_us: u64,
    /// End − start.
    pub service_time_us: u64,
    /// The phases that happened.
    pub phases_us: PerPhase<Option<u64>>,
}

/// A request or a reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MessageReport {
    /// The first line and the fields, a line each.
    pub head: String,
    /// The beginning of the content; `None` if it is not text, or was not kept.
    pub body: Option<String>,
    /// The size of the content in bytes, before decoding.
    pub body_bytes: u64,
    /// True if the content goes on after `body`.
    pub is_cut: bool,
}

impl ExchangeReport {
    /// Converts an exchange that was kept.
    pub(crate) fn new(exchange: &ShownExchange) -> Self {
        let sample = &exchange.sample;
        let PhaseDurations { dns, connect, tls, first_byte, receive } = sample.phases;
        let micros = |nanos: Option<Nanos>| nanos.map(|nanos| nanos / 1000);
        Self {
            at_us: sample.start / 1000,
            user: exchange.user,
            reason: exchange.reason.clone(),
            status: (sample.status != 0).then_some(sample.status),
            request: exchange.request.as_ref().map(MessageReport::new),
            reply: exchange.reply.as_ref().map(MessageReport::new),
            response_time_us: sample.response_time() / 1000,
            service_time_us: sample.service_time() / 1000,
            phases_us: PerPhase::from_array([dns, connect, tls, first_byte, receive].map(micros)),
        }
    }
}

impl MessageReport {
    fn new(message: &ShownMessage) -> Self {
        let ShownMessage { head, body, body_bytes, is_cut } = message.clone();
        Self { head, body, body_bytes, is_cut }
    }
}
