//! Which row of a data set a user gets. Nothing is shared between users: a row follows from the user's number, its
//! random stream and its own counts alone, so drawing takes no lock and a seed always draws the same rows.

use super::scope::Values;
use crate::plan::data::DataId;

/// One user's places in the data sets. Costs no memory on the heap until the first draw that must be remembered.
#[derive(Clone, Debug, Default)]
pub struct Rows(Vec<Position>);

/// One user's place in one data set.
#[derive(Clone, Debug, Default)]
struct Position {
    /// How many times `next` has drawn without a column.
    drawn: u64,
    /// The row `pick` keeps for one iteration, so that all columns come from the same row: iteration and row.
    kept: Option<(u64, usize)>,
}

impl Rows {
    fn position(&mut self, set: DataId) -> &mut Position {
        if self.0.len() <= set.index() {
            self.0.resize_with(set.index() + 1, Position::default);
        }
        &mut self.0[set.index()]
    }
}

/// How a helper chooses its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Draw {
    /// A random row each time.
    Pick,
    /// A random row per iteration, for columns.
    PickOfIteration,
    /// The user's k-th draw is row user + k × users, modulo the number of rows: users do not meet while rows last.
    Next,
    /// Row user + iteration × users, modulo the number of rows, for columns.
    NextOfIteration,
}

impl Draw {
    /// The row, for the user of these values.
    pub(super) fn row(self, set: DataId, values: &mut Values<'_>) -> usize {
        let rows = values.data.table(set).rows();
        match self {
            Self::Pick => pick(rows, values),
            Self::PickOfIteration => match values.rows.position(set).kept {
                Some((iteration, row)) if iteration == values.iteration => row,
                _ => {
                    let row = pick(rows, values);
                    values.rows.position(set).kept = Some((values.iteration, row));
                    row
                }
            },
            Self::Next => {
                let position = values.rows.position(set);
                let turn = position.drawn;
                position.drawn += 1;
                step(turn, rows, values)
            }
            Self::NextOfIteration => step(values.iteration, rows, values),
        }
    }
}

fn pick(rows: usize, values: &mut Values<'_>) -> usize {
    values.random.below(rows as u64) as usize
}

/// Every number fits into 128 bits, and the remainder is below `rows`.
fn step(turn: u64, rows: usize, values: &Values<'_>) -> usize {
    let place = u128::from(values.user) + u128::from(turn) * u128::from(values.users);
    (place % rows as u128) as usize
}
