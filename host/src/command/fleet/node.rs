//! `fleet node`: one of the machines of a run.

use std::time::Duration;

use stampede_fleet::NodeExit;

use super::run_name::run_id;
use crate::cli::FleetNodeArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::exit::Exit;
use crate::machines::{NodeOptions, NodeRequest, run_node};
use crate::stderr;

/// The wait for the run if none is given.
const WAIT: Duration = Duration::from_secs(600);

/// The variable by which Kubernetes tells the index of a pod in its Job.
const INDEX: &str = "JOB_COMPLETION_INDEX";

/// Carries out a segment of a run.
///
/// # Errors
/// The run does not take this machine, or its counts did not reach the coordinator.
pub(super) fn node(args: &FleetNodeArgs) -> Result<Exit, Diagnostics> {
    let segment = match args.segment {
        Some(segment) => Some(segment.index()),
        None => std::env::var(INDEX).ok().map(|text| index(&text)).transpose()?,
    };
    let request = NodeRequest {
        bus: args.bus.clone(),
        run: run_id(&args.id)?,
        segment,
        patience: args.wait.unwrap_or(WAIT),
        version: env!("CARGO_PKG_VERSION").into(),
    };
    let options = NodeOptions { env_file: args.env_file.clone(), allow_native: args.native.allow_native };
    outcome(run_node(request, &options)?)
}

fn index(text: &str) -> Result<u32, Diagnostic> {
    text.parse().map_err(|_| Diagnostic::new("usage::fleet", format!("the variable {INDEX} is not a number")))
}

fn outcome(exit: NodeExit) -> Result<Exit, Diagnostics> {
    let refused = |reason: String, help: &str| {
        let error = Diagnostic::new("fleet::node", format!("this machine takes no part in the run: {reason}"));
        Err(if help.is_empty() { error } else { error.help(help) }.into())
    };
    match exit {
        NodeExit::Done => Ok(Exit::Success),
        NodeExit::NotNeeded => {
            stderr::print_line(format_args!("note: the run is over, or was called off before its load began"));
            Ok(Exit::Success)
        }
        NodeExit::Refused(reason) => {
            refused(reason.to_string(), "all machines need the version of the one that leads the run, and its files")
        }
        NodeExit::Waited => refused(
            "it found no run, no free segment or no start in time".into(),
            "start `fleet run` with the same `--run`, and no more machines than its `--nodes`",
        ),
        NodeExit::BadPlan(error) => refused(error.to_string(), "all machines need the same version"),
        NodeExit::Unprepared(reason) => refused(reason, ""),
        NodeExit::Orphaned => refused("the coordinator is gone".into(), ""),
        NodeExit::Interrupted => Ok(Exit::Interrupted),
        NodeExit::Fenced => lost("another process carries its segment out"),
        NodeExit::Unreported => lost("they could not be stored on NATS"),
    }
}

/// Returns the error of a machine whose counts are not part of the run.
fn lost(reason: &str) -> Result<Exit, Diagnostics> {
    Err(Diagnostic::new("fleet::node", format!("the counts of this machine are not in the report: {reason}")).into())
}
