//! A target that must not be reached.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

/// An address that connections can be made to, and that knows whether any was.
pub struct Silent {
    listener: TcpListener,
}

impl Silent {
    /// Listens on a free port, and accepts nothing.
    pub fn bind() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a listener that does not block");
        Self { listener }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.listener.local_addr().expect("a bound listener has an address")
    }

    /// Checks that nobody has connected so far: a connection would wait in the listener's queue.
    ///
    /// # Panics
    /// Somebody has.
    #[track_caller]
    pub fn assert_untouched(&self) {
        match self.listener.accept() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            other => panic!("the target was connected to: {other:?}"),
        }
    }
}
