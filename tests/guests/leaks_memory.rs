//! Frees nothing: each task leaks a kibibyte, which a short run does not show.

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
