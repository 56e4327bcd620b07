//! Waits a moment in each task, so that several are pending at once, and traps in one of every hundred of each user.

use stampede_guests::{Misbehaviour, Progress, guest, timer, user};

/// The guest.
pub struct TrapStorm;

impl Misbehaviour for TrapStorm {
    fn start(_: u32, _: u32) -> Progress {
        timer::sleep(200_000);
        Progress::Pending
    }

    fn resume(_: u32, _: u32) -> Progress {
        assert_ne!(user::iteration() % 100, 50, "as it was made to");
        Progress::Passed
    }
}

guest!(TrapStorm);
