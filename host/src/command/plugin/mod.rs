//! `plugin`: one file per subcommand.

mod inspect;
mod lock;
mod new;
mod test;

use crate::cli::{PluginArgs, PluginCommand};
use crate::diagnostic::Diagnostics;
use crate::exit::Exit;

/// Runs the subcommand.
///
/// # Errors
/// Returns the errors that it found.
pub(super) fn plugin(args: &PluginArgs) -> Result<Exit, Diagnostics> {
    match &args.command {
        PluginCommand::New(args) => new::new(args),
        PluginCommand::Inspect(args) => inspect::inspect(args),
        PluginCommand::Test(args) => test::test(args),
        PluginCommand::Lock(args) => lock::lock(args.script.as_deref()),
    }
}
