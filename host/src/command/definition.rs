//! The definition of the command line, with what the reports can tell about it.

use crate::cli;
use crate::report::formats::{self, FORMATS};

/// Returns the definition of the command line, with the report formats in its help.
pub fn definition() -> clap::Command {
    cli::definition(&formats::described(FORMATS))
}
