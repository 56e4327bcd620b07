//! `try`: walks a script once and shows every exchange.

use std::sync::Arc;

use super::run::{self, RunParts};
use super::source;
use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::exit::Exit;
use crate::load_model;
use crate::script;
use crate::script::model::FailOn;
use crate::sinks::{self, SINKS};

/// The seconds that may wait to be printed: no exchange is left out, however slow the reader is.
const QUEUE_SECONDS: usize = 3_600;

/// Walks the script once with one user and prints every exchange.
///
/// # Errors
/// Returns all errors found before the run; or those of its outputs, if nothing else fails it.
pub(super) fn try_once(args: &RunArgs) -> Result<Exit, Diagnostics> {
    let duration = args.duration.map(|_| "--duration");
    let segment = args.division.segment.map(|_| "--segment");
    if let Some(flag) = load_model::load_flag(args).or(duration).or(segment) {
        let message = format!("`{flag}` has no effect: `try` walks the script once with one user");
        return Err(Diagnostic::new("usage::load", message).help("remove the flag").into());
    }
    let source = source::of_run(args)?;
    let fail_on = args.fail_on.or(Some(FailOn::AnyError));
    let args = RunArgs { workers: Some(1), quiet: true, fail_on, ..args.clone() };
    let mut script = script::parse(&source)?;
    script.walk_once();
    let mut plan = run::plan_script(&args, &script)?;
    plan.runtime.shows_all_exchanges = true;
    let plan = Arc::new(plan);
    let mut sinks = sinks::open(SINKS, &args, &plan)?;
    sinks.push(sinks::exchanges::printer());
    run::run_plan(&args, &plan, RunParts { baseline: None, sinks, queue_seconds: QUEUE_SECONDS, fleet: None })
}
