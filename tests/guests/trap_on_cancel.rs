//! Waits forever, and panics when it is cancelled.

use stampede_guests::{Misbehaviour, Progress, guest, timer};

/// The guest.
pub struct TrapOnCancel;

impl Misbehaviour for TrapOnCancel {
    fn start(_: u32, _: u32) -> Progress {
        timer::sleep(u64::MAX);
        Progress::Pending
    }

    fn cancel(_: u32) {
        panic!("as it was made to");
    }
}

guest!(TrapOnCancel);
