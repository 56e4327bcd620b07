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
pub(super) struct ThresholdWatch {
    judge: Judge,
    draining_since: Option<Nanos>,
}

impl ThresholdWatch {
    /// Creates the watch of a load that has not begun.
    pub(super) fn new(plan: &Plan) -> Self {
        Self { judge: Judge::new(&plan.thresholds), draining_since: None }
    }

    /// Notes that the load is ending. Only the first call counts: what is measured after it is in no window.
    pub(super) fn load_ends(&mut self, now: Nanos) {
        self.draining_since.get_or_insert(now);
    }

    /// Judges what is left, and returns the verdicts on all thresholds. `load_end` is the length of the load.
    pub(super) fn finish(self, aggregate: &Aggregate, load_end: Nanos) -> Vec<ThresholdVerdict> {
        self.judge.finish(aggregate, load_end, self.draining_since.unwrap_or(load_end))
    }
}

impl RunObserver for ThresholdWatch {
    fn second(&mut self, second: &Arc<SecondSnapshot>, aggregate: &Aggregate) -> Option<EndReason> {
        self.judge.add(second.merged.second, &second.merged.counts);
        if second.phase != RunPhase::Running {
            self.load_ends(second.totals.elapsed);
        }
        // One threshold has ended the run already; more seconds of the same moment may follow.
        if self.draining_since.is_some() {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cli::RunArgs;
    use crate::diagnostic::SourceText;
    use crate::metrics::aggregate::Snapshot;
    use crate::metrics::interval::{Interval, WorkerInterval};
    use crate::metrics::second::SecondMerger;
    use crate::run::SectionKind;
    use crate::run::load_controller::LoadState;
    use crate::run::process_usage::ProcessUsage;

    /// Returns a second with one request of the only row, as one of several that are complete at the same moment.
    fn second_of_burst(merger: &mut SecondMerger, second: u32, is_newest: bool) -> Arc<SecondSnapshot> {
        let mut interval = Box::new(Interval::new(1));
        interval.rows[0].ok = 1;
        merger.add(&WorkerInterval { worker: 0, second, interval });
        Arc::new(SecondSnapshot {
            index: second,
            section: SectionKind::Load,
            ended_at: Duration::ZERO,
            merged: merger.next_remaining().expect("it has counts"),
            process: ProcessUsage::default(),
            totals: Snapshot { elapsed: 3_000_000_000, ..Snapshot::default() },
            is_newest,
            is_partial: false,
            phase: RunPhase::Running,
            load: LoadState::default(),
            changes: Vec::new(),
        })
    }

    #[test]
    fn one_threshold_ends_the_run_even_if_more_fail_in_seconds_of_the_same_moment() {
        let text = "\
steps: [{name: Bytes, url: http://127.0.0.1/bytes/1}]
thresholds:
  http_reqs:
    - {expr: count<1 for 1s, abort: true}
    - {expr: count<2 for 2s, abort: true}
    - {expr: count<3, abort: true}
";
        let source = Arc::new(SourceText { name: "test.yml".into(), text: text.into() });
        let plan = crate::plan::build(&RunArgs::default(), &crate::script::parse(&source).expect("a script"));
        let plan = plan.expect("a plan");
        let mut merger = SecondMerger::new(1, 1, Vec::new(), true);
        let mut aggregate = Aggregate::new(plan.rows.clone(), 1);
        let mut interval = Box::new(Interval::new(1));
        interval.rows[0].ok = 3;
        aggregate.add(&WorkerInterval { worker: 0, second: 0, interval });
        let mut watch = ThresholdWatch::new(&plan);
        let burst = [0, 1, 2].map(|second| second_of_burst(&mut merger, second, second == 2));
        let reasons = burst.map(|second| watch.second(&second, &aggregate));
        assert_eq!(reasons, [Some(EndReason::Threshold), None, None]);
        let verdicts = watch.finish(&aggregate, 3_000_000_000);
        assert_eq!(verdicts.iter().map(|verdict| verdict.aborted).collect::<Vec<_>>(), [true, false, false]);
        assert!(verdicts.iter().all(|verdict| !verdict.passed), "the others are judged all the same");
    }
}
