//! Waits forever, and logs it when it is cancelled.

use stampede_guests::{Misbehaviour, Progress, guest, log, timer};

/// The guest.
pub struct NeverFinishes;

impl Misbehaviour for NeverFinishes {
    fn start(_: u32, _: u32) -> Progress {
        timer::sleep(u64::MAX);
        Progress::Pending
    }

    fn cancel(_: u32) {
        log::write(log::Level::Error, "was told to give up");
    }
}

guest!(NeverFinishes);
