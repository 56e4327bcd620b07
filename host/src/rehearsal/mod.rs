//! `plugin test`: a component in the real host, against a target that follows a script, in virtual time.
//!
//! It uses the parts of a run: [`plan::build`](crate::plan::build()) builds the plan, the one user walks its steps on a
//! worker of [`run`](crate::run), and [`http`](crate::http) writes requests and reads replies. Only the network is
//! missing: connections lead to a [`ScriptedTarget`] in the same thread, and the runtime's clock is paused, so that an
//! hour's wait is over at once and a case always takes the same time.

mod byte_pattern;
pub(crate) mod cases;
mod conformance;
mod evaluate;
mod http2_target;
mod received_request;
mod scripted_target;
mod target_script;

pub(crate) use conformance::{RuleResult, check_conformance};
pub(crate) use evaluate::{CaseResult, format_millis};

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stampede_time::{Clock, Nanos};

use crate::cli::{NativeArgs, RunArgs};
use crate::diagnostic::{Diagnostics, Span};
use crate::metrics::aggregate::Aggregate;
use crate::net::Grants;
use crate::plan::{self, Plan};
use crate::plugin::load::loader::BUILTIN;
use crate::rehearsal::cases::Case;
use crate::run::{RunShared, SectionKind, WorkerMessage, WorkerSetup, instantiate_plugins, run_users};
use crate::script::is_name;
use crate::script::model::{PluginSpec, Script, Spanned};
use crate::template::Variables;
use scripted_target::ScriptedTarget;

/// The name of a component under test if its file's name is not valid for a plugin.
const DEFAULT_PLUGIN_NAME: &str = "plugin";

/// Rehearses a case with the component in a file.
///
/// # Errors
/// The component does not load, or a step is wrong.
pub(crate) fn rehearse(case: &Case, component: &Path, native: NativeArgs) -> Result<CaseResult, Diagnostics> {
    let times = case.times.as_ref().map_or(1, |times| times.value);
    let mut plan = build_plan(
        &case.script,
        component,
        native,
        RehearsalLoad { ends_after: case.ends_after.as_ref().map(|end| end.value), ..RehearsalLoad::one(times) },
    )?;
    let target = ScriptedTarget::new(case.target.clone(), &case.alpn);
    plan.runtime.dial = Some(Arc::clone(&target) as _);
    let plan = Arc::new(plan);
    let RehearsalRun { result, duration } = run_in_virtual_time(&plan);
    Ok(match result {
        Ok(counted) => evaluate::evaluate(case, &counted.aggregate, &target.finish(), duration),
        Err(why) => CaseResult { faults: vec![why], duration, examples: Vec::new() },
    })
}

/// The users and iterations of a rehearsal.
#[derive(Clone, Copy)]
struct RehearsalLoad {
    users: u32,
    iterations: u64,
    /// The time after which the users may begin nothing more.
    ends_after: Option<Duration>,
}

impl RehearsalLoad {
    /// Returns the load of one user.
    const fn one(iterations: u64) -> Self {
        Self { users: 1, iterations, ends_after: None }
    }
}

/// The counts of a rehearsal.
struct RehearsalStats {
    aggregate: Aggregate,
    /// The number of instances lost to a trap.
    traps: u64,
    /// The memory of the largest instance when its last user left, in bytes.
    memory: usize,
}

/// A rehearsal that has ended.
struct RehearsalRun {
    /// The counts, or the reason why no worker could run.
    result: Result<RehearsalStats, String>,
    /// The virtual time that it took.
    duration: Nanos,
}

/// Builds the plan of a case's steps, with a component that may reach every host, none of which exists.
fn build_plan(
    script: &Script,
    component: &Path,
    native: NativeArgs,
    walked: RehearsalLoad,
) -> Result<Plan, Diagnostics> {
    let mut script = script.clone();
    let nowhere = |value: String| Spanned { value, span: Span::default() };
    let source = std::path::absolute(component).unwrap_or_else(|_| component.to_path_buf());
    let entry = PluginSpec { source: Some(nowhere(source.display().to_string())), ..PluginSpec::default() };
    let everywhere = ["*", "0.0.0.0/0", "[::]/0"].map(|host| nowhere(host.to_owned()));
    script.plugins = vec![(nowhere(plugin_name(component)), PluginSpec { allow: everywhere.into(), ..entry })];
    let args = RunArgs {
        users: Some(walked.users),
        iterations: Some(walked.iterations),
        duration: walked.ends_after,
        workers: Some(1),
        seed: Some(0),
        insecure_tls: true,
        native,
        ..RunArgs::default()
    };
    let mut plan = plan::build(&args, &script).map_err(without_entry_spans)?;
    plan.runtime.plugins.iter_mut().for_each(|used| used.policy.grants = Grants::unrestricted());
    Ok(plan)
}

/// Returns the name of a component's file, if it is valid for a plugin.
fn plugin_name(component: &Path) -> String {
    let stem = component.file_stem().unwrap_or_default().to_string_lossy();
    let is_builtin = BUILTIN.iter().any(|plugin| plugin.name == stem);
    if is_name(&stem) && !is_builtin { stem.into_owned() } else { DEFAULT_PLUGIN_NAME.into() }
}

/// Removes the place from errors about the component, whose entry is not in a file.
fn without_entry_spans(mut diagnostics: Diagnostics) -> Diagnostics {
    for diagnostic in &mut diagnostics.0 {
        diagnostic.location = diagnostic.location.take().filter(|place| place.span != Span::default());
    }
    diagnostics
}

/// Runs the plan to its end.
fn run_in_virtual_time(plan: &Arc<Plan>) -> RehearsalRun {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = match builder.enable_all().start_paused(true).build_local(Default::default()) {
        Ok(runtime) => runtime,
        Err(error) => return RehearsalRun { result: Err(error.to_string()), duration: 0 },
    };
    runtime.block_on(async {
        let clock = Clock::start_virtual();
        let result = run_worker(plan, clock).await;
        RehearsalRun { result, duration: clock.now() }
    })
}

async fn run_worker(plan: &Arc<Plan>, clock: Clock) -> Result<RehearsalStats, String> {
    let context = instantiate_plugins(plan)?;
    let worker_plugins = context.plugins.clone();
    let (messages, mut message_receiver) = tokio::sync::mpsc::unbounded_channel();
    let (start, started) = tokio::sync::oneshot::channel();
    let (_spares, spares) = std::sync::mpsc::channel();
    let _ = start.send(clock);
    let setup = WorkerSetup {
        index: 0,
        workers: 1,
        plan: Arc::clone(plan),
        section: SectionKind::Load,
        run_shared: Arc::new(RunShared::new(&plan.scenarios, plan.segment.users())),
        variables: Variables::default(),
        messages,
        clock: started,
        spares,
    };
    run_users(setup, context).await?;
    let mut aggregate = Aggregate::new(plan.rows.clone(), 1).with_metrics(plan.metrics.clone());
    while let Ok(message) = message_receiver.try_recv() {
        if let WorkerMessage::Interval(interval) = message {
            aggregate.add(&interval);
        }
    }
    let traps = aggregate.workers().iter().flat_map(|worker| &worker.total.guest_traps).sum();
    let memory = worker_plugins.iter().map(|plugin| plugin.usage.memory.get()).max().unwrap_or_default();
    Ok(RehearsalStats { aggregate, traps, memory })
}
