//! The sockets of one user: byte streams that outlive the task that opened them, each seen by nobody but the instance of
//! the plugin that did.
//!
//! What a task does on its sockets is one sample: it waits for the user's turn once, before its first operation, and
//! ends with the task.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, ready};

use stampede_time::Nanos;

use super::limits;
use crate::http::{Allowance, HeaderSection};
use crate::metrics::sample::FailureKind;
use crate::net::{Failure, Meter, Stream};

/// One instance among all that a worker has or had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceId {
    /// Of which plugin.
    pub plugin: u32,
    /// Which of them.
    pub instance: u64,
}

/// A socket's number among those of its user.
pub type SocketId = u32;

/// The open sockets of one user.
#[derive(Default)]
pub struct Sockets {
    open: RefCell<Vec<OpenSocket>>,
    /// Whose are being opened.
    opening: RefCell<Vec<InstanceId>>,
    next_id: Cell<u32>,
}

struct OpenSocket {
    owner: InstanceId,
    id: SocketId,
    socket: Rc<Socket>,
}

/// An open socket. Reads and writes under way hold on to it when it is closed, and fail.
pub struct Socket {
    stream: RefCell<Option<Stream>>,
    /// Whether a read is under way.
    pub reading: Cell<bool>,
    /// Whether a write is.
    pub writing: Cell<bool>,
}

impl Sockets {
    /// An open socket of an instance.
    pub fn get(&self, owner: InstanceId, id: SocketId) -> Option<Rc<Socket>> {
        let open = self.open.borrow();
        open.iter().find(|entry| (entry.owner, entry.id) == (owner, id)).map(|entry| Rc::clone(&entry.socket))
    }

    /// Closes a socket, if it is open.
    pub fn close(&self, owner: InstanceId, id: SocketId) {
        self.retain(|entry| (entry.owner, entry.id) != (owner, id));
    }

    /// Keeps a stream for its owner.
    pub fn add(&self, owner: InstanceId, stream: Stream) -> SocketId {
        let id = self.next_id.replace(self.next_id.get() + 1);
        let socket =
            Socket { stream: RefCell::new(Some(stream)), reading: Cell::new(false), writing: Cell::new(false) };
        self.open.borrow_mut().push(OpenSocket { owner, id, socket: Rc::new(socket) });
        id
    }

    /// Closes what nobody can use any more: sockets of instances that this one has replaced.
    pub fn close_replaced(&self, owner: InstanceId) {
        self.retain(|entry| entry.owner.plugin != owner.plugin || entry.owner == owner);
    }

    fn retain(&self, keep: impl Fn(&OpenSocket) -> bool) {
        self.open.borrow_mut().retain(|entry| {
            let kept = keep(entry);
            if !kept {
                entry.socket.close();
            }
            kept
        });
    }
}

impl Socket {
    /// The protocol that the server picked (ALPN).
    pub fn protocol(&self) -> Option<String> {
        let stream = self.stream.borrow();
        stream.as_ref()?.protocol().map(|name| String::from_utf8_lossy(name).into_owned())
    }

    fn close(&self) {
        if let Some(mut stream) = self.stream.take() {
            stream.close();
        }
    }

    /// Does something with the open stream. After an error it is closed.
    pub fn with<T>(&self, io: impl FnOnce(Pin<&mut Stream>) -> Poll<io::Result<T>>) -> Poll<Result<T, Failure>> {
        let mut stream = self.stream.borrow_mut();
        let Some(open) = stream.as_mut() else { return Poll::Ready(Err(closed())) };
        let result = ready!(io(Pin::new(open)));
        Poll::Ready(result.map_err(|error| {
            *stream = None;
            Stream::failure(&error)
        }))
    }
}

/// A read or a write under way. However it ends, another may begin.
pub struct IoGuard<'a> {
    flag: &'a Cell<bool>,
    /// Closed if the operation is given up: nobody knows how much of a write has been sent.
    pub close_on_drop: Option<&'a Socket>,
}

impl<'a> IoGuard<'a> {
    /// Begins an operation of that kind.
    ///
    /// # Errors
    /// Another one is under way.
    pub fn new(flag: &'a Cell<bool>, unless_done: Option<&'a Socket>) -> Result<Self, Failure> {
        if flag.replace(true) {
            return Err(plugin_fault("another operation of that kind is under way on the socket"));
        }
        Ok(Self { flag, close_on_drop: unless_done })
    }
}

impl Drop for IoGuard<'_> {
    fn drop(&mut self) {
        self.flag.set(false);
        if let Some(socket) = self.close_on_drop {
            socket.close();
        }
    }
}

/// Bytes taken from what a task may hold, given back when they are gone.
pub struct Reservation {
    allowance: Allowance,
    bytes: usize,
}

impl Reservation {
    /// So many bytes, if the task may hold as many more.
    pub fn new(allowance: &Allowance, bytes: usize) -> Option<Self> {
        allowance.set(allowance.get().checked_sub(bytes)?);
        Some(Self { allowance: Rc::clone(allowance), bytes })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.allowance.set(self.allowance.get() + self.bytes);
    }
}

/// How far the sockets of a task have come.
#[derive(Default)]
pub struct SocketActivity {
    /// Whether the task may use its sockets.
    pub turn: Cell<TurnState>,
    /// The sample of it all.
    pub meter: Meter,
    /// The last failure, which counts if the task fails.
    pub failure: RefCell<Option<Failure>>,
}

/// The turn of a task on its sockets.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum TurnState {
    /// No operation has been polled yet.
    #[default]
    NotRequested,
    /// One waits for it, and the others for that one.
    Waiting,
    /// It came.
    Granted,
    /// The run ended first.
    Refused,
}

impl SocketActivity {
    /// Forgets the previous task.
    pub fn begin(&self) {
        self.turn.set(TurnState::NotRequested);
        self.failure.take();
    }

    /// Whether anything was done on a socket.
    pub fn has_begun(&self) -> bool {
        self.turn.get() == TurnState::Granted
    }
}

/// What a server answered to a request for its connection.
pub struct SocketUpgrade {
    /// The status.
    pub status: u16,
    /// The header section.
    pub headers: HeaderSection,
    /// The socket, if the server switches.
    pub socket: Option<SocketId>,
    /// From the request to the head of the reply.
    pub duration: Nanos,
    /// For the header section, until it is handed over.
    pub held: Reservation,
}

/// A socket that is being opened, among those that a plugin may have.
pub struct OpeningGuard<'a>(&'a Sockets, InstanceId);

impl<'a> OpeningGuard<'a> {
    /// Takes a place.
    ///
    /// # Errors
    /// The plugin has as many sockets as it may.
    pub fn claim(sockets: &'a Sockets, owner: InstanceId) -> Result<Self, Failure> {
        let open = sockets.open.borrow().iter().filter(|entry| entry.owner == owner).count();
        let mut opening = sockets.opening.borrow_mut();
        let opening_count = opening.iter().filter(|candidate| **candidate == owner).count();
        if open + opening_count >= limits::SOCKETS {
            return Err(plugin_fault(format!("a user may have {} open sockets", limits::SOCKETS)));
        }
        opening.push(owner);
        Ok(Self(sockets, owner))
    }
}

impl Drop for OpeningGuard<'_> {
    fn drop(&mut self) {
        let mut opening = self.0.opening.borrow_mut();
        if let Some(index) = opening.iter().position(|known| *known == self.1) {
            opening.swap_remove(index);
        }
    }
}

/// Bytes that were read and not yet handed over.
pub struct ReceivedBytes {
    /// The bytes.
    pub bytes: Vec<u8>,
    _held: Reservation,
}

impl ReceivedBytes {
    /// Bytes that the task holds from now on.
    ///
    /// # Errors
    /// It would hold more than it may.
    pub fn new(bytes: Vec<u8>, allowance: &Allowance) -> Result<Self, Failure> {
        let held = Reservation::new(allowance, bytes.len()).ok_or_else(over_allowance)?;
        Ok(Self { bytes, _held: held })
    }
}

/// The task would hold more than it may.
pub fn over_allowance() -> Failure {
    plugin_fault(format!("a task may hold {} MiB of bodies, reads and writes", limits::HELD >> 20))
}

/// The failure of an operation on a closed socket.
pub fn closed() -> Failure {
    Failure { kind: FailureKind::Network, detail: "the socket is closed".into() }
}

/// What only a plugin can do wrong.
pub fn plugin_fault(what: impl Into<Cow<'static, str>>) -> Failure {
    Failure { kind: FailureKind::Plugin, detail: what.into() }
}
