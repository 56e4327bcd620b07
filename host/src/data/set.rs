//! A data set and all of a run's, as templates draw from them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};

use super::feed_strategy::FeedStrategy;
use super::file::{FileRows, RowBuffer};
use super::problem::RowReadError;
use super::table::Table;

/// Index of a data set among the [`DataSets`] it was looked up in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DataId(u32);

impl DataId {
    /// Position in the order of loading, from 0 and dense.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A data set: its rows and how they are dealt out. The counters are those of one run.
pub struct DataSet {
    name: String,
    rows: RowStore,
    feed: FeedStrategy,
    /// Columns that are never shown.
    secret_columns: Box<[usize]>,
    /// How many rows were asked for of a set whose rows are given once. Users of all workers meet in this number.
    rows_claimed: AtomicU64,
    /// Users for whom no row was left.
    exhausted_users: AtomicU32,
}

/// Where the rows are.
pub enum RowStore {
    /// In memory.
    Memory(Table),
    /// In a file.
    File(FileRows),
}

impl RowStore {
    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Memory(table) => table.rows(),
            Self::File(file) => file.rows(),
        }
    }
}

impl DataSet {
    /// A set that nothing was drawn from yet.
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

    /// The same, of which these columns are never shown.
    pub fn with_secret_columns(self, columns: impl IntoIterator<Item = usize>) -> Self {
        Self { secret_columns: columns.into_iter().collect(), ..self }
    }

    /// Sets its file apart from those of other sets.
    pub fn with_file_number(mut self, number: usize) -> Self {
        if let RowStore::File(file) = &mut self.rows {
            file.set_number(number);
        }
        self
    }

    /// Its name in templates.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How its rows are dealt out.
    pub const fn feed(&self) -> FeedStrategy {
        self.feed
    }

    /// Number of rows, at least 1.
    pub fn rows(&self) -> usize {
        self.rows.count()
    }

    /// Names of the columns in their order; empty for a plain list.
    pub fn columns(&self) -> &[String] {
        match &self.rows {
            RowStore::Memory(table) => table.columns(),
            RowStore::File(file) => file.columns(),
        }
    }

    /// The columns that are never shown; that of a plain list is 0.
    pub fn secret_columns(&self) -> &[usize] {
        &self.secret_columns
    }

    /// Appends one cell; a plain list has column 0 only. Panics out of range.
    ///
    /// # Errors
    /// The row is in a file that can no longer be read, or has changed.
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
            RowStore::File(file) => file.append((row, column), buffer, out),
        }
    }

    /// The next row of those that are given once, over all users of the run.
    pub fn next_unique_row(&self) -> Option<u64> {
        let row = self.rows_claimed.fetch_add(1, Relaxed);
        (row < self.rows() as u64).then_some(row)
    }

    /// Counts a user for whom no row was left; true for the first.
    pub fn count_exhausted_user(&self) -> bool {
        self.exhausted_users.fetch_add(1, Relaxed) == 0
    }

    /// Users for whom no row was left.
    pub fn exhausted_users(&self) -> u32 {
        self.exhausted_users.load(Relaxed)
    }
}

/// Shape only: rows may hold passwords.
impl fmt::Debug for DataSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataSet").field("name", &self.name).field("rows", &self.rows()).finish_non_exhaustive()
    }
}

/// All data sets of a run by name. A clone shares the rows and the counters.
#[derive(Clone, Default)]
pub struct DataSets(Arc<[DataSet]>);

impl DataSets {
    /// The set of that name.
    pub fn get(&self, name: &str) -> Option<&DataSet> {
        self.find(name).map(|id| self.set(id))
    }

    /// The index of the set of that name, for lookups on the hot path.
    pub fn find(&self, name: &str) -> Option<DataId> {
        let index = self.0.iter().position(|set| set.name == name)?;
        u32::try_from(index).ok().map(DataId)
    }

    /// The set at an index these very data sets gave out; panics on one from elsewhere that is out of range.
    pub fn set(&self, id: DataId) -> &DataSet {
        &self.0[id.index()]
    }

    /// All of them, in the order of the script, then those of the command line.
    pub fn iter(&self) -> impl Iterator<Item = &DataSet> {
        self.0.iter()
    }

    /// All names, in that order.
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

/// Names and sizes only: rows may hold passwords.
impl fmt::Debug for DataSets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
