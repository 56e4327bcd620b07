//! The rule of ExoPlayer: the highest rung below a share of the median bandwidth; up only with a long buffer, and down
//! only with a short one. It is declared from that player's documentation, without recordings to compare with.

use std::collections::VecDeque;

use super::estimate::Transfer;
use super::{AbrContext, highest_below};
use crate::micros::{Micros, SECOND};

/// The share of the estimate that a rung may use.
const SHARE: f64 = 0.7;
/// The bits per second before the first sample.
const FIRST: f64 = 1e6;
/// The weight of the samples that are kept; each weighs the square root of its bytes.
const WEIGHTS: f64 = 2000.0;
/// The buffer from which a higher rung is chosen.
const UP_FROM: Micros = 10 * SECOND;
/// The buffer from which a lower rung is not chosen.
const DOWN_BELOW: Micros = 25 * SECOND;

/// The state of the rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ExoPlayer {
    samples: VecDeque<Sample>,
    weight: f64,
}

/// A transfer in the window.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sample {
    weight: f64,
    rate: f64,
}

impl ExoPlayer {
    pub(crate) fn new() -> Self {
        Self { samples: VecDeque::new(), weight: 0.0 }
    }

    pub(crate) fn segment(&mut self, transfer: &Transfer) {
        if transfer.bytes == 0 {
            return;
        }
        let weight = (transfer.bits() / 8.0).sqrt();
        self.samples.push_back(Sample { weight, rate: transfer.bits() / transfer.total().max(0.001) });
        self.weight += weight;
        while self.weight > WEIGHTS && self.samples.len() > 1 {
            self.weight -= self.samples.pop_front().map_or(0.0, |sample| sample.weight);
        }
    }

    /// Returns the weighted median.
    pub(crate) fn rate(&self) -> f64 {
        let mut sorted: Vec<_> = self.samples.iter().copied().collect();
        sorted.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        let mut passed = 0.0;
        let median = sorted.iter().find(|sample| {
            passed += sample.weight;
            passed >= self.weight / 2.0
        });
        median.map_or(FIRST, |sample| sample.rate)
    }

    pub(crate) fn choose(&self, context: &AbrContext<'_>) -> usize {
        let ideal = highest_below(context, self.rate() * SHARE);
        let Some(last) = context.last else { return ideal };
        let keeps = ideal > last && context.buffer < UP_FROM || ideal < last && context.buffer >= DOWN_BELOW;
        if keeps { last } else { ideal }
    }
}
