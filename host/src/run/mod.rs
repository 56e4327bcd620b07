//! The load engine: workers, users, phases, and the one clock.
//!
//! [`execute`] stands on the main thread. It starts a worker per core, gives all of them the same clock, collects what
//! they record once a second, and moves the run's phase forward when the duration is over or the person who runs it
//! says so.

mod arrivals;
mod checks;
mod context;
pub mod control;
mod deadline_sweep;
mod health;
mod iteration_source;
mod outcome;
pub mod scale;
mod segment;
mod setup;
mod shared;
pub mod shutdown;
mod step_task;
mod threshold_watch;
mod user_loop;
mod virtual_user;
mod walk;
mod worker;
mod worker_users;

use std::sync::Arc;

use stampede_time::Clock;

use crate::metrics::aggregate::{Aggregate, Snapshot};
use crate::plan::Plan;
use crate::template::Variables;
use control::Control;
use outcome::Hands;
use segment::Stage;
use shutdown::Signals;

pub use context::{Crew, prepare};
pub use outcome::{EndReason, Run};
pub use setup::{Message, Part, Setup, share};
pub use shared::Common;
pub use worker::work;

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
