//! Fails without reporting a reason.

use stampede_guests::{Misbehaviour, Progress, guest};

/// The guest.
pub struct FailsSilently;

impl Misbehaviour for FailsSilently {
    fn start(_: u32, _: u32) -> Progress {
        Progress::Failed
    }
}

guest!(FailsSilently);
