//! Allocates memory until there is none.

use std::hint::black_box;

use stampede_guests::{Misbehaviour, Progress, guest};

/// The guest.
pub struct UnboundedMemory;

impl Misbehaviour for UnboundedMemory {
    fn start(_: u32, _: u32) -> Progress {
        let mut hoard: Vec<Vec<u8>> = Vec::new();
        loop {
            hoard.push(black_box(Vec::with_capacity(8 << 20)));
        }
    }
}

guest!(UnboundedMemory);
