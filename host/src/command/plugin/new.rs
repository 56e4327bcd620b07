//! `plugin new`: writes a new plugin.

use std::path::Path;

use crate::cli::{NewArgs, PluginKind, PluginLanguage};
use crate::command::output::print;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::exit::Exit;
use crate::scaffold;

/// Writes the plugin's folder, and points to its README.
///
/// # Errors
/// The name is not valid for a plugin, there is no template of the kind in the language, or the folder cannot be
/// written.
pub(super) fn new(args: &NewArgs) -> Result<Exit, Diagnostics> {
    scaffold::check_name(&args.name)?;
    let (language, kind) = (args.lang.unwrap_or(PluginLanguage::Rust), args.kind.unwrap_or(PluginKind::Http));
    let files = scaffold::files(&args.name, language, kind).ok_or_else(|| {
        let help = "take another language, or begin with `--kind http`: `sdk/plugin.h` has the functions of streams";
        Diagnostic::new("usage::plugin-kind", "there is no template for streams in C").help(help)
    })?;
    let folder = args.into.as_deref().unwrap_or(Path::new("")).join(&args.name);
    scaffold::write(&folder, &files)?;
    print(format!("Wrote `{}`. Its README.md says how to build, test and run it.\n", folder.display()).as_bytes())
}
