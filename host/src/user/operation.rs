//! The operations of a task: exchanges, waits, and reads and writes of sockets; and the result of each.

use super::limits;
use super::sockets::{ReceivedBytes, SocketId, SocketUpgrade};
use crate::http::{Allowance, Reply, Request};
use crate::metrics::sample::{FailureKind, RowId, Sample};
use crate::net::{Failure, Measurements};

/// Index of an operation within its task.
pub type OperationId = u32;

/// The kind of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// An exchange.
    Exchange,
    /// A part of a streamed exchange: the head, or content in either direction.
    Content,
    /// A connection, a read or a write of a socket.
    Socket,
    /// A sleep, or a wait for the user's turn.
    Wait,
    /// A wait for the end of the user's time.
    Ending,
}

/// The result of an operation.
pub enum Completion {
    /// An exchange has ended, with a reply or the reason why there is none.
    Exchange(Box<CompletedExchange>),
    /// A sleep is over, the user's turn has come, or its time has ended.
    WaitOver,
    /// A socket was opened, or could not be.
    Connected(Result<SocketId, Failure>),
    /// A server answered an upgrade request, or did not.
    Upgraded(Result<SocketUpgrade, Failure>),
    /// All bytes were written to a socket, or the write failed.
    Written(Result<(), Failure>),
    /// TLS has begun on a socket, or could not.
    Secured(Result<(), Failure>),
    /// Bytes were read from a socket; none if the peer has closed its side.
    Read(Result<ReceivedBytes, Failure>),
    /// The head of a streamed exchange has arrived, with this status, or never will.
    HeadReceived(Result<u16, Failure>),
    /// Content of a streamed exchange has arrived; none at its end.
    ContentReceived(Result<ReceivedBytes, Failure>),
    /// Content of a streamed exchange was sent, or could not be.
    ContentSent(Result<(), Failure>),
    /// The run ended before the operation's turn came: nothing was sent.
    NotStarted,
}

impl Completion {
    /// Returns the socket that the operation has opened, if it has.
    pub fn socket(&self) -> Option<SocketId> {
        match self {
            Self::Connected(Ok(socket)) => Some(*socket),
            Self::Upgraded(Ok(upgraded)) => upgraded.socket,
            _ => None,
        }
    }
}

/// An exchange that has ended.
pub struct CompletedExchange {
    /// Measurements of the last hop.
    pub measured: Measurements,
    /// The reply, or the reason why there is none.
    pub result: Result<Reply, Failure>,
    /// The last request; `None` if it could not be sent.
    pub request: Option<Request>,
}

impl CompletedExchange {
    /// Returns the exchange's sample, of a step with this row.
    pub fn to_sample(&self, row: RowId) -> Sample {
        sample(row, &self.measured, self.result.as_ref().err().map(|failure| failure.kind))
    }

    /// Returns the URL of the last request.
    pub fn url(&self) -> Option<String> {
        self.request.as_ref()?.destination().url().map(String::from)
    }

    /// Takes the header section from the task's allowance, as the body has been. Without room the exchange fails.
    pub fn charge_headers(&mut self, allowance: &Allowance) {
        let Ok(reply) = &self.result else { return };
        match allowance.get().checked_sub(reply.headers.size()) {
            Some(left) => allowance.set(left),
            None => {
                allowance.set(allowance.get() + reply.body.len());
                let detail = format!("a task may hold {} MiB of replies", limits::HELD >> 20).into();
                self.result = Err(Failure { kind: FailureKind::Protocol, detail });
            }
        }
    }
}

/// Makes a sample of measurements, of a step with this row. An exchange that was cut off ends when that is noticed, at
/// `measured.end`.
pub fn sample(row: RowId, measured: &Measurements, failure: Option<FailureKind>) -> Sample {
    let Measurements { start, late, status, bytes_out, bytes_in, body_bytes_in, phases, span, .. } = *measured;
    let (intended, end) = (start.saturating_sub(late), measured.end.unwrap_or(start));
    let row = measured.row.unwrap_or(row);
    Sample { row, intended, start, end, status, bytes_out, bytes_in, body_bytes_in, phases, failure, span }
}
