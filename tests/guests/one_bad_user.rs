//! Computes forever in the tasks of the first user, and behaves well for all others.

use stampede_guests::{Misbehaviour, Progress, guest, user};

/// The guest.
pub struct OneBadUser;

impl Misbehaviour for OneBadUser {
    fn start(_: u32, _: u32) -> Progress {
        if user::id() == 0 {
            loop {
                std::hint::spin_loop();
            }
        }
        Progress::Passed
    }
}

guest!(OneBadUser);
