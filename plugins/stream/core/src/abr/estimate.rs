//! Estimates of the bandwidth, each as its player makes it from finished and abandoned transfers.

use super::ewma::Ewma;
use super::math::exp;
use crate::event::FetchTimes;
use crate::micros::{Micros, to_seconds};

/// A transfer of media.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Transfer {
    pub(crate) bytes: u64,
    pub(crate) times: FetchTimes,
}

impl Transfer {
    /// Returns the seconds from the request to the last byte.
    pub(crate) fn total(&self) -> f64 {
        to_seconds(self.times.end - self.times.start)
    }

    /// Returns the seconds from the request to the head.
    pub(crate) fn head_seconds(&self) -> f64 {
        to_seconds(self.times.headed - self.times.start)
    }

    pub(crate) fn bits(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "2^53 bytes are more than any transfer")]
        let bytes = self.bytes as f64;
        bytes * 8.0
    }
}

/// The estimate of hls.js: the lower of a fast and a slow average, with the time to the head apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HlsJsEstimate {
    fast: Ewma,
    slow: Ewma,
    head: Ewma,
    /// Bits per second before the first sample.
    first: f64,
}

/// The half-lives of hls.js, in seconds of transfer.
const HLS_JS_FAST: f64 = 3.0;
const HLS_JS_SLOW: f64 = 9.0;
/// The total weight from which an average counts.
const HLS_JS_ENOUGH: f64 = 0.001;
/// The time to the head before the first sample, in seconds.
const HLS_JS_HEAD: f64 = 0.1;

impl HlsJsEstimate {
    pub(crate) fn new(first: f64) -> Self {
        Self { fast: Ewma::new(HLS_JS_FAST), slow: Ewma::new(HLS_JS_SLOW), head: Ewma::new(HLS_JS_SLOW), first }
    }

    /// Takes the time to the head of a reply, in seconds.
    pub(crate) fn sample_head(&mut self, seconds: f64) {
        // Long waits say little of the connection, so they weigh little.
        let weight = std::f64::consts::SQRT_2 * exp(-seconds * seconds / 2.0);
        self.head.sample(weight, seconds.max(0.005));
    }

    /// Takes a transfer that lasted this many seconds, without the time to the head that is usual.
    pub(crate) fn sample(&mut self, transfer: &Transfer) {
        if transfer.bytes == 0 {
            return;
        }
        let seconds = transfer.total() - transfer.head_seconds().min(self.head());
        let shortest = (transfer.bits() / 8e5).min(50.0) / 1000.0;
        let seconds = seconds.max(shortest);
        let rate = transfer.bits() / seconds;
        self.fast.sample(seconds, rate);
        self.slow.sample(seconds, rate);
    }

    /// Returns the estimate in bits per second.
    pub(crate) fn rate(&self) -> f64 {
        if self.is_sampled() { self.fast.get().min(self.slow.get()) } else { self.first }
    }

    /// Returns `true` after the first sample.
    pub(crate) fn is_sampled(&self) -> bool {
        self.fast.weight() >= HLS_JS_ENOUGH
    }

    /// Returns the usual time to the head, in seconds.
    pub(crate) fn head(&self) -> f64 {
        if self.head.weight() >= HLS_JS_ENOUGH { self.head.get() } else { HLS_JS_HEAD }
    }
}

/// Returns a transfer that is still going on, as if it ended now.
pub(crate) fn so_far(start: Micros, headed: Option<Micros>, now: Micros, bytes: u64) -> Transfer {
    Transfer { bytes, times: FetchTimes { start, headed: headed.unwrap_or(now), end: now } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::micros::SECOND;

    #[test]
    fn the_time_to_the_head_is_not_transfer() {
        let mut estimate = HlsJsEstimate::new(500_000.0);
        assert!(!estimate.is_sampled() && estimate.rate() == 500_000.0 && estimate.head() == 0.1);
        // 1 MB in a second, after 0.1 s to the head.
        let transfer = so_far(0, Some(SECOND / 10), SECOND * 11 / 10, 1_000_000);
        estimate.sample_head(transfer.head_seconds());
        estimate.sample(&transfer);
        assert!((estimate.rate() - 8e6).abs() < 1.0, "{}", estimate.rate());
        // A transfer without a duration counts as 100 kB a millisecond.
        let mut estimate = HlsJsEstimate::new(500_000.0);
        estimate.sample(&so_far(0, Some(0), 0, 1_000_000));
        assert!((estimate.rate() - 8e8).abs() < 1.0, "{}", estimate.rate());
        let mut estimate = HlsJsEstimate::new(1.0);
        estimate.sample(&so_far(0, None, SECOND, 0));
        assert!(!estimate.is_sampled());
    }

    #[test]
    fn a_drop_counts_at_once_and_a_rise_slowly() {
        let mut estimate = HlsJsEstimate::new(1.0);
        let second = |rate: u64| so_far(0, Some(0), SECOND, rate / 8);
        for _ in 0..10 {
            estimate.sample(&second(4_000_000));
        }
        estimate.sample(&second(400_000));
        let dropped = estimate.rate();
        assert!(dropped < 3_400_000.0, "{dropped}");
        estimate.sample(&second(8_000_000));
        assert!(estimate.rate() < 5_000_000.0);
    }
}
