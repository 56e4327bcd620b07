//! Requests that ask for their connection, such as the handshake of a WebSocket.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::DynamicRequest;
use crate::bindings::sockets;
use crate::operation::Operation;
use crate::socket::Socket;
use crate::{Failure, Task};

impl DynamicRequest {
    /// Submits the request immediately, as one that asks for its connection; awaiting it waits for the head of the
    /// reply.
    ///
    /// It goes over HTTP/1.1, on a connection of its own, and carries the user's headers and cookies, which no plugin
    /// sees. It has no body, and its options are ignored. The action gives the fields that ask for the switch, such as
    /// `connection` and `upgrade`, and checks those of the reply. The request belongs to the sample of the task's
    /// sockets, as a connect does.
    pub fn upgrade(self, task: &Task) -> Upgrade<'_> {
        Upgrade(Operation::new(task, sockets::upgrade(&self.into_raw())))
    }
}

/// A request for a connection in flight; ready with the head of the reply, or when the request has failed. Dropping it
/// early gives it up.
#[derive(Debug)]
#[must_use = "await it to get the reply"]
pub struct Upgrade<'t>(Operation<'t>);

impl Future for Upgrade<'_> {
    type Output = Result<Switched, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let operation = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(sockets::upgraded(operation).map(Switched::new).map_err(Failure::of_host))
    }
}

impl Drop for Upgrade<'_> {
    fn drop(&mut self) {
        // Dropping the socket closes the connection.
        drop(self.0.claim().map(|operation| sockets::upgraded(operation).map(Switched::new)));
    }
}

/// The answer of a server to a request for its connection.
#[derive(Debug)]
pub struct Switched {
    /// The status code, 100 to 999.
    pub status: u16,
    /// The fields of the reply's header section, in the order received.
    pub headers: Vec<(String, String)>,
    /// The connection, if the status is 101. Its first read returns the bytes that arrived after the reply's head.
    pub socket: Option<Socket>,
    /// Time from the first byte of the request to the last of the reply's head, without the time to connect.
    pub duration: Duration,
}

impl Switched {
    fn new(raw: crate::bindings::socket_types::Switched) -> Self {
        let (status, headers, duration) = (raw.status, raw.headers, Duration::from_nanos(raw.duration));
        Self { status, headers, socket: raw.socket.map(Socket::new), duration }
    }

    /// Returns the first value of a field, the name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}
