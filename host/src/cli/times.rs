//! The flags that choose which times a run shows.

use clap::{Args, ValueEnum};

use super::value::{PercentileList, outcome_filter, percentiles};
use crate::script::outcome::OutcomeFilter;

/// The times that the table shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LatencyView {
    /// Times from when a request should have started.
    #[default]
    Response,
    /// Times from when it did start.
    Service,
    /// Both, side by side.
    Both,
}

/// The times that a run shows.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct TimesArgs {
    /// Times that the table shows
    ///
    /// `response` counts from when a request should have started, `service` from when it did. They differ where the run
    /// promised a rate. `response` if not given; the files of --out have both.
    #[arg(long, value_name = "WHICH", env = "STAMPEDE_LATENCY", help_heading = "Report")]
    pub latency: Option<LatencyView>,
    /// Requests whose times are shown
    ///
    /// `ok` for those without a failure, `failed` for those with one, `all` for both. The table, Markdown, both forms
    /// of CSV and `.hgrm` have the times of these and say so in their headings; JSON has all three, and the page has a
    /// switch. A change against a baseline is that of these. `all` if not given.
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
    /// have these and no others; JSON has them as well as its own. 50,90,99 in the table if not given.
    #[arg(
        long,
        value_name = "P,...",
        env = "STAMPEDE_PERCENTILES",
        help_heading = "Report",
        value_parser = percentiles
    )]
    pub percentiles: Option<PercentileList>,
}
