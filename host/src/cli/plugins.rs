//! `plugins`: which actions there are.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::{ConsoleArgs, NativeArgs};

/// Arguments of `plugins`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct PluginsArgs {
    /// Also list the plugins that this script names; `-` reads standard input
    #[arg(long, value_name = "FILE", env = "STAMPEDE_SCRIPT", hide_env_values = true)]
    pub script: Option<PathBuf>,
    /// Refuse plugins that are not in `stampede.lock` as they are
    #[arg(
        long,
        env = "STAMPEDE_LOCKED",
        hide_env_values = true,
        help_heading = "Script",
        value_parser = BoolishValueParser::new()
    )]
    pub locked: bool,
    /// Whether native plugins may be loaded.
    #[command(flatten)]
    pub native: NativeArgs,
    /// What is shown, and how.
    #[command(flatten)]
    pub console: ConsoleArgs,
}
