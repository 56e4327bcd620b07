//! A shuffle that needs no memory: a permutation of the numbers below `n`, decided by a key, of which any place can be
//! computed on its own. A list of a hundred million rows takes no time to shuffle, and all workers agree on the order
//! without communicating.
//!
//! A Feistel network permutes the numbers below the next power of four. A result outside of `n` is permuted again, at
//! worst four times on average, since the power is at most four times as large as `n`.

/// The number of rounds: enough for an order that looks random, even of a handful of rows, where four rounds favour
/// some. This is not a cipher.
const ROUNDS: u64 = 8;

/// Returns the number at `place` in the order of the key; both are below `n`.
pub(super) fn permute(place: u64, n: u64, key: u64) -> u64 {
    let half = (64 - n.saturating_sub(1).leading_zeros()).div_ceil(2).max(1);
    let mask = (1 << half) - 1;
    let mut number = place;
    loop {
        let (mut left, mut right) = (number >> half, number & mask);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ (mix(key.wrapping_add(round), right) & mask));
        }
        number = left << half | right;
        if number < n {
            return number;
        }
    }
}

/// Mixes two numbers into one that looks random, with the finalizer of SplitMix64.
pub(super) const fn mix(key: u64, number: u64) -> u64 {
    let mut z = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.wrapping_mul(0xd1b5_4a32_d192_ed03);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_number_comes_exactly_once(n in 1_u64..3_000, key: u64) {
            let mut seen = vec![false; n as usize];
            for place in 0..n {
                let to = permute(place, n, key) as usize;
                prop_assert!(!std::mem::replace(&mut seen[to], true), "{to} comes twice");
            }
        }

        #[test]
        fn large_lists_stay_within_their_bounds(n in 1..=u64::MAX, place: u64, key: u64) {
            prop_assert!(permute(place % n, n, key) < n);
        }
    }

    #[test]
    fn keys_are_orders_and_a_key_is_the_same_order_in_every_release() {
        let order = |key| (0..8).map(|place| permute(place, 8, key)).collect::<Vec<_>>();
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
        assert_eq!(order(1), [3, 0, 7, 1, 6, 5, 4, 2]);
    }

    #[test]
    fn neighbouring_rows_are_separated() {
        let apart = (0..9_999).filter(|place| permute(*place, 10_000, 7).abs_diff(permute(place + 1, 10_000, 7)) > 1);
        assert!(apart.count() > 9_900);
    }

    #[test]
    fn each_place_gets_each_number_equally_often() {
        let mut counts = [[0_u32; 5]; 5];
        for key in 0..5_000 {
            for place in 0..5 {
                counts[place as usize][permute(place, 5, mix(3, key)) as usize] += 1;
            }
        }
        assert!(counts.iter().flatten().all(|count| (800..1_200).contains(count)), "{counts:?}");
    }
}
