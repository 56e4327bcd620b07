//! How a data set's rows are dealt out, complete: what the script left open is filled in.

use crate::script::model::DataSpec;
pub use crate::script::model::{AtEnd, Order, Partition};
use crate::script::value_of;

/// How `next` deals out the rows of a data set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedStrategy {
    /// In what order.
    pub order: Order,
    /// What happens to a user for whom no row is left.
    pub at_end: AtEnd,
    /// Who may get which row; of `pick` as well.
    pub partition: Partition,
}

impl FeedStrategy {
    /// What the script says of a set. Rows start over if it says nothing, but for those that are given once.
    pub fn from_spec(entry: &DataSpec) -> Self {
        let order = value_of(entry.order.as_ref()).unwrap_or_default();
        let default_end = if order == Order::Unique { AtEnd::Stop } else { AtEnd::Wrap };
        let at_end = value_of(entry.at_end.as_ref()).unwrap_or(default_end);
        Self { order, at_end, partition: value_of(entry.partition.as_ref()).unwrap_or_default() }
    }
}
