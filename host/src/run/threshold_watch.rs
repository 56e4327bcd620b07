//! Where the thresholds of a run are judged: hears what the workers hand over, and says when the run is to end.

use stampede_time::{Nanos, RunPhase};

use crate::metrics::aggregate::Aggregate;
use crate::metrics::interval::Interval;
use crate::metrics::threshold::{Judge, ThresholdVerdict};
use crate::plan::Plan;

/// The judge, and when the run began to end.
pub struct ThresholdWatch {
    judge: Judge,
    draining_since: Option<Nanos>,
}

impl ThresholdWatch {
    /// Before the first second of a run.
    pub fn new(plan: &Plan) -> Self {
        Self { judge: Judge::new(&plan.thresholds, plan.workers), draining_since: None }
    }

    /// A worker hands over a second, which is in the aggregate already. True if the run is to end; while it ends by
    /// itself nothing else can end it.
    pub fn observe(
        &mut self,
        (worker, second, interval): (usize, u32, &Interval),
        aggregate: &Aggregate,
        now: Nanos,
        phase: RunPhase,
    ) -> bool {
        self.judge.add(worker, second, interval);
        if phase != RunPhase::Running {
            self.draining_since.get_or_insert(now);
            return false;
        }
        let Some(fatal) = self.judge.judge_complete(aggregate, now) else { return false };
        tracing::warn!("stopping: the threshold `{}: {}` does not hold", fatal.metric, fatal.expression);
        self.draining_since = Some(now);
        true
    }

    /// What came of all thresholds.
    pub fn finish(self, aggregate: &Aggregate, elapsed: Nanos) -> Vec<ThresholdVerdict> {
        self.judge.finish(aggregate, elapsed, self.draining_since.unwrap_or(elapsed))
    }
}
