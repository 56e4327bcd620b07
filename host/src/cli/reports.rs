//! `merge` and `compare`: what is done with reports after their runs.

use std::path::PathBuf;

use clap::Args;

use super::ConsoleArgs;
use super::value::tolerance;

/// Arguments of `merge`.
#[derive(Clone, Debug, Args)]
pub struct MergeArgs {
    /// Reports of the same script, in JSON
    #[arg(value_name = "REPORT.json", required = true)]
    pub reports: Vec<PathBuf>,
    /// Write the sum to this file (repeatable)
    ///
    /// The extension says the format: .json or .csv.
    #[arg(
        long,
        value_name = "FILE",
        env = "STAMPEDE_OUT",
        hide_env_values = true,
        help_heading = "Report",
        value_delimiter = '\n'
    )]
    pub out: Vec<PathBuf>,
    /// What is shown, and how.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// Arguments of `compare`.
#[derive(Clone, Debug, Args)]
pub struct CompareArgs {
    /// The report to compare with, in JSON
    #[arg(value_name = "BASE.json")]
    pub base: PathBuf,
    /// The report that may be worse
    #[arg(value_name = "NEW.json")]
    pub new: PathBuf,
    /// How much worse is still good
    ///
    /// A share in percent, such as 10%. 5% if not given.
    #[arg(
        long,
        value_name = "P%",
        env = "STAMPEDE_TOLERANCE",
        hide_env_values = true,
        help_heading = "Report",
        value_parser = tolerance
    )]
    pub tolerance: Option<f64>,
    /// What is shown, and how.
    #[command(flatten)]
    pub console: ConsoleArgs,
}
