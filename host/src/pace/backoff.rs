//! Exponential backoff: the wait before a retry. It doubles with each retry, so that a target in trouble gets a rest,
//! and is random, so that users do not retry at the same moment.

use stampede_time::Nanos;

/// The number of retries, and the waits before them in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The most retries.
    pub max_retries: u32,
    /// The wait before the first retry; it doubles with each further one.
    pub first_wait: Nanos,
    /// The longest wait.
    pub max_wait: Nanos,
}

impl Backoff {
    /// Returns the wait before retry number `retry`, from 0; `None` if there are no more retries. The wait is between
    /// half of `min(max_wait, first_wait × 2^retry)` and the whole of it, as `unit` in `0.0..1.0` decides (exponential
    /// backoff with equal jitter).
    pub fn wait_before(self, retry: u32, unit: impl FnOnce() -> f64) -> Option<Nanos> {
        if retry >= self.max_retries {
            return None;
        }
        let doubled = 1_u64.checked_shl(retry).map_or(Nanos::MAX, |factor| self.first_wait.saturating_mul(factor));
        let whole = doubled.min(self.max_wait);
        Some(whole / 2 + ((whole - whole / 2) as f64 * unit()) as Nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_lie_in_their_upper_half() {
        let retry = Backoff { max_retries: 4, first_wait: 100, max_wait: 350 };
        let all = |unit: f64| (0..6).map(|time| retry.wait_before(time, || unit)).collect::<Vec<_>>();
        assert_eq!(all(0.0), [Some(50), Some(100), Some(175), Some(175), None, None]);
        assert_eq!(all(1.0), [Some(100), Some(200), Some(350), Some(350), None, None]);
        for (case, retry, time, wait) in [
            ("no wait", Backoff { max_retries: 1, first_wait: 0, max_wait: 9 }, 0, Some(0)),
            ("more times than bits", Backoff { max_retries: 100, first_wait: 1, max_wait: 8 }, 99, Some(4)),
            (
                "a wait that overflows",
                Backoff { max_retries: 3, first_wait: Nanos::MAX, max_wait: Nanos::MAX },
                2,
                Some(Nanos::MAX / 2),
            ),
        ] {
            assert_eq!(retry.wait_before(time, || 0.0), wait, "{case}");
        }
    }
}
