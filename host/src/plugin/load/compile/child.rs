//! The child's side: sets the caps, reads the component from standard input, writes code to standard output and errors
//! to standard error.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use super::caps;
use super::function_cache::FunctionCache;
use super::limits::CompileCaps;
use crate::plugin::instance::engine;
use crate::plugin::instance::error_text::error_text;
use crate::plugin::load::cache::CacheEntry;

/// Compiles the component on standard input, within caps that this process sets for itself before it reads anything.
/// `functions` is the file with functions that were compiled before, which the parent has found to be private.
///
/// # Errors
/// The message that the parent reports.
pub(crate) fn compile_input(caps: CompileCaps, functions: Option<PathBuf>) -> Result<(), String> {
    let failed = |error: io::Error| error.to_string();
    let functions = functions.map(|path| Arc::new(FunctionCache::open(CacheEntry::at(path))));
    let engine = engine::compile_only(functions.clone().map(|functions| functions as _));
    let engine = engine.map_err(|error| error_text(&error))?;
    caps::set(caps).map_err(failed)?;
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
    let code = engine.precompile_component(&bytes).map_err(|error| error_text(&error))?;
    io::stdout().lock().write_all(&code).map_err(failed)?;
    if let Some(functions) = functions {
        functions.save();
    }
    Ok(())
}
