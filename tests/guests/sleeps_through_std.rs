//! Sleeps with the standard library, which would block the whole worker.

use std::time::Duration;

use stampede_guests::{Misbehaviour, Progress, guest};

/// The guest.
pub struct SleepsThroughStd;

impl Misbehaviour for SleepsThroughStd {
    fn start(_: u32, _: u32) -> Progress {
        std::thread::sleep(Duration::from_secs(3600));
        Progress::Passed
    }
}

guest!(SleepsThroughStd);
