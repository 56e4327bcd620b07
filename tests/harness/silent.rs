//! A target that must not be reached, and one that cannot be reached.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

/// A listener that accepts nothing, and tells whether a connection was made to it.
pub struct Silent {
    listener: TcpListener,
}

impl Silent {
    /// Listens on a free port and accepts nothing.
    pub fn bind() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a listener that does not block");
        Self { listener }
    }

    /// Returns `http://host:port`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.listener.local_addr().expect("a bound listener has an address"))
    }

    /// Checks that no connection was made so far; one would wait in the listener's queue.
    ///
    /// # Panics
    /// There is a connection.
    #[track_caller]
    pub fn assert_untouched(&self) {
        match self.listener.accept() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            other => panic!("the target was connected to: {other:?}"),
        }
    }
}

/// An address that refuses connections and cannot be taken by another process meanwhile: a socket that is bound and
/// never listens.
pub struct Refusing {
    socket: Socket,
}

impl Refusing {
    /// Binds a free port.
    pub fn bind() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).expect("a free port");
        Self { socket }
    }

    /// Returns `http://host:port`.
    pub fn base_url(&self) -> String {
        let addr = self.socket.local_addr().ok().and_then(|addr| addr.as_socket());
        format!("http://{}", addr.expect("a bound socket has an address"))
    }
}
