//! Observers of a run: called when it begins, for each of its seconds, and at each change of the load. All numbers come
//! from the seconds that the workers have handed over; nothing is called for a request.

use std::sync::Arc;
use std::time::Duration;

use stampede_time::RunPhase;

use super::load_controller::{LoadChange, LoadState};
use super::outcome::EndReason;
use super::process_usage::ProcessUsage;
use super::setup::SectionKind;
use crate::metrics::aggregate::{Aggregate, Snapshot};
use crate::metrics::second::MergedSecond;

/// Follows a run on the main thread, which also moves the run forward: an observer must return at once, so it neither
/// writes, sends nor waits. An output that may take longer is a [sink](crate::sinks::Sink), on a thread of its own.
pub trait RunObserver {
    /// Called once, before the first second. `started_at` is when the run began, its set-up included, since the Unix
    /// epoch.
    fn begin(&mut self, _started_at: Duration) {}

    /// Called for the seconds of each section, in order. `aggregate` holds the counts of the whole run so far.
    /// Returns the reason to end the run, if there is one; once the run is ending, the answer is ignored.
    fn second(&mut self, second: &Arc<SecondSnapshot>, aggregate: &Aggregate) -> Option<EndReason>;

    /// Called as soon as the load has changed, between two seconds.
    fn load_changed(&mut self, _update: &LoadUpdate) {}

    /// `true` if [`SecondSnapshot::merged`] must hold the counts of rows, iterations and metrics. If no observer reads
    /// them, they are not merged.
    fn reads_counts(&self) -> bool;
}

/// One complete second of a run: every worker has handed it over, or is no longer waited for.
#[derive(Debug)]
pub struct SecondSnapshot {
    /// Number of the snapshot, from 0, without gaps over all sections of the run.
    pub index: u32,
    /// The section that the second belongs to.
    pub section: SectionKind,
    /// The end of the second, since the Unix epoch.
    pub ended_at: Duration,
    /// The counts of this second alone, of all workers, with its number within the section. The seconds of a run add up
    /// to its report; counts of a worker that was late come in the next second. Numbers are missing if the program
    /// stood still for several seconds: of those without counts only the newest is shown.
    pub merged: MergedSecond,
    /// The state of the run: sums over the run so far, and the time, the users and the rate of the section.
    pub totals: Snapshot,
    /// Memory and files of this process.
    pub process: ProcessUsage,
    /// `true` if no later second is complete yet, so that `totals` are those at its end.
    pub is_newest: bool,
    /// `true` for the last of a section if it is shorter than a second.
    pub is_partial: bool,
    /// The phase of the section.
    pub phase: RunPhase,
    /// The load as it stands.
    pub load: LoadState,
    /// Changes of the load since the previous snapshot.
    pub changes: Vec<LoadChange>,
}

impl SecondSnapshot {
    /// Returns `true` for a second of the load that had not begun to end: those are what thresholds are judged by.
    pub fn is_judged(&self) -> bool {
        self.section == SectionKind::Load && self.phase == RunPhase::Running
    }
}

/// A change of the load, shown as soon as it is made.
#[derive(Clone, Debug)]
pub struct LoadUpdate {
    /// The state of the run.
    pub totals: Snapshot,
    /// The load from now on.
    pub load: LoadState,
}
