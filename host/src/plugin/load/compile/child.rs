//! The child's side: sets the caps, reads the component from standard input, writes code to standard output and errors
//! to standard error.

use std::io::{self, Read, Write};

use super::caps;
use super::limits::CompileCaps;
use crate::plugin::instance::engine;
use crate::plugin::instance::error_text::error_text;

/// Compiles the component on standard input, within caps that this process sets for itself before it reads anything.
///
/// # Errors
/// The message that the parent reports.
pub(crate) fn compile_input(caps: CompileCaps) -> Result<(), String> {
    let failed = |error: io::Error| error.to_string();
    let engine = engine::compile_only().map_err(|error| error_text(&error))?;
    caps::set(caps).map_err(failed)?;
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
    let code = engine.precompile_component(&bytes).map_err(|error| error_text(&error))?;
    io::stdout().lock().write_all(&code).map_err(failed)
}
