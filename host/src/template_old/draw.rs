//! How a helper chooses the row that it shows.

use super::permutation::mix;
use super::row_cursors::RowShortage;
use super::row_sequence::RowSequence;
use super::scope::RenderContext;
use crate::data::{AtEnd, DataId, Order, Partition};

/// How a helper chooses its row.
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
    /// The row, for the user of these values; `None` if there is none for it.
    pub fn row(self, set: DataId, values: &mut RenderContext<'_>) -> Option<usize> {
        let deal = row_sequence(set, values);
        let row = match self {
            Self::Pick => pick_row(&deal, values),
            Self::PickOfIteration => match values.rows.cursor(set).picked {
                Some((iteration, row)) if iteration == values.iteration => Some(row),
                _ => {
                    let row = pick_row(&deal, values);
                    values.rows.cursor(set).picked = row.map(|row| (values.iteration, row));
                    row
                }
            },
            Self::Next => next_row(&deal, set, values),
            Self::NextOfIteration => next_row_of_iteration(&deal, set, values),
        };
        if row.is_none() {
            let fails = deal.feed.at_end == AtEnd::Error;
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

/// A row that any draw may give the user.
fn pick_row(deal: &RowSequence, values: &mut RenderContext<'_>) -> Option<u64> {
    let choices = deal.choice_count();
    (choices > 0).then(|| deal.row_of_choice(values.random.below(choices)))
}

fn next_row(deal: &RowSequence, set: DataId, values: &mut RenderContext<'_>) -> Option<u64> {
    match (deal.feed.order, deal.feed.partition) {
        (Order::Random, _) => pick_row(deal, values),
        (Order::Unique, Partition::None) => values.data.set(set).next_unique_row(),
        _ => deal.row(values.rows.next_turn(set)),
    }
}

/// Most orders follow from the iteration; what is drawn or given is kept until the iteration is over.
fn next_row_of_iteration(deal: &RowSequence, set: DataId, values: &mut RenderContext<'_>) -> Option<u64> {
    if !matches!(deal.feed.order, Order::Random | Order::Unique) {
        return deal.row(values.iteration);
    }
    match values.rows.cursor(set).dealt {
        Some((iteration, row)) if iteration == values.iteration => Some(row),
        _ => {
            let row = next_row(deal, set, values);
            values.rows.cursor(set).dealt = row.map(|row| (values.iteration, row));
            row
        }
    }
}
