//! Behaves well most of the time: each user's fiftieth iteration of every hundred traps.

use stampede_guests::{Misbehaviour, Progress, guest, user};

/// The guest.
pub struct TrapOnceInAHundred;

impl Misbehaviour for TrapOnceInAHundred {
    fn start(_: u32, _: u32) -> Progress {
        assert_ne!(user::iteration() % 100, 50, "as it was made to");
        Progress::Passed
    }
}

guest!(TrapOnceInAHundred);
