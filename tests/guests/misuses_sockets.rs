//! Breaks the rules of sockets in the way that its parameter `how` names.

use std::cell::{Cell, RefCell};

use stampede_guests::{ConfigError, Misbehaviour, Progress, guest, number, sockets, text, user};

/// The guest.
pub struct MisusesSockets;

/// TLS for the host of the connection.
const NO_OPTIONS: sockets::TlsOptions = sockets::TlsOptions { server_name: None, alpn: Vec::new() };

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
            "secures nothing" => drop(sockets::secure(7, &NO_OPTIONS)),
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
            // The server greets with more than one byte, and waits for a command then.
            how @ ("reads too little" | "reads meanwhile") if operation == 0 => {
                let socket = sockets::connected(operation).expect("the server is there");
                FIRST.set(Some(socket));
                sockets::read(socket, if how == "reads too little" { 1 } else { 100 });
                Progress::Pending
            }
            how @ ("reads too little" | "reads meanwhile") if operation == 1 => {
                let socket = FIRST.get().unwrap_or(7);
                sockets::received(operation).expect("the server greets");
                if how == "reads meanwhile" {
                    sockets::read(socket, 1);
                }
                sockets::secure(socket, &NO_OPTIONS);
                Progress::Pending
            }
            "reads too little" | "reads meanwhile" | "secures nothing" if sockets::secured(operation).is_err() => {
                Progress::Failed
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
