//! Which row of a data set a user gets. A row follows from the user's number, its random stream and its own counts
//! alone, so drawing takes no lock and a seed always draws the same rows; only rows that are given once in a run are
//! handed out by a number that all users share.

use crate::data::DataId;

/// One user's places in the data sets. Costs no memory on the heap until the first draw that must be remembered.
#[derive(Clone, Debug, Default)]
pub struct RowCursors {
    cursors: Vec<RowCursor>,
    /// Decides the orders of shuffles.
    pub seed: u64,
    shortage: Option<RowShortage>,
}

/// Why a user is without a row.
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
    /// How many times `next` has drawn without a column, or a row that is given once.
    pub turns: u64,
    /// The row `pick` keeps for one iteration, so that all columns come from the same row: iteration and row.
    pub picked: Option<(u64, u64)>,
    /// The same of `next`, where the row does not follow from the iteration.
    pub dealt: Option<(u64, u64)>,
}

impl RowCursors {
    /// Of a run with this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Why the user goes on no further, if so.
    pub const fn shortage(&self) -> Option<RowShortage> {
        self.shortage
    }

    /// Remembers the first shortage.
    pub fn record_shortage(&mut self, shortage: RowShortage) {
        self.shortage.get_or_insert(shortage);
    }

    /// The user's place in a set.
    pub fn cursor(&mut self, set: DataId) -> &mut RowCursor {
        if self.cursors.len() <= set.index() {
            self.cursors.resize_with(set.index() + 1, RowCursor::default);
        }
        &mut self.cursors[set.index()]
    }

    /// A number for each call, from 0.
    pub fn next_turn(&mut self, set: DataId) -> u64 {
        let position = self.cursor(set);
        position.turns += 1;
        position.turns - 1
    }
}
