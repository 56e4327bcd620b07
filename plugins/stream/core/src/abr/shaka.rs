//! The rule of Shaka Player 5.2: the highest rung below a share of the estimate, at most every eight seconds.

use super::estimate::Transfer;
use super::ewma::Ewma;
use super::{AbrContext, highest_below};
use crate::micros::{MILLISECOND, Micros, SECOND};

/// The share of the estimate that a rung may use.
const SHARE: f64 = 0.95;
/// The bits per second before there is an estimate.
const FIRST: f64 = 1e6;
/// The half-lives of the averages, in seconds of transfer.
const FAST: f64 = 2.0;
const SLOW: f64 = 5.0;
/// Smaller transfers are not sampled.
const LEAST_BYTES: u64 = 16_000;
/// The bytes from which the averages count.
const ENOUGH_BYTES: u64 = 128_000;
/// Transfers that are shorter came from a cache.
const CACHED: Micros = 5 * MILLISECOND;
/// The time from one switch to the next.
const SWITCH_EVERY: Micros = 8 * SECOND;

/// The state of the rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shaka {
    fast: Ewma,
    slow: Ewma,
    bytes: u64,
    /// The rung, and the instant at which it was chosen; `Micros::MIN` for the first, before there was an estimate.
    chosen: Option<usize>,
    chosen_at: Micros,
}

impl Shaka {
    pub(crate) fn new() -> Self {
        Self { fast: Ewma::new(FAST), slow: Ewma::new(SLOW), bytes: 0, chosen: None, chosen_at: Micros::MIN }
    }

    pub(crate) fn segment(&mut self, transfer: &Transfer) {
        if transfer.bytes < LEAST_BYTES || transfer.times.end - transfer.times.start < CACHED {
            return;
        }
        self.bytes += transfer.bytes;
        let seconds = transfer.total();
        self.fast.sample(seconds, transfer.bits() / seconds);
        self.slow.sample(seconds, transfer.bits() / seconds);
    }

    /// Returns the estimate.
    pub(crate) fn rate(&self) -> f64 {
        self.fast.get().min(self.slow.get())
    }

    pub(crate) fn choose(&mut self, context: &AbrContext<'_>) -> usize {
        let is_good = self.bytes >= ENOUGH_BYTES;
        let rate = if is_good { self.rate() } else { FIRST };
        match self.chosen {
            Some(chosen) if !is_good || context.now.saturating_sub(self.chosen_at) < SWITCH_EVERY => chosen,
            _ => {
                let chosen = highest_below(context, rate * SHARE);
                self.chosen = Some(chosen);
                if is_good {
                    self.chosen_at = context.now;
                }
                chosen
            }
        }
    }
}
