//! The operations of a task: exchanges, sleeps, and reads and writes of sockets; and the result of each.

use std::rc::Rc;

use hyper::http::uri::PathAndQuery;

use super::limits;
use super::sockets::{ReceivedBytes, SocketId, SocketUpgrade};
use crate::http::{Allowance, Reply};
use crate::metrics::sample::{FailureKind, RowId, Sample};
use crate::net::{Failure, Measurements, Origin};

/// Index of an operation within its task.
pub type OperationId = u32;

/// What came of an operation.
pub enum Completion {
    /// A reply, or the reason why there is none.
    Exchange(Box<CompletedExchange>),
    /// A sleep is over.
    Slept,
    /// A socket's number, or the reason why there is none.
    Connected(Result<SocketId, Failure>),
    /// What a server answered to a request for its connection, or why it did not.
    Upgraded(Result<SocketUpgrade, Failure>),
    /// All bytes were written to a socket, or not.
    Written(Result<(), Failure>),
    /// Bytes read from a socket, none if the peer has closed its side.
    Read(Result<ReceivedBytes, Failure>),
    /// The head of a streamed exchange has come, or never will.
    HeadReceived(Result<u16, Failure>),
    /// Content of a streamed exchange, none at its end.
    ContentReceived(Result<ReceivedBytes, Failure>),
    /// Content was sent, or not.
    ContentSent(Result<(), Failure>),
    /// The run ended before the operation's turn came: nothing was sent.
    NotStarted,
}

/// An exchange that has ended.
pub struct CompletedExchange {
    /// What was measured.
    pub measured: Measurements,
    /// The reply, or why there is none.
    pub result: Result<Reply, Failure>,
    /// Where the last request went; `None` if it could not be sent.
    pub target: Option<(Rc<Origin>, PathAndQuery)>,
}

impl CompletedExchange {
    /// The exchange as numbers.
    pub fn to_sample(&self, row: RowId) -> Sample {
        sample(row, &self.measured, self.result.as_ref().err().map(|failure| failure.kind))
    }

    /// Where the last request went, as a URL.
    pub fn url(&self) -> Option<String> {
        let (origin, target) = self.target.as_ref()?;
        origin.url(target).map(String::from)
    }

    /// Takes the header section out of what a task may hold, as its body has been.
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

/// What was measured as a sample. An exchange that was cut off ends when that is noticed, at `measured.end`.
pub fn sample(row: RowId, measured: &Measurements, failure: Option<FailureKind>) -> Sample {
    let Measurements { start, late, status, bytes_out, bytes_in, body_bytes_in, phases, .. } = *measured;
    let (intended, end) = (start.saturating_sub(late), measured.end.unwrap_or(start));
    Sample { row, intended, start, end, status, bytes_out, bytes_in, body_bytes_in, phases, failure }
}
