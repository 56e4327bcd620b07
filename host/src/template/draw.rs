//! The choice of the row that `pick` and `next` show.

use super::permutation::mix;
use super::row_cursors::{IterationRow, RowShortage};
use super::row_sequence::RowSequence;
use super::scope::RenderContext;
use crate::data::{AtEnd, DataId, Order, Partition};
use crate::segment::Deal;

/// The rule by which a helper chooses its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// A random row each time.
    Pick,
    /// A random row per iteration, for columns.
    PickOfIteration,
    /// The user's next row each time, in the order of the set.
    Next,
    /// The user's next row per iteration, for columns.
    NextOfIteration,
}

impl Draw {
    /// Returns the row for the user of these values; `None`, after recording the shortage, if no row is left for it.
    pub fn row(self, set: DataId, values: &mut RenderContext<'_>) -> Option<usize> {
        let sequence = row_sequence(set, values);
        let row = match self {
            Self::Pick => pick_row(&sequence, values),
            Self::PickOfIteration => match values.rows.cursor(set).picked {
                Some(kept) if kept.iteration == values.iteration => Some(kept.row),
                _ => {
                    let row = pick_row(&sequence, values);
                    values.rows.cursor(set).picked = row.map(|row| IterationRow { iteration: values.iteration, row });
                    row
                }
            },
            Self::Next => next_row(&sequence, set, values),
            Self::NextOfIteration => next_row_of_iteration(&sequence, set, values),
        };
        if row.is_none() {
            let fails = sequence.feed.at_end == AtEnd::Error;
            values.rows.record_shortage(if fails { RowShortage::Error(set) } else { RowShortage::Stop(set) });
        }
        row.map(|row| row as usize)
    }
}

fn row_sequence(set: DataId, values: &RenderContext<'_>) -> RowSequence {
    let data = values.data.set(set);
    RowSequence {
        rows: data.rows() as u64,
        user: values.user.into(),
        users: values.users.into(),
        seed: mix(values.rows.seed, set.index() as u64),
        feed: data.feed(),
    }
}

/// Draws one of the rows that the user may get.
fn pick_row(sequence: &RowSequence, values: &mut RenderContext<'_>) -> Option<u64> {
    let choices = sequence.choice_count();
    (choices > 0).then(|| sequence.row_of_choice(values.random.below(choices)))
}

fn next_row(sequence: &RowSequence, set: DataId, values: &mut RenderContext<'_>) -> Option<u64> {
    match (sequence.feed.order, sequence.feed.partition) {
        (Order::Random, _) => pick_row(sequence, values),
        (Order::Unique, Partition::None) => {
            values.data.set(set).next_unique_row(Deal::new(values.users, values.segment.users()))
        }
        _ => sequence.row(values.rows.next_turn(set)),
    }
}

/// Returns the row of the iteration. Most orders follow from the iteration's number; a row that is drawn at random, or
/// given once, is kept until the iteration is over.
fn next_row_of_iteration(sequence: &RowSequence, set: DataId, values: &mut RenderContext<'_>) -> Option<u64> {
    if !matches!(sequence.feed.order, Order::Random | Order::Unique) {
        return sequence.row(values.iteration);
    }
    match values.rows.cursor(set).dealt {
        Some(kept) if kept.iteration == values.iteration => Some(kept.row),
        _ => {
            let row = next_row(sequence, set, values);
            values.rows.cursor(set).dealt = row.map(|row| IterationRow { iteration: values.iteration, row });
            row
        }
    }
}
