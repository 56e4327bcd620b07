//! Calls itself until the stack is full.

use std::hint::black_box;

use stampede_guests::{Misbehaviour, Progress, guest};

/// The guest.
pub struct DeepRecursion;

impl Misbehaviour for DeepRecursion {
    fn start(_: u32, task: u32) -> Progress {
        if deeper(u64::from(task)) == 0 { Progress::Failed } else { Progress::Passed }
    }
}

/// Not in tail position, so that every call keeps its frame.
fn deeper(depth: u64) -> u64 {
    if black_box(depth) == u64::MAX { 0 } else { black_box(deeper(depth + 1)) + 1 }
}

guest!(DeepRecursion);
