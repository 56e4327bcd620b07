//! Uses the number of MiB in its parameter `mib`, which may be more than it has.

use std::cell::Cell;
use std::hint::black_box;

use stampede_guests::{ConfigError, Misbehaviour, Progress, guest, number};

/// The guest.
pub struct UsesMemory;

thread_local! {
    static MIB: Cell<usize> = const { Cell::new(0) };
}

impl Misbehaviour for UsesMemory {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        MIB.set(number(params, "mib"));
        Ok(0)
    }

    fn start(_: u32, _: u32) -> Progress {
        black_box(vec![1_u8; MIB.get() << 20]);
        Progress::Passed
    }
}

guest!(UsesMemory);
