//! Breaks the rules of sockets in the way that its parameter `how` names.

use std::cell::{Cell, RefCell};

use stampede_guests::{ConfigError, Misbehaviour, Progress, guest, number, sockets, text, user};

/// The guest.
pub struct MisusesSockets;

thread_local! {
    static HOW: RefCell<String> = const { RefCell::new(String::new()) };
    static PORT: Cell<u16> = const { Cell::new(0) };
    /// The first user's socket.
    static FIRST: Cell<Option<u32>> = const { Cell::new(None) };
}

impl Misbehaviour for MisusesSockets {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        HOW.set(text(params, "how").to_owned());
        PORT.set(number(params, "port") as u16);
        Ok(0)
    }

    fn start(_: u32, _: u32) -> Progress {
        let (host, port) = ("127.0.0.1".to_owned(), PORT.get());
        match HOW.with_borrow(Clone::clone).as_str() {
            "forged" => drop(sockets::write(7, b"x")),
            "too large" => drop(sockets::write(0, &vec![0; (16 << 20) + 1])),
            "elsewhere" => drop(sockets::connect(&sockets::Address { host, port: 1, tls: None })),
            "another's" if user::id() > 0 => drop(sockets::write(FIRST.get().unwrap_or(7), b"x")),
            _ => drop(sockets::connect(&sockets::Address { host, port, tls: None })),
        }
        Progress::Pending
    }

    fn resume(_: u32, operation: u32) -> Progress {
        match HOW.with_borrow(Clone::clone).as_str() {
            "two reads" if operation == 0 => {
                let socket = sockets::connected(operation).expect("the site is there");
                sockets::read(socket, 10);
                sockets::read(socket, 10);
                Progress::Pending
            }
            // The first read waits forever; the second is rejected.
            "two reads" if sockets::received(operation).is_err() => Progress::Failed,
            "another's" if user::id() == 0 => {
                FIRST.set(sockets::connected(operation).ok());
                Progress::Passed
            }
            "another's" if sockets::written(operation).is_err() => Progress::Failed,
            "forged" if sockets::written(operation).is_err() => Progress::Failed,
            "wrong kind" => {
                let _ = sockets::received(operation);
                Progress::Passed
            }
            "elsewhere" if sockets::connected(operation).is_err() => Progress::Failed,
            _ => Progress::Passed,
        }
    }
}

guest!(MisusesSockets);
