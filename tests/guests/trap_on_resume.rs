//! Panics when it is told that its operation has completed.

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
