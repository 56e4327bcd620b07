//! `check`: everything that a run does before its first request, and the plan in sentences.

use super::run::build_plan;
use super::source;
use crate::cli::RunArgs;
use crate::command::output::print;
use crate::diagnostic::Diagnostics;
use crate::exit::Exit;
use crate::plan::describe::describe;
use crate::plan::requirements::Requirements;
use crate::sinks::{self, SINKS};

/// Checks the script that the arguments name and prints its plan. Sends nothing.
///
/// # Errors
/// Returns all errors in it.
pub(super) fn check(args: &RunArgs) -> Result<Exit, Diagnostics> {
    let source = source::of_run(args)?;
    let plan = build_plan(args, &source)?;
    drop(sinks::open(SINKS, args, &plan)?);
    let needs = Requirements::of_plan(&plan, 1);
    print(describe(&plan, &needs).as_bytes())?;
    needs.check_limits()?;
    Ok(Exit::Success)
}
