//! The other end of a socket, as a test scripts it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::FailureKind;

/// The peer of a connect. It does what it is scripted to do in that order; time that it waits is virtual.
///
/// ```
/// # use std::time::Duration;
/// # use stampede_plugin::testing::Peer;
/// let peer = Peer::new().answers("220 ready\r\n").expects("QUIT\r\n").waits(Duration::from_millis(5)).closes();
/// ```
#[derive(Clone, Debug)]
pub struct Peer {
    pub(super) refusal: Option<FailureKind>,
    pub(super) protocol: Option<String>,
    pub(super) events: VecDeque<Event>,
    pub(super) after: Duration,
}

/// One thing that a peer does.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// Waits until these bytes have arrived.
    Expects(Vec<u8>),
    /// Lets time pass.
    Waits(Duration),
    /// Sends these bytes, which arrive in one piece.
    Answers(Vec<u8>),
    /// Waits for a TLS handshake, which takes this long.
    Secures(Duration),
    /// Closes its side.
    Closes,
}

impl Peer {
    /// Creates a peer that accepts the connection, and all bytes sent to it.
    pub fn new() -> Self {
        Self { refusal: None, protocol: None, events: VecDeque::new(), after: Duration::ZERO }
    }

    /// Creates a peer whose connect fails for this reason.
    pub fn refuses(kind: FailureKind) -> Self {
        Self { refusal: Some(kind), ..Self::new() }
    }

    /// Sets the time that it takes to connect.
    #[must_use]
    pub fn after(mut self, duration: Duration) -> Self {
        self.after = duration;
        self
    }

    /// Sets the protocol that it picks (ALPN).
    #[must_use]
    pub fn picks(mut self, protocol: &str) -> Self {
        self.protocol = Some(protocol.to_owned());
        self
    }

    /// Goes on when exactly these bytes have arrived, in any pieces; other bytes fail the test.
    #[must_use]
    pub fn expects(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.then(Event::Expects(bytes.into()))
    }

    /// Waits before it goes on.
    #[must_use]
    pub fn waits(self, duration: Duration) -> Self {
        self.then(Event::Waits(duration))
    }

    /// Sends bytes. No read returns bytes of two answers at once.
    #[must_use]
    pub fn answers(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.then(Event::Answers(bytes.into()))
    }

    /// Goes on when the action has made a TLS handshake on its connection in clear, which takes this long. Without it,
    /// a handshake fails.
    #[must_use]
    pub fn secures(self, duration: Duration) -> Self {
        self.then(Event::Secures(duration))
    }

    /// Closes its side: reads return no more bytes.
    #[must_use]
    pub fn closes(self) -> Self {
        self.then(Event::Closes)
    }

    fn then(mut self, event: Event) -> Self {
        self.events.push_back(event);
        self
    }
}

impl Default for Peer {
    fn default() -> Self {
        Self::new()
    }
}
