//! Think time: how long a user waits between two steps.

use std::f64::consts::TAU;

use stampede_time::Nanos;

/// A wait, or the distribution of waits, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ThinkTime {
    /// A fixed wait.
    Fixed(Nanos),
    /// A wait uniformly distributed between the two.
    Uniform {
        /// The shortest wait.
        min: Nanos,
        /// The longest wait.
        max: Nanos,
    },
    /// A normally distributed wait; a negative one becomes 0.
    Normal {
        /// The mean.
        mean: Nanos,
        /// The standard deviation.
        std_dev: Nanos,
    },
}

impl ThinkTime {
    /// Returns the next wait. `unit` returns uniformly distributed numbers in `0.0..1.0`: a fixed wait takes none, a
    /// uniform one takes one, a normal one takes two (Box and Muller, Annals of Mathematical Statistics 29, 1958).
    pub fn next_wait(self, mut unit: impl FnMut() -> f64) -> Nanos {
        match self {
            Self::Fixed(wait) => wait,
            Self::Uniform { min, max } => min + ((max - min) as f64 * unit()) as Nanos,
            Self::Normal { mean, std_dev } => {
                let radius = (-2.0 * (1.0 - unit()).ln()).sqrt();
                // The cast turns a negative wait into 0.
                (mean as f64 + std_dev as f64 * radius * (TAU * unit()).cos()) as Nanos
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::UserRandom;

    #[test]
    fn waits_are_spread_as_they_say() {
        let mut random = UserRandom::new(1, 0);
        let mut waits =
            |think: ThinkTime| -> Vec<f64> { (0..20_000).map(|_| think.next_wait(|| random.unit()) as f64).collect() };
        let mean = |waits: &[f64]| waits.iter().sum::<f64>() / waits.len() as f64;
        let deviation = |waits: &[f64]| {
            let middle = mean(waits);
            (waits.iter().map(|wait| (wait - middle).powi(2)).sum::<f64>() / waits.len() as f64).sqrt()
        };
        assert!(waits(ThinkTime::Fixed(7)).iter().all(|wait| *wait == 7.0));
        let uniform = waits(ThinkTime::Uniform { min: 1_000_000, max: 3_000_000 });
        assert!(uniform.iter().all(|wait| (1e6..3e6).contains(wait)));
        // The seed is fixed: these hold always or never. The standard error of each mean is 1/141 of its deviation.
        assert!((mean(&uniform) - 2e6).abs() < 2e4);
        let normal = waits(ThinkTime::Normal { mean: 10_000_000, std_dev: 1_000_000 });
        assert!((mean(&normal) - 1e7).abs() < 4e4 && (deviation(&normal) - 1e6).abs() < 3e4);
        assert!(waits(ThinkTime::Normal { mean: 0, std_dev: 1_000_000 }).iter().all(|wait| *wait >= 0.0));
    }

    proptest! {
        #[test]
        fn a_wait_is_within_its_range_whatever_is_drawn(
            from in 0..3_600_000_000_000_u64,
            more in 0..3_600_000_000_000_u64,
            seed: u64,
        ) {
            let mut random = UserRandom::new(seed, 0);
            prop_assert_eq!(ThinkTime::Fixed(from).next_wait(|| unreachable!("a fixed wait draws nothing")), from);
            let uniform = ThinkTime::Uniform { min: from, max: from + more }.next_wait(|| random.unit());
            prop_assert!((from..=from + more).contains(&uniform));
            // A draw on a grid of 2^53 steps is no further from the mean than √(2·53·ln 2) = 8.58 deviations.
            let normal = ThinkTime::Normal { mean: from, std_dev: more }.next_wait(|| random.unit());
            prop_assert!(normal as f64 <= from as f64 + 8.6 * more as f64 + 1.0, "{normal}");
            prop_assert!(normal as f64 >= from as f64 - 8.6 * more as f64 - 1.0, "{normal}");
        }

        #[test]
        fn the_same_draws_give_the_same_wait_and_the_ends_are_reached(from in 0..1_000_000_u64, more in 1..1_000_000_u64) {
            let think = ThinkTime::Uniform { min: from, max: from + more };
            prop_assert_eq!(think.next_wait(|| 0.0), from);
            prop_assert!(think.next_wait(|| 1.0_f64.next_down()) >= from + more - 1);
            prop_assert_eq!(ThinkTime::Normal { mean: from, std_dev: more }.next_wait(|| 0.0), from, "no radius: the mean");
            prop_assert_eq!(ThinkTime::Normal { mean: 0, std_dev: more }.next_wait(|| 0.5), 0, "below none is none");
        }
    }
}
