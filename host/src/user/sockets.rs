//! The sockets of one user: byte streams that outlive the task that opened them. Only the plugin instance that opened a
//! socket can use it.
//!
//! A task's activity on its sockets is one sample: it waits for the user's turn once, before the first operation, and
//! ends with the task.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, ready};

use stampede_time::Nanos;

use super::limits;
use super::linked_reads::LinkedReads;
use crate::http::{Allowance, HeaderSection};
use crate::metrics::sample::FailureKind;
use crate::net::{Failure, Meter, Stream};

/// Identifies one instance among all that a worker has or had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceId {
    /// Number of the plugin on the worker.
    pub plugin: u32,
    /// Number of the instance among those of the plugin.
    pub instance: u64,
}

/// A socket's number among those of its user.
pub type SocketId = u32;

/// The open sockets of one user.
#[derive(Default)]
pub struct Sockets {
    open: RefCell<Vec<OpenSocket>>,
    /// Owners of the sockets that are being opened, one entry per socket.
    opening: RefCell<Vec<InstanceId>>,
    next_id: Cell<u32>,
}

struct OpenSocket {
    owner: InstanceId,
    id: SocketId,
    socket: Rc<Socket>,
    /// True when its owner has been told the number.
    is_handed_over: bool,
}

/// An open socket. When it is closed, reads and writes under way keep it alive and fail.
pub struct Socket {
    /// `None` once it is closed, and while TLS begins.
    stream: RefCell<Option<Stream>>,
    /// The host of the peer, as the plugin named it.
    pub host: Box<str>,
    /// True if its stream is over TLS, also in a rehearsal, which leaves TLS out.
    pub is_secure: Cell<bool>,
    is_closed: Cell<bool>,
    /// The part of what it has received that is on its user's link.
    pub linked: LinkedReads,
    /// True while a read is under way.
    pub reading: Cell<bool>,
    /// True while a write is under way.
    pub writing: Cell<bool>,
}

impl Sockets {
    /// Returns an open socket of an instance.
    pub fn get(&self, owner: InstanceId, id: SocketId) -> Option<Rc<Socket>> {
        let open = self.open.borrow();
        open.iter().find(|entry| (entry.owner, entry.id) == (owner, id)).map(|entry| Rc::clone(&entry.socket))
    }

    /// Closes a socket, if it is open.
    pub fn close(&self, owner: InstanceId, id: SocketId) {
        self.retain(|entry| (entry.owner, entry.id) != (owner, id));
    }

    /// Keeps a stream to a host for its owner and returns its number.
    pub fn add(&self, owner: InstanceId, stream: Stream, host: &str, is_secure: bool) -> SocketId {
        let id = self.next_id.replace(self.next_id.get() + 1);
        let (stream, is_secure) = (RefCell::new(Some(stream)), Cell::new(is_secure));
        let [is_closed, reading, writing] = [(); 3].map(|()| Cell::new(false));
        let linked = LinkedReads::default();
        let socket = Socket { stream, host: host.into(), is_secure, is_closed, linked, reading, writing };
        self.open.borrow_mut().push(OpenSocket { owner, id, socket: Rc::new(socket), is_handed_over: false });
        id
    }

    /// Notes that the owner of a socket has been told its number.
    pub fn hand_over(&self, id: SocketId) {
        self.open.borrow_mut().iter_mut().filter(|entry| entry.id == id).for_each(|entry| entry.is_handed_over = true);
    }

    /// Closes a socket whose owner never learnt its number, and so cannot close it.
    pub fn close_unclaimed(&self, id: SocketId) {
        self.retain(|entry| entry.id != id || entry.is_handed_over);
    }

    /// Closes the sockets of instances that `owner` has replaced: no plugin can use them any more.
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
    /// Returns the protocol that the server picked (ALPN).
    pub fn protocol(&self) -> Option<String> {
        let stream = self.stream.borrow();
        stream.as_ref()?.protocol().map(|name| String::from_utf8_lossy(name).into_owned())
    }

    fn close(&self) {
        self.is_closed.set(true);
        if let Some(mut stream) = self.stream.take() {
            stream.close();
        }
    }

    /// Returns `true` once it was closed, also while its stream is taken.
    pub fn is_closed(&self) -> bool {
        self.is_closed.get()
    }

    /// Takes the stream, which [`Self::put_stream`] gives back.
    pub fn take_stream(&self) -> Option<Stream> {
        self.stream.take()
    }

    /// Gives the stream back, unless the socket was closed meanwhile.
    pub fn put_stream(&self, mut stream: Stream) {
        match self.is_closed() {
            true => stream.close(),
            false => *self.stream.borrow_mut() = Some(stream),
        }
    }

    /// Calls `io` with the open stream. An error closes the socket.
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

/// A read or a write under way. When dropped, however the operation ends, another may begin.
pub(super) struct IoGuard<'a> {
    flag: &'a Cell<bool>,
    /// Socket to close if the operation is dropped before its end: it is unknown how much of a write has been sent.
    pub close_on_drop: Option<&'a Socket>,
}

impl<'a> IoGuard<'a> {
    /// Begins an operation of the kind that `flag` stands for.
    ///
    /// # Errors
    /// Another one is under way.
    pub(super) fn new(flag: &'a Cell<bool>, unless_done: Option<&'a Socket>) -> Result<Self, Failure> {
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

/// Bytes taken from a task's allowance, and given back when dropped.
pub struct Reservation {
    allowance: Allowance,
    bytes: usize,
}

impl Reservation {
    /// Takes `bytes` from the allowance; `None` if it has not as many left.
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

/// Activity of a task on its sockets.
#[derive(Default)]
pub struct SocketActivity {
    /// The turn of the task on its sockets.
    pub turn: Cell<TurnState>,
    /// Measurements of all operations together.
    pub meter: Meter,
    /// The last failure, which counts if the task fails.
    pub failure: RefCell<Option<Failure>>,
}

/// State of the wait for a task's turn on its sockets.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum TurnState {
    /// No operation has been polled yet.
    #[default]
    NotRequested,
    /// One operation waits for the turn, and the others for that operation.
    Waiting,
    /// The turn has come.
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

    /// Returns `true` if anything was done on a socket.
    pub fn has_begun(&self) -> bool {
        self.turn.get() == TurnState::Granted
    }
}

/// A server's answer to an upgrade request.
pub struct SocketUpgrade {
    /// The status.
    pub status: u16,
    /// The header section.
    pub headers: HeaderSection,
    /// The socket, if the server has switched protocols.
    pub socket: Option<SocketId>,
    /// Time from the request to the head of the reply.
    pub duration: Nanos,
    /// Reservation for the header section, until the guest fetches it.
    pub held: Reservation,
}

/// Counts a socket that is being opened towards the limit of its plugin.
pub(super) struct OpeningGuard<'a>(&'a Sockets, InstanceId);

impl<'a> OpeningGuard<'a> {
    /// Counts one more socket.
    ///
    /// # Errors
    /// The plugin has [`limits::SOCKETS`] sockets already.
    pub(super) fn claim(sockets: &'a Sockets, owner: InstanceId) -> Result<Self, Failure> {
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
        if let Some(index) = opening.iter().position(|owner| *owner == self.1) {
            opening.swap_remove(index);
        }
    }
}

/// Bytes that were read and not yet fetched by the guest.
pub struct ReceivedBytes {
    /// The bytes.
    pub bytes: Vec<u8>,
    _held: Reservation,
}

impl ReceivedBytes {
    /// Takes the bytes from the task's allowance.
    ///
    /// # Errors
    /// The allowance has no room for them.
    pub fn new(bytes: Vec<u8>, allowance: &Allowance) -> Result<Self, Failure> {
        let held = Reservation::new(allowance, bytes.len()).ok_or_else(over_allowance)?;
        Ok(Self { bytes, _held: held })
    }
}

/// Returns the failure of an operation for which the task's allowance has no room.
pub(super) fn over_allowance() -> Failure {
    plugin_fault(format!("a task may hold {} MiB of bodies, reads and writes", limits::HELD >> 20))
}

/// Returns the failure of an operation on a closed socket.
pub(super) fn closed() -> Failure {
    Failure { kind: FailureKind::Network, detail: "the socket is closed".into() }
}

/// Returns the failure for an error that only a plugin can cause.
pub fn plugin_fault(what: impl Into<Cow<'static, str>>) -> Failure {
    Failure { kind: FailureKind::Plugin, detail: what.into() }
}
