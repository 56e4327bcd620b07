//! Computes forever.

use std::hint::spin_loop;

use stampede_guests::{Misbehaviour, Progress, guest};

/// The guest.
pub struct EndlessLoop;

impl Misbehaviour for EndlessLoop {
    fn start(_: u32, _: u32) -> Progress {
        loop {
            spin_loop();
        }
    }
}

guest!(EndlessLoop);
