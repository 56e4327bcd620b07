//! Connects with the standard library, around the host's client.

use std::net::TcpStream;

use stampede_guests::{Misbehaviour, Progress, guest};

/// The guest.
pub struct WantsSockets;

impl Misbehaviour for WantsSockets {
    fn start(_: u32, _: u32) -> Progress {
        match TcpStream::connect("127.0.0.1:80") {
            Ok(_) => Progress::Passed,
            Err(_) => Progress::Failed,
        }
    }
}

guest!(WantsSockets);
