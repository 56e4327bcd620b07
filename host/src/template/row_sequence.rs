//! The rows that a user gets from a data set, in their order: pure arithmetic on the user's number and the number of
//! rows it had. Only rows that are given once in a run need a counter, see
//! [`DataSet::next_unique_row`](crate::data::DataSet::next_unique_row).

use super::permutation::{mix, permute};
use crate::data::{AtEnd, FeedStrategy, Order, Partition};

/// One user's sequence of rows in one data set.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowSequence {
    /// Rows of the set, at least 1.
    pub rows: u64,
    /// The user's number, from 0.
    pub user: u64,
    /// The number of users of the run, above the user's own number.
    pub users: u64,
    /// The seed of a shuffle: that of the run, mixed with the set's number.
    pub seed: u64,
    /// The rule by which rows are given out.
    pub feed: FeedStrategy,
}

impl RowSequence {
    /// Returns the row for a turn, from 0; `None` if no row is left. Rows that are drawn at random have no turns, and
    /// neither do rows that are given once, in the order in which users ask.
    pub(super) fn row(&self, turn: u64) -> Option<u64> {
        match self.feed.partition {
            Partition::None => {
                // Both fit into 128 bits, and what is below `rows` fits into 64.
                let place = u128::from(self.user) + u128::from(turn) * u128::from(self.users);
                let (pass, place) = (place / u128::from(self.rows), place % u128::from(self.rows));
                self.row_in_pass(place as u64, pass as u64, self.rows, 0)
            }
            Partition::User => {
                let share = self.share();
                let (pass, place) = (turn.checked_div(share)?, turn % share);
                Some(self.own_row(self.row_in_pass(place, pass, share, self.user + 1)?))
            }
        }
    }

    /// Returns the row of a number that was drawn at random below [`RowSequence::choice_count`].
    pub(super) fn row_of_choice(&self, number: u64) -> u64 {
        match self.feed.partition {
            Partition::None => number,
            Partition::User => self.own_row(number),
        }
    }

    /// Returns the number of rows that the user may draw from; 0 if it has no share.
    pub(super) fn choice_count(&self) -> u64 {
        match self.feed.partition {
            Partition::None => self.rows,
            Partition::User => self.share(),
        }
    }

    /// Returns the number of the user's own rows: those whose number, divided by the number of users, leaves the user's
    /// number.
    fn share(&self) -> u64 {
        self.rows.saturating_sub(self.user).div_ceil(self.users)
    }

    /// Returns one of the user's own rows, counted from 0.
    const fn own_row(&self, number: u64) -> u64 {
        self.user + number * self.users
    }

    /// Returns the number at a place in a pass through `of` numbers. Different `whose` give different shuffles of one
    /// set.
    fn row_in_pass(&self, place: u64, pass: u64, of: u64, whose: u64) -> Option<u64> {
        if pass > 0 && self.feed.at_end != AtEnd::Wrap {
            return None;
        }
        let key = || mix(mix(self.seed, pass), whose);
        Some(if self.feed.order == Order::Shuffle { permute(place, of, key()) } else { place })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sequence(feed: FeedStrategy, rows: u64, users: u64, user: u64) -> RowSequence {
        RowSequence { rows, user, users, seed: 9, feed }
    }

    /// Returns the rows that each user gets until none is left.
    fn until_the_end(feed: FeedStrategy, rows: u64, users: u64) -> Vec<Vec<u64>> {
        let user = |user| (0..).map_while(|turn| sequence(feed, rows, users, user).row(turn)).collect();
        (0..users).map(user).collect()
    }

    fn feeds() -> impl Strategy<Value = FeedStrategy> {
        let orders = prop::sample::select(vec![Order::Sequential, Order::Shuffle]);
        let partitions = prop::sample::select(vec![Partition::None, Partition::User]);
        (orders, partitions).prop_map(|(order, partition)| FeedStrategy { order, at_end: AtEnd::Stop, partition })
    }

    proptest! {
        #[test]
        fn each_row_goes_to_one_user_once(feed in feeds(), rows in 1_u64..500, users in 1_u64..40) {
            let mut dealt: Vec<u64> = until_the_end(feed, rows, users).concat();
            dealt.sort_unstable();
            prop_assert_eq!(dealt, (0..rows).collect::<Vec<_>>());
        }

        #[test]
        fn shares_are_disjoint_however_often_they_start_over(order in feeds(), users in 1_u64..40, more in 0_u64..300) {
            let feed = FeedStrategy { at_end: AtEnd::Wrap, partition: Partition::User, ..order };
            let rows = users + more;
            let mut owner = vec![None; rows as usize];
            for user in 0..users {
                let sequence = sequence(feed, rows, users, user);
                for turn in 0..2 * sequence.share() {
                    let row = sequence.row(turn).unwrap();
                    prop_assert_eq!(*owner[row as usize].get_or_insert(user), user);
                }
                for number in 0..sequence.choice_count() {
                    prop_assert_eq!(owner[sequence.row_of_choice(number) as usize], Some(user));
                }
            }
            prop_assert!(owner.iter().all(Option::is_some), "every row has an owner");
        }

        #[test]
        fn each_pass_of_a_shuffle_has_every_row(rows in 2_u64..200) {
            let feed = FeedStrategy { order: Order::Shuffle, ..FeedStrategy::default() };
            for pass in 0..3 {
                let row = |turn| sequence(feed, rows, 1, 0).row(pass * rows + turn);
                let mut seen: Vec<_> = (0..rows).map(row).collect();
                seen.sort_unstable();
                prop_assert_eq!(seen, (0..rows).map(Some).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn rows_at_the_end_follow_at_end() {
        let shared = |at_end| FeedStrategy { at_end, ..FeedStrategy::default() };
        let own = |at_end| FeedStrategy { at_end, partition: Partition::User, ..FeedStrategy::default() };
        // Five rows, two users: user 1 gets 1 and 3, then 5, which does not exist.
        let cases = [
            ("wrap goes on through all rows", shared(AtEnd::Wrap), [Some(1), Some(3), Some(0), Some(2)]),
            ("wrap goes on through the own rows", own(AtEnd::Wrap), [Some(1), Some(3), Some(1), Some(3)]),
            ("stop has no more", shared(AtEnd::Stop), [Some(1), Some(3), None, None]),
            ("nor has error", own(AtEnd::Error), [Some(1), Some(3), None, None]),
        ];
        for (case, feed, expected) in cases {
            assert_eq!([0, 1, 2, 3].map(|turn| sequence(feed, 5, 2, 1).row(turn)), expected, "{case}");
        }
    }

    #[test]
    fn extremes_do_not_overflow() {
        for partition in [Partition::None, Partition::User] {
            let feed = FeedStrategy { order: Order::Shuffle, partition, ..FeedStrategy::default() };
            let last = sequence(feed, u64::from(u32::MAX), u64::from(u32::MAX), u64::from(u32::MAX) - 1);
            assert!(last.row(u64::MAX).is_some_and(|row| row < u64::from(u32::MAX)));
            assert_eq!(
                sequence(FeedStrategy { partition: Partition::User, ..feed }, 1, 3, 2).row(0),
                None,
                "no share at all"
            );
        }
    }
}
