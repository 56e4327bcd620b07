//! Connects to the port in its parameter `port`, and never asks for the socket.

use std::cell::Cell;

use stampede_guests::{ConfigError, Misbehaviour, Progress, guest, number, sockets, timer};

/// The guest.
pub struct ForgetsSockets;

thread_local! {
    static PORT: Cell<u16> = const { Cell::new(0) };
}

impl Misbehaviour for ForgetsSockets {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        PORT.set(number(params, "port") as u16);
        Ok(0)
    }

    fn start(_: u32, _: u32) -> Progress {
        sockets::connect(&sockets::Address { host: "127.0.0.1".into(), port: PORT.get(), tls: None });
        Progress::Pending
    }

    /// Waits for longer than any step.
    fn resume(_: u32, _: u32) -> Progress {
        timer::sleep(3_600_000_000_000);
        Progress::Pending
    }

    /// Closes a socket that it never had, which it may do here.
    fn cancel(_: u32) {
        sockets::close(7);
    }
}

guest!(ForgetsSockets);
