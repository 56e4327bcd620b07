//! Gives up a connect that waits for its user's turn, and connects again.

use std::cell::Cell;

use stampede_guests::{ConfigError, Misbehaviour, Progress, guest, number, operations, sockets, timer};

/// The guest.
pub struct ChangesItsMind;

thread_local! {
    static PORT: Cell<u16> = const { Cell::new(0) };
}

impl ChangesItsMind {
    fn connect() -> Progress {
        sockets::connect(&sockets::Address { host: "127.0.0.1".into(), port: PORT.get(), tls: None });
        Progress::Pending
    }
}

impl Misbehaviour for ChangesItsMind {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        PORT.set(number(params, "port") as u16);
        Ok(0)
    }

    fn start(_: u32, _: u32) -> Progress {
        timer::sleep(1_000_000);
        Self::connect()
    }

    fn resume(_: u32, operation: u32) -> Progress {
        match operation {
            // The first user's first turn comes at once, so its connect may have completed.
            0 => {
                operations::cancel(1);
                Self::connect()
            }
            1 => Progress::Pending,
            _ if sockets::connected(operation).is_ok() => Progress::Passed,
            _ => Progress::Failed,
        }
    }
}

guest!(ChangesItsMind);
