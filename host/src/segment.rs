//! The division of one schedule among processes, and among the workers of each.
//!
//! The users of a run are numbered from 0 over all scenarios. Of `N` segments, the one with index `i`, from 0, has the
//! users whose number leaves `i` when it is divided by `N`. The workers of its process divide these among themselves by
//! the same rule, so a worker's users are a [`Stride`] too. Everything else that is divided is numbered as well and
//! dealt to users in turn: thing `k` goes to user `k mod users` ([`Deal`]). So all follows from which users a segment
//! has: the parts of all segments are the whole, without gap or duplicate, each part is as large as its share of users,
//! and a segment without users gets nothing.

use std::fmt;
use std::str::FromStr;

/// The part of a run that one process carries out: one of a number of segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its index, from 0.
    index: u32,
    /// The number of segments, at least one.
    count: u32,
}

/// The numbers that leave the same remainder: `first`, `first + step`, and so on. `first` is below `step`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stride {
    first: u64,
    step: u64,
}

/// The things that some of a number of users get if things are dealt to all users in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deal {
    /// The number of all users, at least one.
    users: u64,
    /// The users who get these things.
    own: Stride,
}

impl Segment {
    /// The only segment of a run that is not divided.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// The most segments of a run.
    pub const MAX: u32 = 1_000;

    /// Returns segment `number`, from 1, of `count`; `None` if there is no such segment.
    pub const fn new(number: u32, count: u32) -> Option<Self> {
        if 1 <= number && number <= count && count <= Self::MAX {
            Some(Self { index: number - 1, count })
        } else {
            None
        }
    }

    /// Returns its index, from 0.
    pub const fn index(self) -> u32 {
        self.index
    }

    /// Returns its number, from 1.
    pub const fn number(self) -> u32 {
        self.index + 1
    }

    /// Returns the number of segments.
    pub const fn count(self) -> u32 {
        self.count
    }

    /// Returns true if the run is not divided.
    pub const fn is_whole(self) -> bool {
        self.count == 1
    }

    /// Returns the numbers of its users.
    pub const fn users(self) -> Stride {
        Stride { first: self.index as u64, step: self.count as u64 }
    }
}

impl Default for Segment {
    fn default() -> Self {
        Self::WHOLE
    }
}

/// Writes `2/3`, as it is typed.
impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number(), self.count)
    }
}

impl FromStr for Segment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "it must be `I/N`, such as 2/3";
        let (number, count) = text.split_once('/').ok_or(FORM)?;
        let whole = |digits: &str| digits.parse::<u32>().map_err(|_| FORM);
        let (number, count) = (whole(number)?, whole(count)?);
        match Self::new(number, count) {
            Some(segment) => Ok(segment),
            None if count > Self::MAX => Err("there may be at most 1000 segments"),
            None => Err("segments are numbered from 1: of 3 there are 1/3, 2/3 and 3/3"),
        }
    }
}

impl Stride {
    /// All numbers.
    pub const ALL: Self = Self { first: 0, step: 1 };

    /// Returns part `index`, from 0, of `count` parts of these numbers.
    pub const fn part(self, index: usize, count: usize) -> Self {
        Self { first: self.first + self.step * index as u64, step: self.step * count as u64 }
    }

    /// Returns these numbers counted from another one: `k` for each number `from + k` among them.
    pub const fn counted_from(self, from: u32) -> Self {
        Self { first: (self.first + self.step - from as u64 % self.step) % self.step, step: self.step }
    }

    /// Returns the first number.
    pub const fn first(self) -> u64 {
        self.first
    }

    /// Returns the distance between two numbers.
    pub const fn step(self) -> u64 {
        self.step
    }

    /// Returns true if a number is among them.
    pub const fn contains(self, number: u64) -> bool {
        number % self.step == self.first
    }

    /// Returns the amount of these numbers below `end`.
    pub const fn count_below(self, end: u64) -> u64 {
        end.saturating_sub(self.first).div_ceil(self.step)
    }

    /// Returns the number at a place, from 0.
    pub const fn nth(self, place: u64) -> u64 {
        self.first.saturating_add(self.step.saturating_mul(place))
    }

    /// Returns the amount of these numbers below a number of users, which is no greater than that number.
    pub const fn users_below(self, users: u32) -> u32 {
        self.count_below(users as u64) as u32
    }
}

impl Deal {
    /// Returns the things that the users in `own` get of what is dealt to `users`. Without users it is as if there were
    /// one.
    pub fn new(users: u32, own: Stride) -> Self {
        Self { users: u64::from(users.max(1)), own }
    }

    /// Returns true if thing `number` is dealt to one of the users.
    pub const fn contains(self, number: u64) -> bool {
        self.own.contains(number % self.users)
    }

    /// Returns the amount of their things among the first `end`.
    pub const fn count_below(self, end: u64) -> u64 {
        (end / self.users) * self.per_round() + self.own.count_below(end % self.users)
    }

    /// Returns the number of their thing at a place, from 0; `None` if they get nothing, or if the number is beyond the
    /// range.
    pub const fn nth(self, place: u64) -> Option<u64> {
        let Some(round) = place.checked_div(self.per_round()) else { return None };
        match round.checked_mul(self.users) {
            Some(dealt) => dealt.checked_add(self.own.nth(place % self.per_round())),
            None => None,
        }
    }

    /// Returns the number of users who get something, and so of their things in each round.
    const fn per_round(self) -> u64 {
        self.own.count_below(self.users)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns all segments of a run.
    fn segments(count: u32) -> impl Iterator<Item = Segment> {
        (1..=count).filter_map(move |number| Segment::new(number, count))
    }

    /// Returns the users of each worker of each segment. The segments' machines differ in their workers.
    fn workers(count: u32) -> Vec<Stride> {
        let of_segment = |segment: Segment| {
            let workers = 1 + segment.index() as usize % 4;
            (0..workers).map(move |worker| segment.users().part(worker, workers))
        };
        segments(count).flat_map(of_segment).collect()
    }

    #[test]
    fn segments_are_typed_as_they_are_shown() {
        for text in ["1/1", "2/3", "1000/1000"] {
            assert_eq!(text.parse::<Segment>().map(|segment| segment.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "2", "0/3", "4/3", "1/0", "1/1001", "-1/2", "a/b", "1/2/3"] {
            assert!(text.parse::<Segment>().is_err(), "{text}");
        }
        assert!(Segment::default().is_whole() && Segment::WHOLE.users() == Stride::ALL);
    }

    #[test]
    fn users_who_get_nothing_have_no_numbers() {
        let none = Deal::new(2, Segment::new(3, 3).expect("there is one").users());
        assert_eq!((none.count_below(1_000), none.nth(0)), (0, None));
        assert!((0..1_000).all(|number| !none.contains(number)));
    }

    #[test]
    fn extremes_do_not_overflow() {
        let last = Segment::new(1_000, 1_000).expect("there is one").users();
        assert_eq!((last.nth(u64::MAX), Deal::new(u32::MAX, last).nth(u64::MAX)), (u64::MAX, None));
        assert!(Deal::new(u32::MAX, Stride::ALL).count_below(u64::MAX) == u64::MAX);
        assert_eq!(Deal::new(0, Stride::ALL).nth(7), Some(7));
    }

    proptest! {
        #[test]
        fn each_user_of_each_scenario_is_on_one_worker_of_one_segment(
            count in 1_u32..=Segment::MAX,
            scenarios in prop::collection::vec(0_u32..400, 1..4),
        ) {
            let (places, mut first_user) = (workers(count), 0);
            for users in scenarios {
                let mut seen = vec![0; users as usize];
                for own in &places {
                    let of_scenario = own.counted_from(first_user);
                    for place in 0..of_scenario.users_below(users) {
                        let number = of_scenario.nth(u64::from(place));
                        prop_assert!(own.contains(u64::from(first_user) + number));
                        seen[number as usize] += 1;
                    }
                }
                prop_assert!(seen.iter().all(|times| *times == 1), "{users} users from {first_user}: {seen:?}");
                first_user += users;
            }
        }

        #[test]
        fn each_thing_is_dealt_once_and_shares_are_those_of_users(
            count in 1_u32..=Segment::MAX,
            users in 1_u32..300,
            first_user in 0_u32..2_000,
            things in 0_u64..1_000,
        ) {
            let mut seen = vec![0; things as usize];
            for own in workers(count) {
                let own = own.counted_from(first_user);
                let deal = Deal::new(users, own);
                let numbers: Vec<u64> = (0..deal.count_below(things)).map(|place| deal.nth(place).unwrap()).collect();
                prop_assert_eq!(&numbers, &(0..things).filter(|number| deal.contains(*number)).collect::<Vec<_>>());
                numbers.iter().for_each(|number| seen[*number as usize] += 1);
                let share = own.count_below(u64::from(users));
                let rounds = things / u64::from(users);
                prop_assert!((rounds * share..=(rounds + 1) * share).contains(&(numbers.len() as u64)));
            }
            prop_assert!(seen.iter().all(|times| *times == 1));
        }

        #[test]
        fn a_number_does_not_depend_on_how_the_run_is_divided(users in 1_u32..5_000, count in 1_u32..=Segment::MAX) {
            let of_segment = |segment: Segment| u64::from(segment.users().users_below(users));
            let shares: Vec<u64> = segments(count).map(of_segment).collect();
            prop_assert_eq!(shares.iter().sum::<u64>(), u64::from(users));
            prop_assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1, "equal parts");
        }
    }
}
