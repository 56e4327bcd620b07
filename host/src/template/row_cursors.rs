//! A user's places in the data sets. The row that a user gets follows from the user's number, its random stream and its
//! own counts alone, so drawing takes no lock and a seed always draws the same rows; only rows that are given once in a
//! run are numbered by a counter that all users share.

use crate::data::DataId;

/// One user's places in the data sets. Uses no heap memory until the first draw that must be remembered.
#[derive(Clone, Debug, Default)]
pub struct RowCursors {
    cursors: Vec<RowCursor>,
    /// The seed of shuffles.
    pub seed: u64,
    shortage: Option<RowShortage>,
}

/// The reason why a user is without a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowShortage {
    /// None is left, and the user's walk ends.
    Stop(DataId),
    /// None is left, and that is an error.
    Error(DataId),
    /// The file of this set can no longer be read.
    Unreadable(DataId),
}

/// One user's place in one data set.
#[derive(Clone, Debug, Default)]
pub struct RowCursor {
    /// The number of draws of `next` without a column, or of a row that is given once.
    pub turns: u64,
    /// The row that `pick` keeps for one iteration, so that all columns come from the same row.
    pub picked: Option<IterationRow>,
    /// The row that `next` keeps for one iteration, if it does not follow from the iteration's number.
    pub dealt: Option<IterationRow>,
}

/// A row that is kept for one iteration.
#[derive(Clone, Copy, Debug)]
pub struct IterationRow {
    /// The iteration's number, from 0.
    pub iteration: u64,
    /// The row's number, from 0.
    pub row: u64,
}

impl RowCursors {
    /// Creates the cursors of a user in a run with this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Takes the shortage that was recorded since the last call, if there was one.
    pub const fn take_shortage(&mut self) -> Option<RowShortage> {
        self.shortage.take()
    }

    /// Records a shortage; only the first one until it is taken.
    pub fn record_shortage(&mut self, shortage: RowShortage) {
        self.shortage.get_or_insert(shortage);
    }

    /// Returns the user's place in a set.
    pub fn cursor(&mut self, set: DataId) -> &mut RowCursor {
        if self.cursors.len() <= set.index() {
            self.cursors.resize_with(set.index() + 1, RowCursor::default);
        }
        &mut self.cursors[set.index()]
    }

    /// Returns the number of this turn, from 0, and counts it.
    pub fn next_turn(&mut self, set: DataId) -> u64 {
        let position = self.cursor(set);
        position.turns += 1;
        position.turns - 1
    }
}
