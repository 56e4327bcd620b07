//! The names of runs.

use stampede_fleet::RunId;

use crate::diagnostic::Diagnostic;

/// Checks the name of a run.
///
/// # Errors
/// It has characters that a name may not have.
pub(super) fn run_id(text: &str) -> Result<RunId, Diagnostic> {
    RunId::new(text).map_err(|error| Diagnostic::new("usage::fleet", format!("`--run`: {error}")))
}

/// Returns a name that no other run has.
///
/// # Errors
/// Never: it consists of digits.
pub(super) fn random_id() -> Result<RunId, Diagnostic> {
    run_id(&format!("{:012x}", rand::random::<u64>() >> 16))
}
