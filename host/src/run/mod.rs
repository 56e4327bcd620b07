//! The load engine: workers, users, sections and phases.
//!
//! [`execute`] runs on the main thread. It starts a worker per core, gives all of them the same clock, collects their
//! counts once a second, shows each second to the [observers](observer::RunObserver), and moves the run's phase forward
//! when its time is over, or a signal, a key, the control socket or a threshold ends it.

mod arrival_pool;
mod context;
mod count_checks;
mod cpu_limits;
mod deadline_sweep;
mod health_monitor;
mod iteration_source;
pub(crate) mod load_controller;
pub(crate) mod observer;
mod outcome;
pub(crate) mod process_usage;
pub(crate) mod remote;
pub(crate) mod scale;
mod second_feed;
mod section;
mod setup;
mod shared;
pub(crate) mod signals;
mod step_task;
mod threshold_watch;
mod user_loop;
mod virtual_user;
mod walk;
mod worker;
mod worker_users;

use std::sync::Arc;

use stampede_time::Clock;

use crate::metrics::aggregate::Aggregate;
use crate::plan::Plan;
use crate::template::Variables;
use load_controller::LoadController;
use observer::RunObserver;
use outcome::Interrupts;
use remote::RunWorkers;
use section::SectionRunner;
use signals::Signals;

pub use context::{WorkerContext, instantiate_plugins};
pub use cpu_limits::CpuLimits;
pub(crate) use outcome::RemoteResult;
pub use outcome::{EndReason, RunOutcome};
pub use setup::{SectionKind, WorkerMessage, WorkerSetup, new_shared};
pub use shared::RunShared;
pub use worker::run_users;

/// Runs a plan to its end: one user's set-up, the scenarios, one user's teardown. The observer is shown every second of
/// it, and each change of the load.
///
/// # Errors
/// A worker could not start; the text is for the user.
pub async fn execute(
    plan: &Arc<Plan>,
    control: LoadController,
    observer: &mut dyn RunObserver,
) -> Result<RunOutcome, String> {
    execute_on(RunWorkers::Threads, plan, control, observer).await
}

/// Runs a plan as [`execute`] does, on these workers.
///
/// # Errors
/// A worker could not start; the text is for the user.
pub(crate) async fn execute_on(
    workers: RunWorkers,
    plan: &Arc<Plan>,
    mut control: LoadController,
    observer: &mut dyn RunObserver,
) -> Result<RunOutcome, String> {
    // The driver of a fleet's machine listens itself.
    let signals = match &workers {
        RunWorkers::Gated(_) => Signals::none(),
        RunWorkers::Threads | RunWorkers::Remote(_) => {
            Signals::listen().map_err(|error| format!("cannot listen for signals: {error}"))?
        }
    };
    let limits = CpuLimits::read();
    let count = if let RunWorkers::Remote(remote) = &workers { remote.count } else { plan.workers };
    let aggregate = Aggregate::new(plan.rows.clone(), count).with_metrics(plan.metrics.clone());
    let aggregate = aggregate.with_checks(plan.checks.clone());
    let mut run = RunOutcome {
        aggregate,
        clock: Clock::start(),
        elapsed: 0,
        load_end: 0,
        cpu_limits: limits,
        end_reason: EndReason::Iterations,
        signed_in: 0,
        gave_up: 0,
        verdicts: Vec::new(),
        changes: Vec::new(),
        worker_died: false,
        remote: None,
        has_begun: false,
        seconds_shown: 0,
        changes_shown: 0,
    };
    control.scenario_names = plan.scenarios.iter().map(|scenario| scenario.name.clone()).collect();
    let mut interrupts = Interrupts { signals, control };
    let mut variables = Variables::default();
    if plan.setup.is_some() {
        let setup = SectionRunner::spawn(plan, SectionKind::Setup, 1, variables)?
            .run(&mut run, &mut interrupts, observer)
            .await?;
        if !setup.passed && run.end_reason == EndReason::Iterations {
            run.end_reason = EndReason::SetupFailed;
        }
        variables = setup.variables;
    }
    if run.end_reason == EndReason::Iterations {
        let spawn = |variables| SectionRunner::spawn(plan, SectionKind::Load, plan.workers, variables);
        let load = match workers {
            RunWorkers::Threads => spawn(variables)?,
            RunWorkers::Gated(gate) => spawn(variables)?.gated(gate),
            RunWorkers::Remote(remote) => SectionRunner::remote(plan, remote),
        };
        let load = load.run(&mut run, &mut interrupts, observer).await?;
        (run.signed_in, run.gave_up, run.verdicts, variables) =
            (load.signed_in, load.gave_up, load.verdicts, load.variables);
        run.set_end_reason(plan);
    }
    if plan.teardown.is_some() && !run.worker_died {
        let ended = std::mem::replace(&mut run.end_reason, EndReason::Iterations);
        let (clock, elapsed) = (run.clock, run.elapsed);
        SectionRunner::spawn(plan, SectionKind::Teardown, 1, variables)?
            .run(&mut run, &mut interrupts, observer)
            .await?;
        (run.clock, run.elapsed) = (clock, elapsed);
        if run.end_reason == EndReason::Iterations {
            run.end_reason = ended;
        }
    }
    run.cpu_limits = CpuLimits::read().since(&limits);
    run.changes = interrupts.control.into_changes();
    Ok(run)
}
