//! Recurses forever and keeps nothing in its own memory, so that only the host's stack fills up.

use stampede_guests::{Misbehaviour, Progress, guest, user};

/// The guest.
pub struct DeepRecursion;

impl Misbehaviour for DeepRecursion {
    fn start(_: u32, _: u32) -> Progress {
        if deeper(1) == 0 { Progress::Failed } else { Progress::Passed }
    }
}

/// The call to the host cannot be optimized away, and the work after the inner call cannot move before it, so that the
/// compiler cannot turn this into a loop.
fn deeper(depth: u64) -> u64 {
    if user::iteration() == u64::MAX { depth } else { deeper(depth + 1).rotate_left(3) ^ depth }
}

guest!(DeepRecursion);
