//! `schema`: what a script may be, for editors.

use std::path::PathBuf;

use clap::Args;

use super::{ConsoleArgs, NativeArgs};

/// Arguments of `schema`.
#[derive(Clone, Debug, Args)]
pub struct SchemaArgs {
    /// Include the plugins that this script names; `-` reads standard input
    #[arg(long, value_name = "FILE", env = "STAMPEDE_SCRIPT", hide_env_values = true)]
    pub script: Option<PathBuf>,
    /// Whether native plugins may be loaded.
    #[command(flatten)]
    pub native: NativeArgs,
    /// What is shown, and how.
    #[command(flatten)]
    pub console: ConsoleArgs,
}
