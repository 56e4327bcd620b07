//! The data sets of a plan: lists of rows that templates draw from with `pick` and `next`. Movie ids, accounts and
//! search words come in files of millions of lines, and every virtual user reads all of them, so a set is loaded once,
//! kept in two allocations and shared by all workers.
//!
//! A set is never empty: a run that could find nothing to pick ends before it starts.

mod csv;
mod inline;
mod json;
mod load;
mod table;
mod text;

use std::fmt;
use std::sync::Arc;

pub use load::load;
pub use table::Table;

/// Index of a data set among the [`DataSets`] it was looked up in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DataId(u32);

impl DataId {
    /// Position in the order of loading, from 0 and dense.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// All data sets of a run by name. A clone shares the rows.
#[derive(Clone, Default)]
pub struct DataSets(Arc<[(String, Table)]>);

impl DataSets {
    /// The set of that name.
    pub fn get(&self, name: &str) -> Option<&Table> {
        self.find(name).map(|id| self.table(id))
    }

    /// The index of the set of that name, for lookups on the hot path.
    pub fn find(&self, name: &str) -> Option<DataId> {
        let index = self.0.iter().position(|(known, _)| known == name)?;
        u32::try_from(index).ok().map(DataId)
    }

    /// The set at an index these very data sets gave out; panics on one from elsewhere that is out of range.
    pub fn table(&self, id: DataId) -> &Table {
        &self.0[id.index()].1
    }

    /// All names, in the order of the script, then those of the command line.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

impl FromIterator<(String, Table)> for DataSets {
    /// Names must differ; of two alike the first is found.
    fn from_iter<I: IntoIterator<Item = (String, Table)>>(tables: I) -> Self {
        Self(tables.into_iter().collect())
    }
}

/// Names and sizes only: rows may hold passwords.
impl fmt::Debug for DataSets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, table)| (name, table))).finish()
    }
}
