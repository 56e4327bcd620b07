//! `plugins`: the list of actions.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::{ConsoleArgs, NativeArgs};

/// Arguments of `plugins`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct PluginsArgs {
    /// Also list the plugins that this script names; `-` reads standard input
    #[arg(long, value_name = "FILE", env = "STAMPEDE_SCRIPT")]
    pub script: Option<PathBuf>,
    /// Refuse plugins whose digest is not in `stampede.lock`
    #[arg(
        long,
        env = "STAMPEDE_LOCKED",
        help_heading = "Script",
        value_parser = BoolishValueParser::new()
    )]
    pub locked: bool,
    /// The flag that allows native plugins.
    #[command(flatten)]
    pub native: NativeArgs,
    /// The flags about the terminal.
    #[command(flatten)]
    pub console: ConsoleArgs,
}
