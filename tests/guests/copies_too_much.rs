//! Hands the host a text of the number of MiB in its parameter `mib`.

use std::cell::Cell;

use stampede_guests::{ConfigError, Misbehaviour, Progress, guest, log, number};

/// The guest.
pub struct CopiesTooMuch;

thread_local! {
    static MIB: Cell<usize> = const { Cell::new(0) };
}

impl Misbehaviour for CopiesTooMuch {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        MIB.set(number(params, "mib"));
        Ok(0)
    }

    fn start(_: u32, _: u32) -> Progress {
        log::write(log::Level::Debug, &"x".repeat(MIB.get() << 20));
        Progress::Passed
    }
}

guest!(CopiesTooMuch);
