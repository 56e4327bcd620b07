//! The order in which a user tries the addresses of a host, as a pure function: users are spread evenly over the
//! addresses, and the same user begins with the same address in every run with the same seed.

use std::net::IpAddr;

/// Orders addresses for the user whose turn this is. Within a family the addresses are sorted, since name servers give
/// them in changing order, and rotated by `turn`. The families alternate (RFC 8305 section 4); the one that the
/// resolver has put first is preferred.
pub(super) fn in_turn(addresses: &[IpAddr], turn: u64) -> Vec<IpAddr> {
    let prefers_v6 = addresses.first().is_some_and(IpAddr::is_ipv6);
    let (mut preferred, mut others): (Vec<_>, Vec<_>) =
        addresses.iter().copied().partition(|address| address.is_ipv6() == prefers_v6);
    for family in [&mut preferred, &mut others] {
        family.sort_unstable();
        family.dedup();
        let first = turn.checked_rem(family.len() as u64).unwrap_or_default();
        family.rotate_left(first as usize);
    }
    let mut others = others.into_iter();
    let mut ordered: Vec<_> =
        preferred.into_iter().flat_map(|address| [Some(address), others.next()]).flatten().collect();
    ordered.extend(others);
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().expect("an address")).collect()
    }

    #[test]
    fn users_begin_with_one_address_after_the_other() {
        for (case, given, turn, ordered) in [
            ("none", &[][..], 7, &[][..]),
            ("one", &["10.0.0.1"], 7, &["10.0.0.1"]),
            ("the first", &["10.0.0.1", "10.0.0.2", "10.0.0.3"], 0, &["10.0.0.1", "10.0.0.2", "10.0.0.3"]),
            ("the second", &["10.0.0.1", "10.0.0.2", "10.0.0.3"], 1, &["10.0.0.2", "10.0.0.3", "10.0.0.1"]),
            ("around", &["10.0.0.1", "10.0.0.2", "10.0.0.3"], 5, &["10.0.0.3", "10.0.0.1", "10.0.0.2"]),
            ("in another order", &["10.0.0.3", "10.0.0.1", "10.0.0.2"], 5, &["10.0.0.3", "10.0.0.1", "10.0.0.2"]),
            ("twice the same", &["10.0.0.2", "10.0.0.1", "10.0.0.2"], 1, &["10.0.0.2", "10.0.0.1"]),
            ("IPv6 first", &["fd00::1", "fd00::2", "10.0.0.1"], 1, &["fd00::2", "10.0.0.1", "fd00::1"]),
            ("IPv4 first", &["10.0.0.1", "fd00::1", "fd00::2"], 1, &["10.0.0.1", "fd00::2", "fd00::1"]),
        ] {
            assert_eq!(in_turn(&addresses(given), turn), addresses(ordered), "{case}");
        }
    }
}
