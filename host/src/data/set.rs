//! The data sets of a run, as templates draw from them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};

use super::feed_strategy::FeedStrategy;
use super::file::{FileRows, RowBuffer};
use super::problem::RowReadError;
use super::table::Table;
use crate::segment::Deal;

/// The index of a data set among the [`DataSets`] it was looked up in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DataId(u32);

impl DataId {
    /// Returns the position in the order of loading, from 0 and dense.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A data set: its rows and the rules by which they are given out. The counters are those of one run.
pub struct DataSet {
    name: String,
    rows: RowStore,
    feed: FeedStrategy,
    /// Columns whose values are never shown.
    secret_columns: Box<[usize]>,
    /// The number of rows that users of all workers of this process have asked for, of a set whose rows are given once.
    rows_claimed: AtomicU64,
    /// The number of users for whom no row was left.
    exhausted_users: AtomicU32,
}

/// The rows of a set, in memory or in a file.
pub enum RowStore {
    /// Rows in memory.
    Memory(Table),
    /// Rows that stay in their file.
    File(FileRows),
}

impl RowStore {
    /// Returns the number of rows.
    pub fn count(&self) -> usize {
        match self {
            Self::Memory(table) => table.rows(),
            Self::File(file) => file.rows(),
        }
    }
}

impl DataSet {
    /// Creates a set that nothing was drawn from yet.
    pub fn new(name: String, rows: RowStore, feed: FeedStrategy) -> Self {
        Self {
            name,
            rows,
            feed,
            secret_columns: Box::default(),
            rows_claimed: AtomicU64::new(0),
            exhausted_users: AtomicU32::new(0),
        }
    }

    /// Returns the set with these columns marked as secret.
    pub fn with_secret_columns(self, columns: impl IntoIterator<Item = usize>) -> Self {
        Self { secret_columns: columns.into_iter().collect(), ..self }
    }

    /// Returns the set with a number for its file, which tells it from those of other sets.
    pub fn with_file_number(mut self, number: usize) -> Self {
        if let RowStore::File(file) = &mut self.rows {
            file.set_number(number);
        }
        self
    }

    /// Returns the name in templates.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the rules by which its rows are given out.
    pub const fn feed(&self) -> FeedStrategy {
        self.feed
    }

    /// Returns the number of rows, at least 1.
    pub fn rows(&self) -> usize {
        self.rows.count()
    }

    /// Returns the names of the columns in their order; empty for a plain list.
    pub fn columns(&self) -> &[String] {
        match &self.rows {
            RowStore::Memory(table) => table.columns(),
            RowStore::File(file) => file.columns(),
        }
    }

    /// Returns the columns whose values are never shown; that of a plain list is 0.
    pub fn secret_columns(&self) -> &[usize] {
        &self.secret_columns
    }

    /// Appends one cell; a plain list has column 0 only.
    ///
    /// # Errors
    /// The row is in a file that can no longer be read, or has changed.
    ///
    /// # Panics
    /// Panics if row or column is out of range.
    pub fn append(
        &self,
        row: usize,
        column: usize,
        buffer: &mut RowBuffer,
        out: &mut String,
    ) -> Result<(), RowReadError> {
        match &self.rows {
            RowStore::Memory(table) => {
                out.push_str(table.cell(row, column));
                Ok(())
            }
            RowStore::File(file) => file.append(row, column, buffer, out),
        }
    }

    /// Claims the next row of those that are given once, and dealt to the users of this process; `None` if they have
    /// claimed them all.
    pub fn next_unique_row(&self, own: Deal) -> Option<u64> {
        let row = own.nth(self.rows_claimed.fetch_add(1, Relaxed))?;
        (row < self.rows() as u64).then_some(row)
    }

    /// Counts a user for whom no row was left; returns `true` for the first.
    pub fn count_exhausted_user(&self) -> bool {
        self.exhausted_users.fetch_add(1, Relaxed) == 0
    }

    /// Returns the number of users for whom no row was left.
    pub fn exhausted_users(&self) -> u32 {
        self.exhausted_users.load(Relaxed)
    }
}

/// Shows name and size only: rows may hold passwords.
impl fmt::Debug for DataSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataSet").field("name", &self.name).field("rows", &self.rows()).finish_non_exhaustive()
    }
}

/// All data sets of a run by name. A clone shares the rows and the counters.
#[derive(Clone, Default)]
pub struct DataSets(Arc<[DataSet]>);

impl DataSets {
    /// Returns the index of the set of a name, for lookups on the path of requests.
    pub fn find(&self, name: &str) -> Option<DataId> {
        let index = self.0.iter().position(|set| set.name == name)?;
        u32::try_from(index).ok().map(DataId)
    }

    /// Returns the set at an index.
    ///
    /// # Panics
    /// Panics if other data sets gave out the index and it is out of range here.
    pub fn set(&self, id: DataId) -> &DataSet {
        &self.0[id.index()]
    }

    /// Iterates over the sets, in the order of the script, then those of the command line.
    pub fn iter(&self) -> impl Iterator<Item = &DataSet> {
        self.0.iter()
    }

    /// Iterates over the names, in that order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(DataSet::name)
    }
}

impl FromIterator<DataSet> for DataSets {
    /// Names must differ; of two alike the first is found.
    fn from_iter<I: IntoIterator<Item = DataSet>>(sets: I) -> Self {
        Self(sets.into_iter().collect())
    }
}

impl FromIterator<(String, Table, FeedStrategy)> for DataSets {
    /// Names must differ; of two alike the first is found.
    fn from_iter<I: IntoIterator<Item = (String, Table, FeedStrategy)>>(tables: I) -> Self {
        tables.into_iter().map(|(name, table, feed)| DataSet::new(name, RowStore::Memory(table), feed)).collect()
    }
}

/// Shows names and sizes only: rows may hold passwords.
impl fmt::Debug for DataSets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
