//! Answers `pending` with nothing in flight.

use stampede_guests::{Misbehaviour, Progress, guest};

/// The guest.
pub struct PendingWithNothing;

impl Misbehaviour for PendingWithNothing {
    fn start(_: u32, _: u32) -> Progress {
        Progress::Pending
    }
}

guest!(PendingWithNothing);
