//! Reports: the results of a run, for people and for programs.
//!
//! A [`Report`] is built once, when the run is over, and never changes. Each form is derived from it alone, so the
//! table and the [`formats`] of its files cannot disagree. The one exception is the progress display during the
//! run, which shows snapshots.

mod apdex;
mod build;
mod checks_and_thresholds;
pub(crate) mod compare;
mod comparison_table;
mod custom_metrics;
mod duration_stats;
pub(crate) mod exchange_text;
pub(crate) mod exchanges;
mod exhausted_data;
mod format;
pub(crate) mod formats;
pub(crate) mod generator;
pub(crate) mod merge;
pub(crate) mod model;
pub(crate) mod page;
mod percentiles;
pub(crate) mod progress;
pub(crate) mod read;
pub(crate) mod report_file;
mod restore;
mod row_alignment;
pub(crate) mod segments;
pub(crate) mod settings;
mod table;
mod times;

pub(crate) use build::run_id;
pub(crate) use comparison_table::render as changes;
pub(crate) use model::Report;
pub(crate) use report_file::ReportFile;
pub(crate) use settings::{RunSettings, RunSummary, RunVerdict};
pub(crate) use table::render as table;

pub(crate) mod live_screen;
pub(crate) mod live_table;
pub(crate) mod load_changes;
#[cfg(test)]
pub(crate) mod test_reports;
