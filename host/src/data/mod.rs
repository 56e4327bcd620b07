//! The data sets of a plan: lists of rows that templates draw from with `pick` and `next`. Movie ids, accounts and
//! search words come in files of millions of lines, and every virtual user reads all of them, so a set is shared by all
//! workers: a small one is kept in two allocations, of a large one only where its rows begin.
//!
//! A set is never empty: a run that could find nothing to pick ends before it starts.

mod csv;
mod feed;
mod file;
mod inline;
mod json;
mod load;
mod problem;
mod set;
mod share;
mod table;
mod text;

pub use feed::{AtEnd, Feed, Order, Partition};
pub use file::RowBuffer;
pub use load::load;
pub use problem::Unreadable;
pub use set::{DataId, DataSet, DataSets};
pub use share::too_few_rows;
pub use table::Table;
