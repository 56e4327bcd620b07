//! The outcome of a run and of its sections: why it ended, and what was measured.

use stampede_time::{Clock, Nanos};

use super::cpu_limits::CpuLimits;
use super::load_controller::{LoadChange, LoadController};
use super::signals::Signals;
use crate::metrics::aggregate::Aggregate;
use crate::metrics::threshold::ThresholdVerdict;
use crate::plan::Plan;
use crate::template::Variables;

/// The reason why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// The duration was over.
    Duration,
    /// All users had walked their iterations.
    Iterations,
    /// All users had walked their iterations, or found no row left in a data set.
    Data,
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// No user could sign in.
    NoUserSignedIn,
    /// A step of the set-up failed, and there was no load.
    SetupFailed,
    /// A threshold that may abort the run did not hold.
    Threshold,
    /// The run was stopped before its time, by a key or through the control socket.
    Stopped,
}

impl EndReason {
    /// Returns `true` if a person ended the run before its time.
    pub const fn is_by_person(self) -> bool {
        matches!(self, Self::Interrupted | Self::Stopped)
    }
}

/// The outcome of a run.
pub struct RunOutcome {
    /// The measurements.
    pub aggregate: Aggregate,
    /// The clock it was measured by.
    pub clock: Clock,
    /// Time from the start to the last user's end.
    pub elapsed: Nanos,
    /// From the start to the end of the load: to its planned end, or to the moment at which it was ended or was over
    /// before. Replies may come later. Zero if there was no load.
    pub load_end: Nanos,
    /// The CPU time that the process might use during the run.
    pub cpu_limits: CpuLimits,
    /// The reason why it ended.
    pub end_reason: EndReason,
    /// Users that signed in or had no need to.
    pub signed_in: u32,
    /// Users that could not sign in.
    pub gave_up: u32,
    /// The verdict on each threshold.
    pub verdicts: Vec<ThresholdVerdict>,
    /// Changes of the load while it ran.
    pub changes: Vec<LoadChange>,
    /// `true` if a worker died, which is a bug.
    pub worker_died: bool,
    /// The result of workers that were other machines.
    pub(crate) remote: Option<RemoteResult>,
    /// `true` once the clock of the first section has started.
    pub(super) has_begun: bool,
    /// Number of seconds that the observers were shown.
    pub seconds_shown: u32,
    /// Number of changes of the load that the observers were shown.
    pub(super) changes_shown: usize,
}

/// The result of a run of remote workers, beside its counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct RemoteResult {
    /// The number of segments.
    pub segments: u32,
    /// The numbers of those whose counts are complete, from 1, in ascending order.
    pub complete: Vec<u32>,
    /// The reason why the counts do not allow a verdict; `None` if they do.
    pub doubt: Option<String>,
}

impl RunOutcome {
    /// Sets the reason why a load that is over has ended.
    pub fn set_end_reason(&mut self, plan: &Plan) {
        // Users stop by themselves when their time is over, and may all be gone before this thread's timer fires.
        if self.end_reason == EndReason::Iterations && plan.end().is_some_and(|end| self.elapsed >= end) {
            self.end_reason = EndReason::Duration;
        }
        if self.end_reason == EndReason::Iterations
            && plan.runtime.script_context.data.iter().any(|set| set.exhausted_users() > 0)
        {
            self.end_reason = EndReason::Data;
        }
        let cut_off = [EndReason::Interrupted, EndReason::Threshold, EndReason::Stopped].contains(&self.end_reason);
        if self.signed_in == 0 && plan.login.is_some() && !cut_off {
            self.end_reason = EndReason::NoUserSignedIn;
        }
    }
}

/// The events besides time and workers that move a run forward.
pub(super) struct Interrupts {
    /// Ctrl-C and SIGTERM.
    pub signals: Signals,
    /// Keys and the control socket.
    pub control: LoadController,
}

/// The outcome of a section.
#[derive(Default)]
pub(super) struct SectionOutcome {
    /// Users that signed in or had no need to.
    pub signed_in: u32,
    /// Users that could not sign in.
    pub gave_up: u32,
    /// `true` if every step passed.
    pub passed: bool,
    /// The verdict on each threshold, of the load alone.
    pub verdicts: Vec<ThresholdVerdict>,
    /// The variables of its last user.
    pub variables: Variables,
}

impl SectionOutcome {
    /// Adds the outcome of a worker. The variables of the last one to end are kept.
    pub(super) fn add_worker(&mut self, signed_in: u32, gave_up: u32, passed: bool, variables: Variables) {
        self.signed_in += signed_in;
        self.gave_up += gave_up;
        self.passed &= passed && gave_up == 0;
        self.variables = variables;
    }
}
