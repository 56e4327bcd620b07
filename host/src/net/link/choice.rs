//! The links of a scenario, of which each user has one.

use stampede_time::Nanos;

use super::speed::LinkSpeed;
use crate::random::UserRandom;

/// Separates the draw of the link from the user's other draws, which stay as they are when a script gains a `link`.
const LINK_DRAWS: u64 = 0x6c69_6e6b;

/// Several links and their shares of the users.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkChoice {
    /// The links, at least one.
    pub options: Vec<WeightedLink>,
}

/// A link that a share of the users has.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightedLink {
    /// The share, relative to the other links; more than 0.
    pub weight: f64,
    /// The link.
    pub profile: LinkProfile,
    /// The name of its trace, for people.
    pub trace: Option<String>,
}

/// The properties of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkProfile {
    /// The rate towards the user.
    pub speed: LinkSpeed,
    /// The time of a round trip.
    pub rtt: Nanos,
}

impl LinkChoice {
    /// Draws the link of a user by the seed of the run. A user always gets the same one.
    pub fn draw(&self, seed: u64, user: u32) -> Option<&LinkProfile> {
        let drawn = UserRandom::new(seed ^ LINK_DRAWS, user).unit() * self.total();
        let mut below = 0.0;
        let option = self.options.iter().find(|option| {
            below += option.weight;
            drawn < below
        });
        option.or(self.options.last()).map(|option| &option.profile)
    }

    /// Returns the sum of the weights.
    pub fn total(&self) -> f64 {
        self.options.iter().map(|option| option.weight).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(weight: f64, rate: u64) -> WeightedLink {
        WeightedLink { weight, profile: LinkProfile { speed: LinkSpeed::Constant(rate), rtt: 0 }, trace: None }
    }

    #[test]
    fn users_have_links_by_their_weights() {
        let choice = LinkChoice { options: vec![link(5.0, 1), link(3.0, 2), link(2.0, 3)] };
        let drawn = |user| choice.draw(7, user).map(|profile| profile.speed.highest());
        let count = |rate| (0..10_000).filter(|user| drawn(*user) == Some(rate)).count();
        for (rate, expected) in [(1, 5_000_usize), (2, 3_000), (3, 2_000)] {
            assert!(count(rate).abs_diff(expected) < 150, "{rate}: {}", count(rate));
        }
        assert!((0..100).all(|user| drawn(user) == drawn(user)));
        assert!((0..100).any(|user| drawn(user) != choice.draw(8, user).map(|profile| profile.speed.highest())));
    }

    #[test]
    fn one_link_is_that_of_all() {
        let choice = LinkChoice { options: vec![link(0.1, 5)] };
        assert!((0..100).all(|user| choice.draw(1, user) == Some(&choice.options[0].profile)));
    }
}
