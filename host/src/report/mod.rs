//! Reports: the counts of a run as people and programs read them.
//!
//! A [`Report`] is built once, when the run is over, and never changes. Each form is a function of it alone, so the
//! table and the [formats](formats) of its files cannot disagree. Progress during the run is the one exception: it
//! shows snapshots.

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
