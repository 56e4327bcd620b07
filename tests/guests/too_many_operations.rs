//! Submits one operation after the other and never waits for any.

use stampede_guests::{Misbehaviour, Progress, guest, timer};

/// The guest.
pub struct TooManyOperations;

impl Misbehaviour for TooManyOperations {
    fn start(_: u32, _: u32) -> Progress {
        loop {
            timer::sleep(u64::MAX);
        }
    }
}

guest!(TooManyOperations);
