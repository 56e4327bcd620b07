//! The rules by which a data set's rows are given out, with the defaults for what the script does not set.

use crate::script::model::DataSpec;
pub(crate) use crate::script::model::{AtEnd, Order, Partition};
use crate::script::value_of;

/// The rules by which `next` gives out the rows of a data set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedStrategy {
    /// The order of the rows.
    pub order: Order,
    /// The consequence for a user for whom no row is left.
    pub at_end: AtEnd,
    /// The division of the rows among users; `pick` keeps to it as well.
    pub partition: Partition,
}

impl FeedStrategy {
    /// Creates the rules from the script's entry. Without `at_end`, rows start over, except those that are given once.
    pub fn from_spec(entry: &DataSpec) -> Self {
        let order = value_of(entry.order.as_ref()).unwrap_or_default();
        let default_end = if order == Order::Unique { AtEnd::Stop } else { AtEnd::Wrap };
        let at_end = value_of(entry.at_end.as_ref()).unwrap_or(default_end);
        Self { order, at_end, partition: value_of(entry.partition.as_ref()).unwrap_or_default() }
    }
}
