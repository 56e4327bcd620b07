//! Requests that ask for their connection: how a WebSocket begins, for one.

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
    /// Submits the request, at once, as one that asks for its connection: awaiting it waits for the head of the reply.
    ///
    /// It goes over HTTP/1.1, on a connection of its own, and carries the user's headers and cookies, which no plugin
    /// sees. It has no body, and its options do not count. The fields that ask for the switch, such as `connection` and
    /// `upgrade`, are yours to give, and those of the reply yours to check. It belongs to the sample of the task's
    /// sockets, as a connect does.
    pub fn upgrade(self, task: &Task) -> Upgrade<'_> {
        Upgrade(Operation::new(task, sockets::upgrade(&self.into_raw())))
    }
}

/// A request for a connection on its way; ready with the head of the reply, or when there will be none. Dropped early, it
/// is given up.
#[derive(Debug)]
#[must_use = "awaiting it is what gives the reply"]
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
        // The connection goes with it.
        drop(self.0.claim().map(|operation| sockets::upgraded(operation).map(Switched::new)));
    }
}

/// What a server answered to a request for its connection.
#[derive(Debug)]
pub struct Switched {
    /// The status code, 100 to 999.
    pub status: u16,
    /// The fields of the reply's header section, in the order they came.
    pub headers: Vec<(String, String)>,
    /// The connection, if the status is 101. What came behind the reply's head is the first that it reads.
    pub socket: Option<Socket>,
    /// From the first byte of the request to the last of the reply's head, without the time to connect.
    pub duration: Duration,
}

impl Switched {
    fn new(raw: crate::bindings::socket_types::Switched) -> Self {
        let (status, headers, duration) = (raw.status, raw.headers, Duration::from_nanos(raw.duration));
        Self { status, headers, socket: raw.socket.map(Socket::new), duration }
    }

    /// The first value of a field, the name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}
