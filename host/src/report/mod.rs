//! Showing: from the counts of a run to what people and programs read.
//!
//! A [`Report`] is built once, when the run is over, and never changes. Each form is a function of it alone, so the
//! table, the JSON and the CSV of a run cannot disagree. Progress during the run is the one exception: it shows
//! snapshots.

mod build;
mod changes;
pub mod compare;
mod csv;
mod custom;
mod data;
mod format;
mod generator;
mod json;
mod junit;
pub mod merge;
pub mod model;
pub mod output;
pub mod progress;
pub mod read;
pub mod settings;
mod table;
mod times;
mod verdict;

pub use changes::render as changes;
pub use model::Report;
pub use output::Output;
pub use progress::Progress;
pub use settings::{Outcome, Settings};
pub use table::render as table;

pub mod load_changes;
#[cfg(test)]
mod samples;
