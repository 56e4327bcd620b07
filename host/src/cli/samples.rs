//! The flags of the file of samples.

use std::path::PathBuf;

use clap::Args;

use super::value::sample_share;

/// The flags of the file of samples.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct SamplesArgs {
    /// Write every request to this file, a line each
    ///
    /// The extension selects the form: .ndjson or .csv, each with .zst after it to compress it with Zstandard. Requests
    /// of the warm-up are not in it. The file is written beside the run: if it is too slow, requests are left out,
    /// which is said at the end and in the report; it never delays the run.
    #[arg(long, value_name = "FILE", env = "STAMPEDE_SAMPLES", help_heading = "Report")]
    pub samples: Option<PathBuf>,
    /// Share of the requests that --samples writes
    ///
    /// In percent, such as 1%, from 0.0001% to 100%. Requests are counted: with 1% it is every hundredth of each
    /// worker. 100% if not given.
    #[arg(
        long,
        value_name = "P%",
        env = "STAMPEDE_SAMPLE_SHARE",
        help_heading = "Report",
        value_parser = sample_share,
        requires = "samples"
    )]
    pub sample_share: Option<f64>,
}
