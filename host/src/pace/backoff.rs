//! How long to wait before something is done again that failed: longer from time to time, so that a target in trouble is
//! left alone, and not everybody at the same moment.

use stampede_time::Nanos;

/// How often something is done again, and the waits before that. In nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// How often, at most.
    pub max_retries: u32,
    /// The wait before the first time; it doubles from time to time.
    pub first_wait: Nanos,
    /// The longest wait.
    pub max_wait: Nanos,
}

impl Backoff {
    /// The wait before time number `time`, from 0: between half of `min(most, wait × 2^time)` and the whole of it, where
    /// `unit` in `0.0..1.0` says (exponential back-off with equal jitter). `None` if that were once too often.
    pub fn wait_before(self, time: u32, unit: impl FnOnce() -> f64) -> Option<Nanos> {
        if time >= self.max_retries {
            return None;
        }
        let doubled = 1_u64.checked_shl(time).map_or(Nanos::MAX, |factor| self.first_wait.saturating_mul(factor));
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
