//! `merge` and `compare`: work on reports after their runs.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::ConsoleArgs;
use super::value::{PercentileList, outcome_filter, percentiles, tolerance};
use crate::script::outcome::OutcomeFilter;

/// Arguments of `merge`.
#[derive(Clone, Debug, Args)]
pub struct MergeArgs {
    /// Reports of the same script, in JSON
    #[arg(value_name = "REPORT.json", required = true)]
    pub reports: Vec<PathBuf>,
    /// Write the sum to this file (repeatable)
    ///
    /// The extension selects the format.
    #[arg(long, value_name = "FILE", env = "STAMPEDE_OUT", help_heading = "Report", value_delimiter = '\n')]
    pub out: Vec<PathBuf>,
    /// Judge a run although segments of it are missing
    ///
    /// Otherwise the exit code is 10 if no threshold failed: nothing shows that the missing ones passed.
    #[arg(
        long,
        env = "STAMPEDE_ALLOW_MISSING",
        help_heading = "Verdict",
        value_parser = BoolishValueParser::new()
    )]
    pub allow_missing: bool,
    /// Requests whose times are shown
    ///
    /// `ok` for those without a failure, `failed` for those with one, `all` for both. The choice of the reports, if
    /// they agree, if not given; otherwise `all`.
    #[arg(
        long,
        value_name = "WHICH",
        env = "STAMPEDE_LATENCY_OF",
        help_heading = "Report",
        value_parser = outcome_filter()
    )]
    pub latency_of: Option<OutcomeFilter>,
    /// Percentiles that the table shows, such as `50,95,99.9`
    ///
    /// Numbers above 0 and below 100 with commas between them, at most 12. The table, Markdown and both forms of CSV
    /// have these and no others; JSON has them as well as its own. Those of the reports, if they agree, if not given;
    /// otherwise 50,90,99 in the table.
    #[arg(
        long,
        value_name = "P,...",
        env = "STAMPEDE_PERCENTILES",
        help_heading = "Report",
        value_parser = percentiles
    )]
    pub percentiles: Option<PercentileList>,
    /// The flags about the terminal.
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
    /// Requests whose times are compared
    ///
    /// `ok` for those without a failure, `failed` for those with one, `all` for both. `all` if not given.
    #[arg(
        long,
        value_name = "WHICH",
        env = "STAMPEDE_LATENCY_OF",
        help_heading = "Report",
        value_parser = outcome_filter()
    )]
    pub latency_of: Option<OutcomeFilter>,
    /// The largest change for the worse that still passes
    ///
    /// A share in percent, such as 10%. 5% if not given.
    #[arg(
        long,
        value_name = "P%",
        env = "STAMPEDE_TOLERANCE",
        help_heading = "Report",
        value_parser = tolerance
    )]
    pub tolerance: Option<f64>,
    /// Write both reports and their differences to this file, as a page (repeatable)
    ///
    /// It must end in `.html`. Several are separated by line breaks in the variable.
    #[arg(long, value_name = "FILE.html", env = "STAMPEDE_OUT", help_heading = "Report", value_delimiter = '\n')]
    pub out: Vec<PathBuf>,
    /// The flags about the terminal.
    #[command(flatten)]
    pub console: ConsoleArgs,
}
