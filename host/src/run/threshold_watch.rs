//! The thresholds of a run as an observer: each second is judged as soon as it is complete, and one that must end the
//! run ends it.

use std::sync::Arc;

use stampede_time::{Nanos, RunPhase};

use super::observer::{RunObserver, SecondSnapshot};
use super::outcome::EndReason;
use crate::metrics::aggregate::Aggregate;
use crate::metrics::threshold::{Judge, ThresholdVerdict};
use crate::plan::Plan;

/// The judge, and when the load began to end.
pub struct ThresholdWatch {
    judge: Judge,
    draining_since: Option<Nanos>,
}

impl ThresholdWatch {
    /// Creates the watch of a load that has not begun.
    pub fn new(plan: &Plan) -> Self {
        Self { judge: Judge::new(&plan.thresholds), draining_since: None }
    }

    /// Notes that the load is ending. Only the first call counts: what is measured after it is in no window.
    pub fn load_ends(&mut self, now: Nanos) {
        self.draining_since.get_or_insert(now);
    }

    /// Judges what is left, and returns the verdicts on all thresholds. `load_end` is the length of the load.
    pub fn finish(self, aggregate: &Aggregate, load_end: Nanos) -> Vec<ThresholdVerdict> {
        self.judge.finish(aggregate, load_end, self.draining_since.unwrap_or(load_end))
    }
}

impl RunObserver for ThresholdWatch {
    fn second(&mut self, second: &Arc<SecondSnapshot>, aggregate: &Aggregate) -> Option<EndReason> {
        self.judge.add(second.merged.second, &second.merged.counts);
        if second.phase != RunPhase::Running {
            self.load_ends(second.totals.elapsed);
            return None;
        }
        let fatal = self.judge.judge(second.merged.second, second.is_newest.then_some(aggregate))?;
        tracing::warn!("stopping: the threshold `{}: {}` does not hold", fatal.metric, fatal.expression);
        self.draining_since = Some(second.totals.elapsed);
        Some(EndReason::Threshold)
    }

    fn reads_counts(&self) -> bool {
        self.judge.reads_counts()
    }
}
