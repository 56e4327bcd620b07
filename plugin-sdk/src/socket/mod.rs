//! Byte streams over TCP, in clear or above TLS: for protocols that the host does not speak.
//!
//! The host resolves names, connects and speaks TLS; a plugin sees the bytes above. What a task does on its sockets is
//! one sample in the report, from its first socket operation to its end, and a failure if the task is one; what else is
//! worth a number, such as a round trip, is a [`metric`](crate::metric). Only hosts that the script grants the plugin can
//! be connected to.
//!
//! ```
//! use stampede_plugin::socket::{Address, Socket, Tls};
//! # use stampede_plugin::{Failure, Outcome, Task};
//!
//! async fn run(task: &Task) -> Outcome {
//!     let address = Address::new("mail.example", 465).tls(Tls::new());
//!     let socket = Socket::connect(task, &address).await?;
//!     let greeting = socket.read_until(task, b"\r\n", 512).await?;
//!     if !greeting.starts_with(b"220 ") {
//!         return Err(Failure::check(format!("expected `220 …`, got `{}`", greeting.escape_ascii())));
//!     }
//!     socket.write(task, b"QUIT\r\n").await
//! }
//! ```

mod address;
mod buffer;
pub(crate) mod left_open;
mod operations;

use std::cell::RefCell;

pub use address::{Address, Tls};
pub use operations::{Connect, Read, Write};

use crate::bindings::{sockets, user};
use crate::operation::Operation;
use crate::{Failure, FailureKind, Task, UserId, executor};

use buffer::Buffer;
use operations::Fill;

/// What a read asks for where the plugin does not say.
const CHUNK: usize = 16 << 10;

/// The most that the contract lets a read ask for.
const MOST: usize = 1 << 20;

/// A connection of one user, closed when it is dropped. One that is to outlast its task is kept in a
/// [`PerUser`](crate::PerUser); for another user than its own it means nothing.
///
/// One read and one write may be on their way at once; a second of either kind fails with
/// [`FailureKind::Plugin`]. After a failure the socket is closed.
#[derive(Debug)]
pub struct Socket {
    id: u32,
    /// Whose it is: nobody else's task may close it.
    user: UserId,
    /// What a read has brought beyond what was asked for.
    buffer: RefCell<Buffer>,
}

impl Socket {
    /// Submits a connect, at once: awaiting it waits for the socket. A user may have 64 open ones of a
    /// plugin.
    pub fn connect<'t>(task: &'t Task, address: &Address) -> Connect<'t> {
        Connect(Operation::new(task, sockets::connect(&address.0)))
    }

    /// One that the current task has just been given.
    pub(crate) fn new(id: u32) -> Self {
        Self { id, user: user::id(), buffer: RefCell::default() }
    }

    /// The protocol that the server picked of those offered; none if it picked none, or in clear.
    pub fn protocol(&self, _task: &Task) -> Option<String> {
        sockets::protocol(self.id)
    }

    /// Submits a write of all these bytes, 16 MiB at most, at once: awaiting it waits until the last one is taken.
    pub fn write<'s>(&'s self, task: &'s Task, bytes: &[u8]) -> Write<'s> {
        Write(Operation::new(task, sockets::write(self.id, bytes)))
    }

    /// Submits a read of at least one byte and at most `most` and 64 KiB, at once: awaiting it waits for them. Gives
    /// none if the peer has closed its side.
    pub fn read<'s>(&'s self, task: &'s Task, most: usize) -> Read<'s> {
        let most = most.clamp(1, MOST);
        let empty = self.buffer.borrow().unread().is_empty();
        Read::new(self, most, empty.then(|| self.fill(task, most)))
    }

    /// Waits for exactly so many bytes. If the peer closes its side before, that is a failure of kind
    /// [`FailureKind::Network`]. Dropped early, it has taken nothing.
    pub async fn read_exact(&self, task: &Task, length: usize) -> Result<Vec<u8>, Failure> {
        loop {
            let there = self.buffer.borrow().unread().len();
            if there >= length {
                return Ok(self.buffer.borrow_mut().take(length));
            }
            if self.fill(task, (length - there).max(CHUNK)).await? == 0 {
                return Err(ended(format!("expected {length} bytes, got {there} and the end")));
            }
        }
    }

    /// Waits for bytes up to a delimiter, such as `b"\r\n"`, and gives them with it: `most` bytes at most, or it is a
    /// failure of kind [`FailureKind::Protocol`]. If the peer closes its side before, one of kind
    /// [`FailureKind::Network`]. Dropped early, it has taken nothing.
    pub async fn read_until(&self, task: &Task, delimiter: &[u8], most: usize) -> Result<Vec<u8>, Failure> {
        let mut searched = 0;
        loop {
            let (end, there) = {
                let buffer = self.buffer.borrow();
                (buffer.end_of(delimiter, searched), buffer.unread().len())
            };
            match end {
                Some(end) if end <= most => return Ok(self.buffer.borrow_mut().take(end)),
                None if there < most => {}
                _ => return Err(Failure::protocol(format!("expected {} within {most} bytes", shown(delimiter)))),
            }
            // The delimiter's first bytes may be there already.
            searched = (there + 1).saturating_sub(delimiter.len());
            if self.fill(task, CHUNK).await? == 0 {
                return Err(ended(format!("expected {}, got {there} bytes and the end", shown(delimiter))));
            }
        }
    }

    /// Closes the connection, as dropping it does.
    pub fn close(self, _task: &Task) {}

    /// Submits a read into the buffer.
    fn fill<'s>(&'s self, task: &'s Task, most: usize) -> Fill<'s> {
        let most = u32::try_from(most.min(MOST)).unwrap_or(u32::MAX);
        Fill::new(self, Operation::new(task, sockets::read(self.id, most)))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if executor::is_polling() && user::id() == self.user {
            sockets::close(self.id);
        } else {
            left_open::keep(self.user, self.id);
        }
    }
}

/// The peer has closed its side too early.
fn ended(detail: String) -> Failure {
    Failure::new(FailureKind::Network, detail)
}

/// A delimiter as a person reads it.
fn shown(delimiter: &[u8]) -> String {
    format!("`{}`", delimiter.escape_ascii())
}

#[cfg(test)]
mod tests;
