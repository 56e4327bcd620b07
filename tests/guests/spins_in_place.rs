//! Computes a little, well within the limit of a call, and sleeps for no time; over and over, so that its worker would
//! do nothing else.

use stampede_guests::{Misbehaviour, Progress, guest, timer};

/// The guest.
pub struct SpinsInPlace;

impl Misbehaviour for SpinsInPlace {
    fn start(_: u32, _: u32) -> Progress {
        timer::sleep(0);
        Progress::Pending
    }

    fn resume(_: u32, _: u32) -> Progress {
        let until = timer::now() + 1_000_000;
        while timer::now() < until {}
        timer::sleep(0);
        Progress::Pending
    }
}

guest!(SpinsInPlace);
