//! `check`: everything a run would do before its first request, and the plan in sentences.

use super::run::{open, plan, read};
use crate::cli::RunArgs;
use crate::diagnostic::Diagnostics;
use crate::exit::Exit;
use crate::plan::describe::describe;
use crate::plan::needs::Needs;

/// Checks the script that the arguments name and prints its plan. Sends nothing.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(args: &RunArgs) -> Result<Exit, Diagnostics> {
    let source = read(args.script.as_deref())?;
    let plan = plan(args, &source)?;
    drop(open(args)?);
    let needs = Needs::of(&plan, 1);
    super::print(describe(&plan, &needs).as_bytes())?;
    needs.check()?;
    Ok(Exit::Done)
}
