//! `completions`: completion scripts, generated from the definitions of the parser.

use clap::Args;
use clap_complete::Shell;

/// Arguments of `completions`.
#[derive(Clone, Copy, Debug, Args)]
pub struct CompletionsArgs {
    /// The shell to print the script for
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: Shell,
}
