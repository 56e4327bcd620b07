//! Lets go of nothing: each task leaves a kibibyte behind. A short run does not notice.

use std::hint::black_box;

use stampede_guests::{Misbehaviour, Progress, guest};

/// The guest.
pub struct LeaksMemory;

impl Misbehaviour for LeaksMemory {
    fn start(_: u32, _: u32) -> Progress {
        Vec::leak(black_box(vec![1_u8; 1024]));
        Progress::Passed
    }
}

guest!(LeaksMemory);
