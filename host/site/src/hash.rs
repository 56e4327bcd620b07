//! Pseudo-random numbers that are the same at every site, from which titles, tokens and sessions are made.

/// FNV-1a, scrambled. The same bytes give the same number in every release.
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    mix_bits(bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold))
}

/// The finalizer of SplitMix64: a one-to-one map in which every bit of the input reaches every bit of the output.
pub(crate) const fn mix_bits(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
