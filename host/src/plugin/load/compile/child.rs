//! The child's side: caps first, then bytes from standard input, code to standard output, what is wrong to standard
//! error.

use std::io::{self, Read, Write};

use super::caps;
use super::limits::CompileCaps;
use crate::plugin::instance::engine;
use crate::plugin::instance::error_text::error_text;

/// Compiles what standard input holds, within caps that this process sets for itself before it reads anything.
///
/// # Errors
/// What the parent is to say.
pub fn compile_input(most: CompileCaps) -> Result<(), String> {
    let failed = |error: io::Error| error.to_string();
    caps::set(most).map_err(failed)?;
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
    let engine = engine::compile_only().map_err(|error| error_text(&error))?;
    let code = engine.precompile_component(&bytes).map_err(|error| error_text(&error))?;
    io::stdout().lock().write_all(&code).map_err(failed)
}
