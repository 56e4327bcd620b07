//! Byte streams over TCP, in clear or above TLS: for protocols that the host does not speak.
//!
//! The host resolves names, connects and speaks TLS; a plugin sees the bytes above. All that a task does on its sockets
//! is one sample in the report, from its first socket operation to its end, and a failure if the task is one; report
//! other measurements, such as a round trip, as a [`metric`](crate::metric). A plugin can connect only to hosts that
//! the script grants it.
//!
//! Bytes that arrive beyond those that a read asked for stay in the socket for the next read. A socket is closed when
//! it is dropped; one that is dropped after its task has ended, as on a timeout, when its user's next task begins.
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
pub use operations::{Connect, Read, Secure, Write};

use crate::bindings::{sockets, user};
use crate::operation::Operation;
use crate::{Failure, FailureKind, Task, UserId, executor};

use buffer::Buffer;
use operations::Fill;

/// The bytes that a read asks for where the plugin does not say.
const CHUNK: usize = 16 << 10;

/// The most bytes that the contract lets a read ask for.
const MOST: usize = 1 << 20;

/// A connection of one user, closed when it is dropped. To keep one beyond its task, put it in a
/// [`PerUser`](crate::PerUser); tasks of other users cannot use it.
///
/// One read and one write may be in flight at once; a second of either kind fails with [`FailureKind::Plugin`]. After a
/// failure the socket is closed.
#[derive(Debug)]
pub struct Socket {
    id: u32,
    /// The owner: no task of another user may close it.
    user: UserId,
    /// Bytes that a read has returned beyond those asked for.
    buffer: RefCell<Buffer>,
}

impl Socket {
    /// Submits a connect immediately; awaiting it waits for the socket. A user may have 64 open sockets of a plugin.
    pub fn connect<'t>(task: &'t Task, address: &Address) -> Connect<'t> {
        Connect(Operation::new(task, sockets::connect(&address.0)))
    }

    /// Wraps a socket that the host has just given the current task.
    pub(crate) fn new(id: u32) -> Self {
        Self { id, user: user::id(), buffer: RefCell::default() }
    }

    /// Returns the protocol that the server picked of those offered; `None` if it picked none, or in clear.
    pub fn protocol(&self, _task: &Task) -> Option<String> {
        sockets::protocol(self.id)
    }

    /// Submits a TLS handshake on a connection in clear immediately, as SMTP does after STARTTLS; awaiting it waits
    /// until the connection is secure. The certificate must be for the host of the address, unless the options name
    /// another.
    ///
    /// Fails with [`FailureKind::Protocol`], and closes the connection, if the peer has sent bytes that no read has
    /// returned: anyone on the way may have added them, and after the handshake they would pass for bytes of the peer.
    pub fn secure<'s>(&'s self, task: &'s Task, tls: &Tls) -> Secure<'s> {
        if self.buffer.borrow().unread().is_empty() {
            return Secure(Ok(Operation::new(task, sockets::secure(self.id, &tls.0))));
        }
        sockets::close(self.id);
        Secure(Err(Failure::protocol("the peer has sent bytes in clear before TLS began")))
    }

    /// Submits a write of all these bytes, 16 MiB at most, immediately; awaiting it waits until the operating system
    /// has accepted the last one.
    pub fn write<'s>(&'s self, task: &'s Task, bytes: &[u8]) -> Write<'s> {
        Write(Operation::new(task, sockets::write(self.id, bytes)))
    }

    /// Submits a read of at least one byte, at most `most` and at most 64 KiB, immediately; awaiting it waits for them.
    /// Returns no bytes if the peer has closed its side.
    pub fn read<'s>(&'s self, task: &'s Task, most: usize) -> Read<'s> {
        let most = most.clamp(1, MOST);
        let empty = self.buffer.borrow().unread().is_empty();
        Read::new(self, most, empty.then(|| self.fill(task, most)))
    }

    /// Waits for exactly `length` bytes. Dropped early, it has taken none.
    ///
    /// # Errors
    /// The peer closes its side first: [`FailureKind::Network`].
    pub async fn read_exact(&self, task: &Task, length: usize) -> Result<Vec<u8>, Failure> {
        loop {
            let there = self.buffer.borrow().unread().len();
            if there >= length {
                return Ok(self.buffer.borrow_mut().take(length));
            }
            if self.fill(task, (length - there).max(CHUNK)).await? == 0 {
                return Err(ended(format!("expected {length} bytes, got {there} before the connection ended")));
            }
        }
    }

    /// Waits for bytes up to a delimiter, such as `b"\r\n"`, and returns them with the delimiter. Dropped early, it has
    /// taken none.
    ///
    /// # Errors
    /// They are more than `most` bytes: [`FailureKind::Protocol`]. The peer closes its side first:
    /// [`FailureKind::Network`].
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
            // The delimiter's first bytes may have arrived already.
            searched = (there + 1).saturating_sub(delimiter.len());
            if self.fill(task, CHUNK).await? == 0 {
                return Err(ended(format!(
                    "expected {}, got {there} bytes before the connection ended",
                    shown(delimiter)
                )));
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

/// Creates the failure of a peer that has closed its side too early.
fn ended(detail: String) -> Failure {
    Failure::new(FailureKind::Network, detail)
}

/// Formats a delimiter for a message.
fn shown(delimiter: &[u8]) -> String {
    format!("`{}`", delimiter.escape_ascii())
}

#[cfg(test)]
mod tests;
