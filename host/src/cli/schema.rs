//! `schema`: the JSON Schema of scripts, for editors.

use std::path::PathBuf;

use clap::Args;

use super::{ConsoleArgs, NativeArgs};

/// Arguments of `schema`.
#[derive(Clone, Debug, Args)]
pub struct SchemaArgs {
    /// Include the plugins that this script names; `-` reads standard input
    #[arg(long, value_name = "FILE", env = "STAMPEDE_SCRIPT")]
    pub script: Option<PathBuf>,
    /// The flag that allows native plugins.
    #[command(flatten)]
    pub native: NativeArgs,
    /// The flags about the terminal.
    #[command(flatten)]
    pub console: ConsoleArgs,
}
