//! Opens the number of sockets in its parameter `sockets`, to the port in its parameter `port`, and closes none.

use std::cell::Cell;

use stampede_guests::{ConfigError, Misbehaviour, Progress, guest, number, sockets};

/// The guest.
pub struct HoardsSockets;

thread_local! {
    static PORT: Cell<u16> = const { Cell::new(0) };
    static SOCKETS: Cell<u32> = const { Cell::new(0) };
}

impl HoardsSockets {
    fn connect() -> Progress {
        sockets::connect(&sockets::Address { host: "127.0.0.1".into(), port: PORT.get(), tls: None });
        Progress::Pending
    }
}

impl Misbehaviour for HoardsSockets {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        PORT.set(number(params, "port") as u16);
        SOCKETS.set(number(params, "sockets") as u32);
        Ok(0)
    }

    fn start(_: u32, _: u32) -> Progress {
        Self::connect()
    }

    fn resume(_: u32, operation: u32) -> Progress {
        match sockets::connected(operation) {
            Err(_) => Progress::Failed,
            Ok(_) if operation + 1 == SOCKETS.get() => Progress::Passed,
            Ok(_) => Self::connect(),
        }
    }
}

guest!(HoardsSockets);
