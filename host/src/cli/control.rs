//! `control`: what is asked of a run that is under way.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ConsoleArgs;

/// Arguments of `control`.
#[derive(Clone, Debug, Args)]
pub struct ControlArgs {
    /// The socket that the run was given with --control
    #[arg(value_name = "PATH")]
    pub socket: PathBuf,
    /// What to ask for.
    #[command(subcommand)]
    pub command: ControlCommand,
    /// What is shown, and how.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// What to ask for.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum ControlCommand {
    /// Another load
    Scale {
        /// So many times the plan's, 0 to 10
        #[arg(value_name = "N", allow_negative_numbers = true)]
        scale: f64,
        /// Of this scenario alone
        #[arg(long, value_name = "NAME")]
        scenario: Option<String>,
    },
    /// Begin no iterations; what is under way ends
    Pause,
    /// Begin iterations again
    Resume,
    /// End the run as when its time is over
    Stop,
    /// Say how the run stands
    Status,
}
