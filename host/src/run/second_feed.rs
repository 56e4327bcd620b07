//! The seconds of one section on their way from the workers to the observers.

use std::sync::Arc;

use stampede_time::{Nanos, RunPhase, SECOND};

use super::load_controller::LoadController;
use super::observer::{LoadUpdate, RunObserver, SecondSnapshot};
use super::outcome::{EndReason, RunOutcome};
use super::process_usage::ProcessUsage;
use super::setup::SectionKind;
use super::threshold_watch::ThresholdWatch;
use crate::metrics::interval::WorkerInterval;
use crate::metrics::second::{MergedSecond, SecondMerger};
use crate::plan::Plan;

/// The state of the main loop when it shows something to the observers.
pub(super) struct FeedMoment<'a> {
    /// Time since the section began.
    pub now: Nanos,
    /// The time up to which seconds may be shown: `now`, unless workers are other machines.
    pub shown_until: Nanos,
    /// The phase of the section.
    pub phase: RunPhase,
    /// The requested load.
    pub control: &'a LoadController,
}

/// Merges what the workers of a section hand over, and shows each second to the thresholds and to the run's observer.
pub(super) struct SecondFeed<'o> {
    section: SectionKind,
    merger: SecondMerger,
    thresholds: Option<ThresholdWatch>,
    observer: &'o mut dyn RunObserver,
    /// The snapshot before, whose memory is used again once nothing reads it any longer.
    previous: Option<Arc<SecondSnapshot>>,
}

impl<'o> SecondFeed<'o> {
    /// Creates the feed of a section with this many workers. Thresholds are judged in the load alone.
    pub(super) fn new(section: SectionKind, plan: &Plan, workers: usize, observer: &'o mut dyn RunObserver) -> Self {
        let thresholds = (section == SectionKind::Load).then(|| ThresholdWatch::new(plan));
        let reads_counts = observer.reads_counts() || thresholds.as_ref().is_some_and(RunObserver::reads_counts);
        let metrics = plan.metrics.iter().map(|metric| metric.kind).collect();
        let merger = SecondMerger::new(workers, plan.rows.len(), metrics, reads_counts);
        Self { section, merger, thresholds, observer, previous: None }
    }

    /// Adds what a worker handed over. The seconds that are complete by now are shown by [`show`](Self::show).
    pub(super) fn add(&mut self, from: &WorkerInterval) {
        self.merger.add(from);
    }

    /// Notes that a worker has ended, so that no second waits for it.
    pub(super) fn worker_ended(&mut self, worker: usize) {
        self.merger.worker_ended(worker);
    }

    /// Shows the seconds that are complete by now, and returns the reason to end the run, if an observer gives one.
    /// Callers first [add](Self::add) everything that the workers have sent. Otherwise a worker whose message the main
    /// thread has not read yet looks stalled.
    pub(super) fn show(&mut self, run: &mut RunOutcome, moment: &FeedMoment) -> Option<EndReason> {
        if moment.phase != RunPhase::Running
            && let Some(thresholds) = &mut self.thresholds
        {
            thresholds.load_ends(moment.now);
        }
        let mut next = self.merger.next_complete(moment.shown_until);
        let mut reason = None;
        while let Some(merged) = next {
            next = self.merger.next_complete(moment.shown_until);
            let snapshot = self.snapshot(merged, run, moment, next.is_none());
            reason = reason.or(self.show_one(&snapshot, run));
            self.previous = Some(snapshot);
        }
        reason.filter(|_| moment.phase == RunPhase::Running)
    }

    /// Shows the remaining seconds of a section that is over, and returns the threshold watch.
    pub(super) fn finish(mut self, run: &mut RunOutcome, moment: &FeedMoment) -> Option<ThresholdWatch> {
        let mut next = self.merger.next_remaining();
        while let Some(merged) = next {
            next = self.merger.next_remaining();
            let snapshot = self.snapshot(merged, run, moment, next.is_none());
            self.show_one(&snapshot, run);
            self.previous = Some(snapshot);
        }
        self.thresholds
    }

    /// Shows a change of the load at once.
    pub(super) fn load_changed(&mut self, update: &LoadUpdate) {
        self.observer.load_changed(update);
    }

    fn show_one(&mut self, snapshot: &Arc<SecondSnapshot>, run: &RunOutcome) -> Option<EndReason> {
        let thresholds = self.thresholds.as_mut().map(|watch| watch.second(snapshot, &run.aggregate));
        thresholds.flatten().or(self.observer.second(snapshot, &run.aggregate))
    }

    fn snapshot(
        &mut self,
        merged: MergedSecond,
        run: &mut RunOutcome,
        moment: &FeedMoment,
        is_newest: bool,
    ) -> Arc<SecondSnapshot> {
        if let Some(read) = self.previous.take().and_then(Arc::into_inner) {
            self.merger.recycle(read.merged);
        }
        let changes = moment.control.changes();
        let end = Nanos::from(merged.second + 1) * SECOND;
        let snapshot = SecondSnapshot {
            index: run.seconds_shown,
            section: self.section,
            ended_at: run.clock.wall(end.min(moment.now)),
            is_partial: end > moment.now,
            merged,
            totals: run.aggregate.snapshot(moment.now),
            process: ProcessUsage::now(),
            is_newest,
            phase: moment.phase,
            load: moment.control.load(),
            changes: changes.get(run.changes_shown..).unwrap_or_default().to_vec(),
        };
        run.seconds_shown += 1;
        run.changes_shown = changes.len();
        Arc::new(snapshot)
    }
}
