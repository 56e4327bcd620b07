//! Reports: the results of a run, for people and for programs.
//!
//! A [`Report`] is built once, when the run is over, and never changes. Each form is derived from it alone, so the
//! table and the [formats](formats) of its files cannot disagree. The one exception is the progress display during the
//! run, which shows snapshots.

mod build;
mod checks_and_thresholds;
pub mod compare;
mod comparison_table;
mod custom_metrics;
mod duration_stats;
mod exhausted_data;
mod format;
pub mod formats;
mod generator;
pub mod merge;
pub mod model;
pub mod progress;
pub mod read;
pub mod report_file;
pub mod settings;
mod table;

pub use comparison_table::render as changes;
pub use model::Report;
pub use progress::ProgressDisplay;
pub use report_file::ReportFile;
pub use settings::{RunSettings, RunSummary};
pub use table::render as table;

pub mod load_changes;
#[cfg(test)]
pub(crate) mod test_reports;
