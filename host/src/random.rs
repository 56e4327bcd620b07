//! A user's random stream. The same seed and user give the same numbers on every platform and in every release, so that
//! a run can be repeated request by request. Therefore the generator and everything drawn from it are specified here
//! instead of coming from a crate whose algorithms may change; the golden test below guards that.

use rand_pcg::Pcg64Dxsm;
use rand_pcg::rand_core::Rng as _;

/// One user's stream: PCG-64-DXSM, 32 bytes of state, seeded by SplitMix64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRandom(Pcg64Dxsm);

/// Letters and digits, the alphabet of [`UserRandom::alphanumeric`].
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The number of letters of [`ALPHABET`] that come from one random number: 62^10 is the highest power below 2^64.
const LETTERS_PER_DRAW: usize = 10;

impl UserRandom {
    /// Creates the stream of user number `user` in a run with that seed. Streams of neighbouring users and seeds are
    /// unrelated: state and increment of the generator are both hashes of the two numbers.
    pub fn new(seed: u64, user: u32) -> Self {
        let mut mixer = SplitMix64(finalize(finalize(seed) ^ u64::from(user)));
        let mut wide = || u128::from(mixer.next()) << 64 | u128::from(mixer.next());
        Self(Pcg64Dxsm::new(wide(), wide()))
    }

    /// Draws a number, each of the 2^64 equally likely.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Draws a number in `0..bound`, each equally likely (Lemire's multiplication with rejection); 0 if `bound` is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        let mut product = u128::from(self.next_u64()) * u128::from(bound);
        if (product as u64) < bound {
            let unfair = bound.wrapping_neg() % bound;
            while (product as u64) < unfair {
                product = u128::from(self.next_u64()) * u128::from(bound);
            }
        }
        (product >> 64) as u64
    }

    /// Draws a whole number in `low..=high`, each equally likely. `low` must not be above `high`.
    pub(super) fn integer(&mut self, low: i64, high: i64) -> i64 {
        let span = high.wrapping_sub(low) as u64;
        let offset = match span.checked_add(1) {
            Some(count) => self.below(count),
            // All 2^64 values: their count does not fit.
            None => self.next_u64(),
        };
        low.wrapping_add(offset as i64)
    }

    /// Draws a number in `0.0..1.0`, evenly spread on a grid of 2^53 steps.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (-53_f64).exp2()
    }

    /// Draws a number in `low..high`, evenly spread on a grid of 2^53 steps. `low` must be below `high`.
    pub(super) fn float(&mut self, low: f64, high: f64) -> f64 {
        let unit = self.unit();
        // Weighing both ends can't overflow as `high - low` can; rounding may touch the end that is excluded.
        (low * (1.0 - unit) + high * unit).clamp(low, high.next_down())
    }

    /// Draws and appends `length` letters and digits, each equally likely.
    pub(super) fn alphanumeric(&mut self, length: u32, out: &mut String) {
        let mut rest = length as usize;
        while rest > 0 {
            let mut draw = self.below(62_u64.pow(LETTERS_PER_DRAW as u32));
            for _ in 0..rest.min(LETTERS_PER_DRAW) {
                out.push(char::from(ALPHABET[(draw % 62) as usize]));
                draw /= 62;
            }
            rest = rest.saturating_sub(LETTERS_PER_DRAW);
        }
    }

    /// Draws a version 4 UUID (RFC 9562).
    pub(super) fn uuid(&mut self) -> uuid::Uuid {
        let bytes = u128::from(self.next_u64()) << 64 | u128::from(self.next_u64());
        uuid::Builder::from_random_bytes(bytes.to_be_bytes()).into_uuid()
    }
}

/// Sebastiano Vigna's SplitMix64, to spread two small numbers over 256 bits, and for numbers that no request is made
/// from.
pub(crate) struct SplitMix64(pub u64);

impl SplitMix64 {
    /// Returns the next number.
    pub(crate) fn next(&mut self) -> u64 {
        let mixed = finalize(self.0);
        self.0 = self.0.wrapping_add(GOLDEN_GAMMA);
        mixed
    }
}

/// 2^64 divided by the golden ratio, odd.
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// Applies one step of SplitMix64: a bijection, so different numbers stay different.
const fn finalize(number: u64) -> u64 {
    let z = number.wrapping_add(GOLDEN_GAMMA);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn first(seed: u64, user: u32, count: usize) -> Vec<u64> {
        let mut random = UserRandom::new(seed, user);
        (0..count).map(|_| random.next_u64()).collect()
    }

    #[test]
    fn split_mix_is_the_published_one() {
        // First outputs for seed 1234567 of the reference implementation.
        let mut mixer = SplitMix64(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([mixer.next(), mixer.next(), mixer.next()], expected);
    }

    #[test]
    fn a_seed_means_the_same_numbers_in_every_release() {
        let expected = [1_551_655_767_427_783_175, 12_244_434_394_149_893_262, 10_159_873_903_261_418_937];
        assert_eq!(first(1, 0, 3), expected);
    }

    #[test]
    fn derived_draws_are_the_same_in_every_release() {
        let mut random = UserRandom::new(1, 0);
        let mut letters = String::new();
        random.alphanumeric(12, &mut letters);
        let rest = (random.integer(1, 20), random.float(0.0, 1.0), random.uuid().to_string());
        let uuid = "de996956-7d4e-4b76-8c3b-710f662df80a".to_owned();
        assert_eq!((letters.as_str(), rest), ("wnKsv0dhJpPH", (14, 0.243_582_257_981_187_93, uuid)));
    }

    #[test]
    fn users_and_seeds_have_streams_of_their_own() {
        let mut seen = HashSet::new();
        for (seed, user) in (0..30).flat_map(|seed| (0..30).map(move |user| (seed, user))) {
            for number in first(seed, user, 5) {
                assert!(seen.insert(number), "seed {seed}, user {user} repeats a number of another");
            }
        }
    }

    #[test]
    fn every_value_of_a_range_is_as_likely() {
        let mut random = UserRandom::new(1, 0);
        let mut counts = [0_u32; 6];
        for _ in 0..60_000 {
            counts[random.integer(-2, 3).wrapping_add(2) as usize] += 1;
        }
        // Standard deviation is 91; the seed is fixed, so this passes always or never.
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 400), "{counts:?}");
    }

    #[test]
    fn integer_ranges_hold_at_their_edges() {
        let mut random = UserRandom::new(1, 0);
        assert_eq!(random.integer(5, 5), 5);
        assert_eq!(random.integer(i64::MAX, i64::MAX), i64::MAX);
        let wide: HashSet<bool> = (0..100).map(|_| random.integer(i64::MIN, i64::MAX) < 0).collect();
        assert_eq!(wide.len(), 2, "both halves of the full range are reached");
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn floats_stay_below_their_upper_end() {
        let mut random = UserRandom::new(1, 0);
        let tight = (1.0, 1.0_f64.next_up());
        let ranges = [(0.0, 1.0), (-5.5, -5.0), tight, (-f64::MAX, f64::MAX), (0.0, f64::from_bits(1))];
        for (low, high) in ranges {
            for _ in 0..1_000 {
                let drawn = random.float(low, high);
                assert!(low <= drawn && drawn < high, "{drawn} of {low}..{high}");
            }
        }
        let mean = (0..10_000).map(|_| random.float(0.0, 1.0)).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
    }

    #[test]
    fn strings_have_the_asked_length_and_the_whole_alphabet() {
        let mut random = UserRandom::new(1, 0);
        for length in [1, 9, 10, 11, 65_536] {
            let mut out = String::new();
            random.alphanumeric(length, &mut out);
            assert_eq!(out.len(), length as usize);
            assert!(out.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert!(length < 1_000 || out.bytes().collect::<HashSet<_>>().len() == 62);
        }
    }
}
