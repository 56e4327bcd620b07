//! The random choices of a session: a splitmix64 stream from its seed, the same everywhere.

use super::settings::Uniform;
use crate::micros::Micros;

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a number below a bound; 0 if that is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // The high half of the product is uniform enough: the bias is below 2^-32 for every bound below 2^32.
        let product = u128::from(z ^ (z >> 31)) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// Returns a drawn duration.
    pub(crate) fn draw(&mut self, uniform: Uniform) -> Micros {
        let width = uniform.to.saturating_sub(uniform.from).max(0);
        uniform.from.saturating_add_unsigned(self.below(width.unsigned_abs().saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_fill_their_range_and_repeat_with_the_seed() {
        let uniform = Uniform { from: 10, to: 13 };
        let draw = |seed| {
            let mut random = Random::new(seed);
            (0..100).map(|_| random.draw(uniform)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_eq!((draw(3).iter().min(), draw(3).iter().max()), (Some(&10), Some(&13)));
        assert_eq!(Random::new(0).draw(Uniform { from: 5, to: 1 }), 5);
        assert_eq!(Random::new(0).below(0), 0);
    }
}
