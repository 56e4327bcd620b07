//! Asks twice for the outcome of each operation on a socket.

use std::cell::RefCell;

use stampede_guests::{ConfigError, Misbehaviour, Progress, guest, number, sockets};

/// The guest.
pub struct AsksTwice;

thread_local! {
    static PORT: RefCell<u16> = const { RefCell::new(0) };
    static SOCKET: RefCell<u32> = const { RefCell::new(0) };
}

impl Misbehaviour for AsksTwice {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        PORT.set(number(params, "port") as u16);
        Ok(0)
    }

    fn start(_: u32, _: u32) -> Progress {
        let port = PORT.with_borrow(|port| *port);
        sockets::connect(&sockets::Address { host: "127.0.0.1".into(), port, tls: None });
        Progress::Pending
    }

    fn resume(_: u32, operation: u32) -> Progress {
        match operation {
            0 => {
                let socket = sockets::connected(0).expect("it stands");
                assert_eq!(sockets::connected(0), Ok(socket));
                SOCKET.set(socket);
                sockets::write(socket, b"GET /status/200 HTTP/1.1\r\nhost: site\r\n\r\n");
                Progress::Pending
            }
            1 => {
                assert_eq!((sockets::written(1), sockets::written(1)), (Ok(()), Ok(())));
                sockets::read(SOCKET.with_borrow(|socket| *socket), 1000);
                Progress::Pending
            }
            _ => {
                let bytes = sockets::received(2).expect("an answer");
                assert!(bytes.starts_with(b"HTTP/1.1 200"));
                assert_eq!(sockets::received(2), Ok(Vec::new()));
                sockets::close(SOCKET.with_borrow(|socket| *socket));
                Progress::Passed
            }
        }
    }
}

guest!(AsksTwice);
