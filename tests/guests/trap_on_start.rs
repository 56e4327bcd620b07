//! Panics as soon as a task begins.

use stampede_guests::{Misbehaviour, Progress, guest};

/// The guest.
pub struct TrapOnStart;

impl Misbehaviour for TrapOnStart {
    fn start(_: u32, _: u32) -> Progress {
        panic!("as it was made to");
    }
}

guest!(TrapOnStart);
