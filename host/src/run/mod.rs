//! The load engine: workers, users, phases, and the one clock.
//!
//! [`execute`] stands on the main thread. It starts a worker per core, gives all of them the same clock, collects what
//! they record once a second, and moves the run's phase forward when the duration is over or the person who runs it
//! says so.

mod alarm;
mod arrivals;
mod bench;
mod cast;
mod checks;
pub mod clock;
pub mod common;
pub mod control;
mod health;
pub mod phase;
pub mod scale;
pub mod shutdown;
mod stage;
mod task;
pub mod timers;
mod turns;
mod virtual_user;
mod walk;
mod watch;
pub mod worker;

use std::sync::Arc;

use crate::metrics::aggregate::{Aggregate, Snapshot};
use crate::metrics::threshold::Verdict;
use crate::plan::Plan;
use crate::template::Variables;
use clock::{Clock, Nanos};
use control::{Change, Control};
use shutdown::Signals;
use stage::Stage;
use worker::Part;

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
pub struct Run {
    /// Everything that was measured.
    pub aggregate: Aggregate,
    /// The clock it was measured by.
    pub clock: Clock,
    /// From the start to the last user's end.
    pub elapsed: Nanos,
    /// Why it ended.
    pub ended: EndReason,
    /// Users that signed in or had no need to.
    pub walked: u32,
    /// Users that could not sign in.
    pub gave_up: u32,
    /// What came of each threshold.
    pub verdicts: Vec<Verdict>,
    /// What was changed while it ran.
    pub changes: Vec<Change>,
    /// Whether a worker died, which is a bug.
    pub broken: bool,
}

/// Runs a plan to its end: one user's set-up, the scenarios, one user's teardown. `show` is called about once a second, with
/// a word on how the load was changed, and at each change.
///
/// # Errors
/// A worker could not start; the text is for the user.
pub async fn execute(
    plan: &Arc<Plan>,
    mut control: Control,
    mut show: impl FnMut(&Snapshot, &str),
) -> Result<Run, String> {
    let signals = Signals::listen().map_err(|error| format!("cannot listen for signals: {error}"))?;
    let aggregate = Aggregate::new(plan.rows.clone(), plan.workers).with_metrics(plan.metrics.clone());
    let aggregate = aggregate.with_checks(plan.checks.clone());
    let mut run = Run {
        aggregate,
        clock: Clock::start(),
        elapsed: 0,
        ended: EndReason::Iterations,
        walked: 0,
        gave_up: 0,
        verdicts: Vec::new(),
        changes: Vec::new(),
        broken: false,
    };
    control.names = plan.scenarios.iter().map(|scenario| scenario.name.clone()).collect();
    let mut hands = Hands { signals, control };
    let mut found = Variables::default();
    if plan.setup.is_some() {
        let before = Stage::spawn(plan, Part::Setup, 1, found)?.run(&mut run, &mut hands, &mut show).await?;
        if !before.passed && run.ended == EndReason::Iterations {
            run.ended = EndReason::SetupFailed;
        }
        found = before.found;
    }
    if run.ended == EndReason::Iterations {
        let load = Stage::spawn(plan, Part::Load, plan.workers, found)?.run(&mut run, &mut hands, &mut show).await?;
        (run.walked, run.gave_up, run.verdicts, found) = (load.walked, load.gave_up, load.verdicts, load.found);
        run.concluded(plan);
    }
    if plan.teardown.is_some() && !run.broken {
        let ended = std::mem::replace(&mut run.ended, EndReason::Iterations);
        let (clock, elapsed) = (run.clock, run.elapsed);
        Stage::spawn(plan, Part::Teardown, 1, found)?.run(&mut run, &mut hands, &mut show).await?;
        (run.clock, run.elapsed) = (clock, elapsed);
        if run.ended == EndReason::Iterations {
            run.ended = ended;
        }
    }
    run.changes = hands.control.into_changes();
    Ok(run)
}

impl Run {
    /// The load is over: why.
    fn concluded(&mut self, plan: &Plan) {
        // Users stop by themselves when their time is over, and may all be gone before this thread's timer fires.
        if self.ended == EndReason::Iterations && plan.end().is_some_and(|end| self.elapsed >= end) {
            self.ended = EndReason::Duration;
        }
        if self.ended == EndReason::Iterations && plan.scripting.data.iter().any(|set| set.users_ended() > 0) {
            self.ended = EndReason::Data;
        }
        let cut_off = [EndReason::Interrupted, EndReason::Threshold, EndReason::Stopped].contains(&self.ended);
        if self.walked == 0 && plan.login.is_some() && !cut_off {
            self.ended = EndReason::NoUserSignedIn;
        }
    }
}

/// What else than time and the workers moves a run.
struct Hands {
    signals: Signals,
    control: Control,
}

/// What a part of a run has come to.
#[derive(Default)]
pub struct Outcome {
    /// Users that signed in or had no need to.
    pub walked: u32,
    /// Users that could not sign in.
    pub gave_up: u32,
    /// Whether every step passed.
    pub passed: bool,
    /// What came of each threshold, if it is the load.
    pub verdicts: Vec<Verdict>,
    /// What its last user knew.
    pub found: Variables,
}
