//! Steps that last by design cannot keep a limit on the requests of all users, because their requests take no turns.

use super::{Step, precedence};
use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::metrics::aggregate::{RowInfo, label};
use crate::script::model::Script;

/// Checks that the script has no limit that one of its steps could not keep.
///
/// # Errors
/// It limits all users together, and a step lasts by design.
pub(super) fn check_total_limit(
    args: &RunArgs,
    script: &Script,
    steps: &[Step],
    rows: &[RowInfo],
) -> Result<(), Diagnostics> {
    let is_limited = precedence::rps_total(args, script).is_some();
    let Some(step) = steps.iter().find(|step| step.lifetime.lasts.is_some()).filter(|_| is_limited) else {
        return Ok(());
    };
    let row = &rows[usize::from(step.row)];
    let name = label(row.scenario.as_deref(), &row.name);
    let message = format!("`rps_total` cannot be kept: the requests of the step `{name}` take no turns");
    let help = "leave `rps_total` out: the number of users limits the requests of such a step";
    let diagnostic = match (args.rps_total, &script.settings.rps_total) {
        (None, Some(typed)) => {
            Diagnostic::new("script::rps-total", message).at(&script.source, typed.span, "cannot be kept")
        }
        _ => Diagnostic::new("usage::rps-total", message),
    };
    Err(diagnostic.help(help).into())
}
