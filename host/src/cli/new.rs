//! `new`: a first script.

use std::path::PathBuf;

use clap::Args;

use super::ConsoleArgs;

/// Arguments of `new`.
#[derive(Clone, Debug, Args)]
pub struct NewScriptArgs {
    /// The file to write
    ///
    /// `.yml` is added to a name without an extension.
    #[arg(value_name = "FILE", default_value = "script.yml")]
    pub file: PathBuf,
    /// URL of the site that the script is for
    ///
    /// That of `stampede-shooter demo --serve`, with steps for it, if not given.
    #[arg(long, value_name = "URL", env = "STAMPEDE_BASE_URL", help_heading = "Target")]
    pub base_url: Option<String>,
    /// The flags about the terminal.
    #[command(flatten)]
    pub console: ConsoleArgs,
}
