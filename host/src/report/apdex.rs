//! The Apdex score of a row, as numbers of the report.

use serde::{Deserialize, Serialize};

use crate::metrics::apdex::ApdexCounts;

/// The Apdex score of a row, or of all rows that have a target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ApdexReport {
    /// The longest response time that satisfies; `None` if the rows, or the reports that were merged, differ in it.
    pub target_us: Option<u64>,
    /// Requests that satisfied.
    pub satisfied: u64,
    /// Requests that took up to four times the target.
    pub tolerating: u64,
    /// Requests that took longer, failed or were cut off.
    pub frustrated: u64,
    /// The score, 0 to 1; `None` without requests.
    pub score: Option<f64>,
}

impl ApdexReport {
    /// Returns the score of the requests that were counted by a target.
    pub(super) fn new(target: Option<u64>, counts: ApdexCounts) -> Self {
        let ApdexCounts { satisfied, tolerating, total } = counts;
        let frustrated = total.saturating_sub(satisfied + tolerating);
        Self { target_us: target, satisfied, tolerating, frustrated, score: counts.score() }
    }

    /// Returns the score of all requests of both; of one alone if the other has no target.
    pub(super) fn merge(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        let (Some(one), Some(other)) = (one, other) else { return one.or(other) };
        let mut counts = one.counts();
        counts.add(other.counts());
        Some(Self::new(one.target_us.filter(|target| other.target_us == Some(*target)), counts))
    }

    const fn counts(self) -> ApdexCounts {
        let Self { satisfied, tolerating, frustrated, .. } = self;
        ApdexCounts { satisfied, tolerating, total: satisfied + tolerating + frustrated }
    }

    /// Renders the score with the two digits that the specification has.
    pub(super) fn cell(self) -> String {
        self.score.map_or_else(|| "-".into(), |score| format!("{score:.2}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_of_several_rows_add_up() {
        let score = |target, satisfied, tolerating, total| {
            Some(ApdexReport::new(Some(target), ApdexCounts { satisfied, tolerating, total }))
        };
        let (one, other) = (score(300, 60, 30, 100), score(300, 0, 0, 20));
        let sum = ApdexReport::merge(one, other).expect("both have a target");
        assert_eq!((sum.target_us, sum.frustrated, sum.score), (Some(300), 30, Some(75.0 / 120.0)));
        assert_eq!((sum.cell().as_str(), ApdexReport::merge(None, one)), ("0.62", one));
        assert_eq!(ApdexReport::merge(one, score(500, 1, 0, 1)).expect("both").target_us, None);
        assert_eq!(score(300, 0, 0, 0).expect("a target").cell(), "-", "nothing was sent");
    }
}
