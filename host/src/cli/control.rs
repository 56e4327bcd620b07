//! `control`: requests to a run that is under way.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ConsoleArgs;

/// Arguments of `control`.
#[derive(Clone, Debug, Args)]
pub struct ControlArgs {
    /// The socket that the run was given with --control
    #[arg(value_name = "PATH")]
    pub socket: PathBuf,
    /// The request.
    #[command(subcommand)]
    pub command: ControlCommand,
    /// The flags about the terminal.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// A request to a run.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum ControlCommand {
    /// Change the load
    Scale {
        /// The load as a multiple of the plan's, 0 to 10
        #[arg(value_name = "N", allow_negative_numbers = true)]
        scale: f64,
        /// Change this scenario only
        #[arg(long, value_name = "NAME")]
        scenario: Option<String>,
    },
    /// Begin no more iterations; those under way go on to their end
    Pause,
    /// Begin iterations again
    Resume,
    /// End the run as at the end of its duration
    Stop,
    /// Print the state of the run
    Status,
}
