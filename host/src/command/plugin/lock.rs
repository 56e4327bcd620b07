//! `plugin lock`: records the components that a script uses.

use std::path::Path;

use crate::command::output::print;
use crate::command::source;
use crate::diagnostic::Diagnostics;
use crate::exit::Exit;
use crate::plugin::load::renew_lock;
use crate::script;

/// Fetches every component that the script names and writes its digest into the lock beside the script.
///
/// # Errors
/// The script is wrong, a component cannot be fetched, or the lock cannot be written.
pub(super) fn lock(path: Option<&Path>) -> Result<Exit, Diagnostics> {
    let source = source::of_file(path)?;
    let locked = renew_lock::update_lock(&script::parse(&source)?)?;
    for (name, locked) in locked {
        print(format!("{}  {name}  {}\n", locked.sha256, locked.source).as_bytes())?;
    }
    Ok(Exit::Success)
}
