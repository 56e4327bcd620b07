//! The data sets of a plan: lists of rows that templates draw from with `pick` and `next`. Movie ids, accounts and
//! search words come in files of millions of lines, and every virtual user reads all of them, so a set is shared by all
//! workers: a small one is kept in two allocations, and of a large one only the offsets of its rows.
//!
//! A set is never empty: a run that could find nothing to pick ends before it starts.

mod csv;
mod feed_strategy;
mod file;
mod inline;
mod json;
mod json_column;
mod load;
mod partition_check;
mod problem;
mod quotes;
mod set;
mod table;
mod text_lines;

pub(crate) use feed_strategy::{AtEnd, FeedStrategy, Order, Partition};
pub(crate) use file::RowBuffer;
pub(crate) use load::{load, parse_as_every_format};
pub(crate) use partition_check::check_rows_per_user;
pub(crate) use set::{DataId, DataSet, DataSets};
#[cfg(test)]
pub(crate) use table::Table;
