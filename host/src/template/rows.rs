//! Which row of a data set a user gets. A row follows from the user's number, its random stream and its own counts
//! alone, so drawing takes no lock and a seed always draws the same rows; only rows that are given once in a run are
//! handed out by a number that all users share.

use super::deal::Deal;
use super::permutation::mix;
use super::scope::Values;
use crate::plan::data::{AtEnd, DataId, Order, Partition};

/// One user's places in the data sets. Costs no memory on the heap until the first draw that must be remembered.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    positions: Vec<Position>,
    /// Decides the orders of shuffles.
    seed: u64,
    shortage: Option<Shortage>,
}

/// Why a user is without a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortage {
    /// None is left, and the user's walk ends.
    Stop(DataId),
    /// None is left, and that is an error.
    Error(DataId),
    /// The file of this set can no longer be read.
    Unreadable(DataId),
}

/// One user's place in one data set.
#[derive(Clone, Debug, Default)]
struct Position {
    /// How many times `next` has drawn without a column, or a row that is given once.
    drawn: u64,
    /// The row `pick` keeps for one iteration, so that all columns come from the same row: iteration and row.
    picked: Option<(u64, u64)>,
    /// The same of `next`, where the row does not follow from the iteration.
    dealt: Option<(u64, u64)>,
}

impl Rows {
    /// Of a run with this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Why the user goes on no further, if so.
    pub const fn shortage(&self) -> Option<Shortage> {
        self.shortage
    }

    /// Remembers the first shortage.
    pub(super) fn note(&mut self, shortage: Shortage) {
        self.shortage.get_or_insert(shortage);
    }

    fn position(&mut self, set: DataId) -> &mut Position {
        if self.positions.len() <= set.index() {
            self.positions.resize_with(set.index() + 1, Position::default);
        }
        &mut self.positions[set.index()]
    }

    /// A number for each call, from 0.
    fn turn(&mut self, set: DataId) -> u64 {
        let position = self.position(set);
        position.drawn += 1;
        position.drawn - 1
    }
}

/// How a helper chooses its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Draw {
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
    pub(super) fn row(self, set: DataId, values: &mut Values<'_>) -> Option<usize> {
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
