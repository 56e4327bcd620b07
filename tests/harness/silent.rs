//! Targets that must not be reached, that cannot be reached, and that do not answer who asks for a connection.

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

/// An address that drops what asks for a connection: a listener whose queue is full.
pub struct Dropping {
    listener: Socket,
    /// Connections that fill the queue.
    _queued: Vec<Socket>,
}

impl Dropping {
    /// Listens on a free port and fills its queue.
    pub fn bind() -> Self {
        let socket = || Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let listener = socket();
        listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).expect("a free port");
        listener.listen(0).expect("a queue");
        let address = listener.local_addr().expect("a bound socket has an address");
        let queued = (0..4).map(|_| {
            let client = socket();
            client.set_nonblocking(true).expect("a socket that does not block");
            // It is under way or queued. Those that find no room stay under way.
            let _ = client.connect(&address);
            client
        });
        Self { _queued: queued.collect(), listener }
    }

    /// Returns `http://host:port`.
    pub fn base_url(&self) -> String {
        let addr = self.listener.local_addr().ok().and_then(|addr| addr.as_socket());
        format!("http://{}", addr.expect("a bound socket has an address"))
    }
}
