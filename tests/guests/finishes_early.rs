//! Answers that it is done while operations are in flight, and logs an error if it is resumed or cancelled all the
//! same.

use stampede_guests::{Misbehaviour, Progress, guest, log, timer};

/// The guest.
pub struct FinishesEarly;

impl Misbehaviour for FinishesEarly {
    fn start(_: u32, _: u32) -> Progress {
        timer::sleep(1_000_000);
        Progress::Passed
    }

    fn resume(_: u32, _: u32) -> Progress {
        log::write(log::Level::Error, "was told of a task that is over");
        Progress::Passed
    }

    fn cancel(_: u32) {
        log::write(log::Level::Error, "was told of a task that is over");
    }
}

guest!(FinishesEarly);
