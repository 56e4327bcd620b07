//! Panics when its operation is announced.

use stampede_guests::{Misbehaviour, Progress, guest, timer};

/// The guest.
pub struct TrapOnResume;

impl Misbehaviour for TrapOnResume {
    fn start(_: u32, _: u32) -> Progress {
        timer::sleep(1_000_000);
        Progress::Pending
    }

    fn resume(_: u32, _: u32) -> Progress {
        panic!("as it was made to");
    }
}

guest!(TrapOnResume);
