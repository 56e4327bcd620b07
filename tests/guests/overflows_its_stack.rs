//! Recurses with data on the stack in its own memory, until that is full.

use std::hint::black_box;

use stampede_guests::{Misbehaviour, Progress, guest};

/// The guest.
pub struct OverflowsItsStack;

impl Misbehaviour for OverflowsItsStack {
    fn start(_: u32, task: u32) -> Progress {
        if deeper(u64::from(task)) == 0 { Progress::Failed } else { Progress::Passed }
    }
}

/// Keeps a value in memory: the compiler must assume that it is read from outside.
fn deeper(depth: u64) -> u64 {
    if black_box(depth) == u64::MAX { 0 } else { black_box(deeper(depth + 1)) + 1 }
}

guest!(OverflowsItsStack);
