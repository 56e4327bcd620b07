//! When the metrics are read, from which follows how long the last values must stay readable.

use std::time::Duration;

use stampede_time::Nanos;

/// The longest time for which the last values stay readable if `--linger` does not say; the interval of Prometheus if
/// its configuration sets none is longer, that of most configurations is this.
const MAX_LINGER: Duration = Duration::from_secs(15);

/// The time of the last read, and the longest time between two. There may be several readers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ScrapeTimes {
    last: Option<Nanos>,
    interval: Option<Nanos>,
}

impl ScrapeTimes {
    /// Notes a read.
    pub(super) fn note(&mut self, now: Nanos) {
        if let Some(last) = self.last {
            self.interval = self.interval.max(Some(now.saturating_sub(last)));
        }
        self.last = Some(now);
    }

    /// Returns the time for which the last values stay readable: until the next read is due and [`MAX_LINGER`] at most;
    /// not at all if there was none.
    pub(super) fn linger(&self) -> Option<Duration> {
        self.last?;
        let interval = self.interval.map(Duration::from_nanos);
        // A read may come a little later than the one before.
        Some(interval.map_or(MAX_LINGER, |interval| (interval + interval / 10).min(MAX_LINGER)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_stay_for_one_interval_that_was_seen() {
        let second = 1_000_000_000;
        for (case, reads, linger) in [
            ("never read", vec![], None),
            ("read once, so the interval is not known", vec![3], Some(15_000)),
            ("read every two seconds", vec![1, 3, 5], Some(2_200)),
            ("read every minute", vec![1, 61], Some(15_000)),
            ("read by two in turn", vec![1, 2, 9, 10, 17, 18], Some(7_700)),
        ] {
            let mut scrapes = ScrapeTimes::default();
            reads.iter().for_each(|at| scrapes.note(at * second));
            assert_eq!(scrapes.linger(), linger.map(Duration::from_millis), "{case}");
        }
    }
}
