//! `plugin new`: writes a new plugin.

use std::path::Path;

use crate::cli::PluginLanguage;
use crate::command::output::print;
use crate::diagnostic::Diagnostics;
use crate::exit::Exit;
use crate::scaffold;

/// Writes the plugin's folder, and points to its README.
///
/// # Errors
/// The name is not valid for a plugin, or the folder cannot be written.
pub(super) fn new(name: &str, language: Option<PluginLanguage>, into: Option<&Path>) -> Result<Exit, Diagnostics> {
    scaffold::check_name(name)?;
    let folder = into.unwrap_or(Path::new("")).join(name);
    scaffold::write(&folder, &scaffold::files(name, language.unwrap_or(PluginLanguage::Rust)))?;
    print(format!("Wrote `{}`. Its README.md says how to build, test and run it.\n", folder.display()).as_bytes())
}
