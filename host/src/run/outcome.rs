//! What a run has come to: why it ended, and what it leaves behind.

use stampede_time::{Clock, Nanos};

use super::load_controller::{LoadChange, LoadController};
use super::signals::Signals;
use crate::metrics::aggregate::Aggregate;
use crate::metrics::threshold::ThresholdVerdict;
use crate::plan::Plan;
use crate::template::Variables;

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// The duration was over.
    Duration,
    /// Every user had walked its iterations.
    Iterations,
    /// Every user had walked its iterations, or found no row left in a data set.
    Data,
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// Nobody could sign in.
    NoUserSignedIn,
    /// A step of the set-up failed, and there was no load.
    SetupFailed,
    /// A threshold did not hold that says so.
    Threshold,
    /// Whoever runs it had it stopped before its time, by a key or through the control socket.
    Stopped,
}

/// What a run leaves behind.
pub struct RunOutcome {
    /// Everything that was measured.
    pub aggregate: Aggregate,
    /// The clock it was measured by.
    pub clock: Clock,
    /// From the start to the last user's end.
    pub elapsed: Nanos,
    /// Why it ended.
    pub end_reason: EndReason,
    /// Users that signed in or had no need to.
    pub signed_in: u32,
    /// Users that could not sign in.
    pub gave_up: u32,
    /// What came of each threshold.
    pub verdicts: Vec<ThresholdVerdict>,
    /// What was changed while it ran.
    pub changes: Vec<LoadChange>,
    /// Whether a worker died, which is a bug.
    pub worker_died: bool,
}

impl RunOutcome {
    /// The load is over: why.
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

/// What else than time and the workers moves a run.
pub struct Interrupts {
    /// Ctrl-C and SIGTERM.
    pub signals: Signals,
    /// Keys and the control socket.
    pub control: LoadController,
}

/// What a part of a run has come to.
#[derive(Default)]
pub struct SegmentOutcome {
    /// Users that signed in or had no need to.
    pub signed_in: u32,
    /// Users that could not sign in.
    pub gave_up: u32,
    /// Whether every step passed.
    pub passed: bool,
    /// What came of each threshold, if it is the load.
    pub verdicts: Vec<ThresholdVerdict>,
    /// What its last user knew.
    pub variables: Variables,
}
