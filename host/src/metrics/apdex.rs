//! Apdex, a single number for how content the users of a row were: of all requests, the share that satisfied, and half
//! of those that were tolerable ("Application Performance Index, Technical Specification", version 1.1, Apdex Alliance,
//! 2007). A request satisfies if its response time is at most the target T, and is tolerable up to 4 T. One that failed
//! frustrates, however quick it was; so does one that was cut off.
//!
//! The counts come from the histogram of response times, so they are exact to its bins, 0.1 % of a time.

use hdrhistogram::Counter;

use super::row_stats::RowStats;

/// The number of targets up to which a request is tolerable.
const TOLERABLE: u64 = 4;

/// The requests of a row by how content their user was. The others frustrated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ApdexCounts {
    /// Requests that satisfied.
    pub satisfied: u64,
    /// Requests that were tolerable.
    pub tolerating: u64,
    /// All requests.
    pub total: u64,
}

impl ApdexCounts {
    /// Counts the requests of a row whose target is this many microseconds.
    pub(crate) fn of_row<C: Counter>(row: &RowStats<C>, target: u64) -> Self {
        let times = row.ok_response();
        let satisfied = times.count_upto(target);
        let tolerating = times.count_upto(target.saturating_mul(TOLERABLE)) - satisfied;
        Self { satisfied, tolerating, total: row.requests() }
    }

    /// Adds the counts of another row.
    pub(crate) fn add(&mut self, other: Self) {
        self.satisfied += other.satisfied;
        self.tolerating += other.tolerating;
        self.total += other.total;
    }

    /// Returns the sum of what the requests are worth: one each if they satisfied, a half if they were tolerable.
    pub(crate) fn points(self) -> f64 {
        self.satisfied as f64 + self.tolerating as f64 / 2.0
    }

    /// Returns the score, 0 to 1; `None` without requests.
    pub(crate) fn score(self) -> Option<f64> {
        (self.total > 0).then(|| self.points() / self.total as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{FailureKind, PhaseDurations, Sample};
    use super::*;

    fn row(samples: &[(u64, Option<FailureKind>)]) -> RowStats<u32> {
        let mut row = RowStats::default();
        for &(millis, failure) in samples {
            row.record(&Sample {
                row: 0,
                intended: 1_000,
                start: 1_000,
                end: 1_000 + millis * 1_000_000,
                status: 200,
                bytes_out: 0,
                bytes_in: 0,
                body_bytes_in: 0,
                phases: PhaseDurations::default(),
                failure,
                span: None,
            });
        }
        row
    }

    #[test]
    fn the_example_of_the_specification() {
        // With T = 3 s, 60 samples below it, 30 from there to 12 s and 10 above: (60 + 30 / 2) / 100.
        let times = [(2_000, 60), (7_000, 30), (13_000, 10)];
        let samples: Vec<_> = times.iter().flat_map(|&(millis, count)| vec![(millis, None); count]).collect();
        let counts = ApdexCounts::of_row(&row(&samples), 3_000_000);
        assert_eq!(counts, ApdexCounts { satisfied: 60, tolerating: 30, total: 100 });
        assert_eq!(counts.score(), Some(0.75));
    }

    #[test]
    fn a_time_at_a_limit_is_within_it() {
        for (millis, expected) in [(0, 1.0), (300, 1.0), (301, 0.5), (1_200, 0.5), (1_202, 0.0)] {
            let score = ApdexCounts::of_row(&row(&[(millis, None)]), 300_000).score();
            assert_eq!(score, Some(expected), "{millis} ms");
        }
    }

    #[test]
    fn failures_frustrate_however_quick_they_are() {
        for kind in FailureKind::ALL {
            let counts = ApdexCounts::of_row(&row(&[(1, None), (1, Some(kind))]), 300_000);
            assert_eq!(counts, ApdexCounts { satisfied: 1, tolerating: 0, total: 2 }, "{}", kind.name());
        }
        assert_eq!(ApdexCounts::of_row(&row(&[]), 300_000).score(), None);
    }

    #[test]
    fn rows_add_up() {
        let mut sum = ApdexCounts::of_row(&row(&[(1, None)]), 1_000);
        sum.add(ApdexCounts::of_row(&row(&[(9, None), (3, None)]), 1_000));
        assert_eq!(sum, ApdexCounts { satisfied: 1, tolerating: 1, total: 3 });
        assert_eq!(sum.score(), Some(0.5));
    }
}
