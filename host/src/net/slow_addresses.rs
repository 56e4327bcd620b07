//! Addresses that did not answer while another of the same name did. They come last for a while, so that only the first
//! connection pays for an address that is dead.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;

use stampede_time::{Nanos, SECOND};

/// Time for which such an address comes last.
const SLOW_FOR: Nanos = 60 * SECOND;

/// The addresses, each with the time until which it comes last.
#[derive(Default)]
pub struct SlowAddresses(RefCell<HashMap<IpAddr, Nanos>>);

impl SlowAddresses {
    /// Returns the addresses in their order, those that were slow at the end.
    pub(super) fn put_last(&self, addresses: &[IpAddr], now: Nanos) -> Vec<IpAddr> {
        let slow = self.0.borrow();
        let mut ordered = addresses.to_vec();
        ordered.sort_by_key(|address| slow.get(address).is_some_and(|until| now < *until));
        ordered
    }

    /// Adds addresses that are slow at `now`.
    pub(super) fn add(&self, addresses: &[IpAddr], now: Nanos) {
        let until = now.saturating_add(SLOW_FOR);
        self.0.borrow_mut().extend(addresses.iter().map(|address| (*address, until)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_address_comes_last_for_a_minute() {
        let [a, b, c] = [1, 2, 3].map(|last| IpAddr::from([10, 0, 0, last]));
        let slow = SlowAddresses::default();
        slow.add(&[a], 5 * SECOND);
        assert_eq!(slow.put_last(&[a, b, c], 64 * SECOND), [b, c, a]);
        assert_eq!(slow.put_last(&[a, b, c], 65 * SECOND), [a, b, c]);
    }
}
