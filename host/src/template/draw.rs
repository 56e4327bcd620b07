//! How a helper chooses the row that it shows.

use super::deal::Deal;
use super::permutation::mix;
use super::rows::Shortage;
use super::scope::Values;
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
    pub fn row(self, set: DataId, values: &mut Values<'_>) -> Option<usize> {
        let deal = deal(set, values);
        let row = match self {
            Self::Pick => pick(&deal, values),
            Self::PickOfIteration => match values.rows.position(set).picked {
                Some((iteration, row)) if iteration == values.iteration => Some(row),
                _ => {
                    let row = pick(&deal, values);
                    values.rows.position(set).picked = row.map(|row| (values.iteration, row));
                    row
                }
            },
            Self::Next => next(&deal, set, values),
            Self::NextOfIteration => next_of_iteration(&deal, set, values),
        };
        if row.is_none() {
            let fails = deal.feed.at_end == AtEnd::Error;
            values.rows.note(if fails { Shortage::Error(set) } else { Shortage::Stop(set) });
        }
        row.map(|row| row as usize)
    }
}

fn deal(set: DataId, values: &Values<'_>) -> Deal {
    let data = values.data.set(set);
    Deal {
        rows: data.rows() as u64,
        user: values.user.into(),
        users: values.users.into(),
        seed: mix(values.rows.seed, set.index() as u64),
        feed: data.feed(),
    }
}

/// A row that any draw may give the user.
fn pick(deal: &Deal, values: &mut Values<'_>) -> Option<u64> {
    let choices = deal.choices();
    (choices > 0).then(|| deal.drawn(values.random.below(choices)))
}

fn next(deal: &Deal, set: DataId, values: &mut Values<'_>) -> Option<u64> {
    match (deal.feed.order, deal.feed.partition) {
        (Order::Random, _) => pick(deal, values),
        (Order::Unique, Partition::None) => values.data.set(set).once(),
        _ => deal.row(values.rows.turn(set)),
    }
}

/// Most orders follow from the iteration; what is drawn or given is kept until the iteration is over.
fn next_of_iteration(deal: &Deal, set: DataId, values: &mut Values<'_>) -> Option<u64> {
    if !matches!(deal.feed.order, Order::Random | Order::Unique) {
        return deal.row(values.iteration);
    }
    match values.rows.position(set).dealt {
        Some((iteration, row)) if iteration == values.iteration => Some(row),
        _ => {
            let row = next(deal, set, values);
            values.rows.position(set).dealt = row.map(|row| (values.iteration, row));
            row
        }
    }
}
