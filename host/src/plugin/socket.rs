//! The sockets of one user: byte streams that outlive the task that opened them, each seen by nobody but the instance of
//! the plugin that did.
//!
//! What a task does on its sockets is one sample: it waits for the user's turn once, before its first operation, and
//! ends with the task.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::http::{self, Allowance, Destination, Failure, HeaderSection, Meter, Request, Stream};
use crate::metrics::sample::FailureKind;
use crate::run::clock::Nanos;

use super::family::InstanceId;
use super::limits;
use super::operation::Ended;
use super::session::{Session, Start};

/// A socket's number among those of its user.
pub type SocketId = u32;

/// The open sockets of one user.
#[derive(Default)]
pub struct Sockets {
    open: RefCell<Vec<Entry>>,
    /// Whose are being opened.
    opening: RefCell<Vec<InstanceId>>,
    given: Cell<u32>,
}

struct Entry {
    owner: InstanceId,
    id: SocketId,
    socket: Rc<Socket>,
}

/// An open socket. Reads and writes under way hold on to it when it is closed, and fail.
pub struct Socket {
    stream: RefCell<Option<Stream>>,
    reading: Cell<bool>,
    writing: Cell<bool>,
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
    fn keep(&self, owner: InstanceId, stream: Stream) -> SocketId {
        let id = self.given.replace(self.given.get() + 1);
        let socket =
            Socket { stream: RefCell::new(Some(stream)), reading: Cell::new(false), writing: Cell::new(false) };
        self.open.borrow_mut().push(Entry { owner, id, socket: Rc::new(socket) });
        id
    }

    /// Closes what nobody can use any more: sockets of instances that this one has replaced.
    pub fn outlive(&self, owner: InstanceId) {
        self.retain(|entry| entry.owner.plugin != owner.plugin || entry.owner == owner);
    }

    fn retain(&self, keep: impl Fn(&Entry) -> bool) {
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
    fn with<T>(&self, io: impl FnOnce(Pin<&mut Stream>) -> Poll<io::Result<T>>) -> Poll<Result<T, Failure>> {
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
struct Busy<'a> {
    flag: &'a Cell<bool>,
    /// Closed if the operation is given up: nobody knows how much of a write has been sent.
    unless_done: Option<&'a Socket>,
}

impl<'a> Busy<'a> {
    fn new(flag: &'a Cell<bool>, unless_done: Option<&'a Socket>) -> Result<Self, Failure> {
        if flag.replace(true) {
            return Err(misused("another operation of that kind is under way on the socket"));
        }
        Ok(Self { flag, unless_done })
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.flag.set(false);
        if let Some(socket) = self.unless_done {
            socket.close();
        }
    }
}

/// Bytes taken from what a task may hold, given back when they are gone.
pub struct Held {
    allowance: Allowance,
    bytes: usize,
}

impl Held {
    /// So many bytes, if the task may hold as many more.
    pub fn new(allowance: &Allowance, bytes: usize) -> Option<Self> {
        allowance.set(allowance.get().checked_sub(bytes)?);
        Some(Self { allowance: Rc::clone(allowance), bytes })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.allowance.set(self.allowance.get() + self.bytes);
    }
}

/// How far the sockets of a task have come.
#[derive(Default)]
pub struct Activity {
    turn: Cell<Turn>,
    /// The sample of it all.
    pub meter: Meter,
    /// The last failure, which counts if the task fails.
    pub failure: RefCell<Option<Failure>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Turn {
    /// No operation has been polled yet.
    #[default]
    Unasked,
    /// One waits for it, and the others for that one.
    Awaited,
    /// It came.
    Taken,
    /// The run ended first.
    Refused,
}

impl Activity {
    /// Forgets the previous task.
    pub fn begin(&self) {
        self.turn.set(Turn::Unasked);
        self.failure.take();
    }

    /// Whether anything was done on a socket.
    pub fn has_begun(&self) -> bool {
        self.turn.get() == Turn::Taken
    }
}

/// Waits until the task may use its sockets; `false` if the run ends first. Operations of one task are polled one after
/// the other whenever any of them is woken, so those that wait for the first one need no waker.
async fn turn(session: &Session) -> bool {
    let turn = &session.task.sockets.turn;
    loop {
        match turn.get() {
            Turn::Taken => return true,
            Turn::Refused => return false,
            Turn::Unasked => ask(session).await,
            Turn::Awaited => {
                poll_fn(|_| if turn.get() == Turn::Awaited { Poll::Pending } else { Poll::Ready(()) }).await
            }
        }
    }
}

/// Waits for the user's turn on behalf of all socket operations of the task. If the one that waits is given up, another
/// one asks.
async fn ask(session: &Session) {
    struct Asked<'a>(&'a Cell<Turn>);
    impl Drop for Asked<'_> {
        fn drop(&mut self) {
            if self.0.get() == Turn::Awaited {
                self.0.set(Turn::Unasked);
            }
        }
    }
    let activity = &session.task.sockets;
    activity.turn.set(Turn::Awaited);
    let asked = Asked(&activity.turn);
    let came = session.turn().await;
    if let Some(Start { at, late }) = came {
        session.task.begun_any.set(true);
        activity.meter.begin(at, late);
    }
    asked.0.set(if came.is_some() { Turn::Taken } else { Turn::Refused });
}

/// Opens a socket for an instance.
pub async fn connect(session: Rc<Session>, owner: InstanceId, to: Result<Destination, Failure>) -> Ended {
    if !turn(&session).await {
        return Ended::NotStarted;
    }
    let connected = async {
        let _place = Place::of(&session.sockets, owner)?;
        let stream = Stream::open(&session.shared.client, &to?, &session.task.sockets.meter).await?;
        Ok(session.sockets.keep(owner, stream))
    };
    Ended::Connected(connected.await)
}

/// What a server answered to a request for its connection.
pub struct Upgraded {
    /// The status.
    pub status: u16,
    /// The header section.
    pub headers: HeaderSection,
    /// The socket, if the server switches.
    pub socket: Option<SocketId>,
    /// From the request to the head of the reply.
    pub duration: Nanos,
    /// For the header section, until it is handed over.
    _held: Held,
}

/// Sends a request for its connection, which becomes a socket of the instance if the server switches.
pub async fn upgrade(session: Rc<Session>, owner: InstanceId, request: Result<Request, Failure>) -> Ended {
    if !turn(&session).await {
        return Ended::NotStarted;
    }
    let upgraded = async {
        let _place = Place::of(&session.sockets, owner)?;
        let (client, meter) = (&session.shared.client, &session.task.sockets.meter);
        let http::Switched { status, headers, stream, duration } =
            http::upgrade(client, &session.http, meter, &request?).await?;
        let held = Held::new(&session.task.allowance, headers.size()).ok_or_else(too_much)?;
        let socket = stream.map(|stream| session.sockets.keep(owner, stream));
        Ok(Upgraded { status: status.as_u16(), headers, socket, duration, _held: held })
    };
    Ended::Upgraded(upgraded.await)
}

/// A socket that is being opened, among those that a plugin may have.
struct Place<'a>(&'a Sockets, InstanceId);

impl<'a> Place<'a> {
    fn of(sockets: &'a Sockets, owner: InstanceId) -> Result<Self, Failure> {
        let open = sockets.open.borrow().iter().filter(|entry| entry.owner == owner).count();
        let mut opening = sockets.opening.borrow_mut();
        let coming = opening.iter().filter(|known| **known == owner).count();
        if open + coming >= limits::SOCKETS {
            return Err(misused(format!("a user may have {} open sockets", limits::SOCKETS)));
        }
        opening.push(owner);
        Ok(Self(sockets, owner))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut opening = self.0.opening.borrow_mut();
        if let Some(index) = opening.iter().position(|known| *known == self.1) {
            opening.swap_remove(index);
        }
    }
}

/// Writes all of these bytes, which the task may hold as long.
pub async fn write(session: Rc<Session>, socket: Option<Rc<Socket>>, bytes: Vec<u8>, held: Option<Held>) -> Ended {
    if !turn(&session).await {
        return Ended::NotStarted;
    }
    let _held = held;
    Ended::Written(match (socket, &_held) {
        (_, None) => Err(too_much()),
        (None, _) => Err(closed()),
        (Some(socket), Some(_)) => write_all(&session, &socket, &bytes).await,
    })
}

async fn write_all(session: &Session, socket: &Socket, bytes: &[u8]) -> Result<(), Failure> {
    let mut busy = Busy::new(&socket.writing, None)?;
    busy.unless_done = Some(socket);
    let mut written = 0;
    while written < bytes.len() {
        let count = poll_fn(|cx| socket.with(|stream| stream.poll_write(cx, &bytes[written..]))).await?;
        if count == 0 {
            return Err(closed());
        }
        written += count;
        session.task.sockets.meter.note(|measured| measured.bytes_out += count as u64);
    }
    poll_fn(|cx| socket.with(|stream| stream.poll_flush(cx))).await?;
    busy.unless_done = None;
    Ok(())
}

/// Reads what has arrived, or waits for it: at most so many bytes.
pub async fn read(session: Rc<Session>, socket: Option<Rc<Socket>>, most: u32) -> Ended {
    if !turn(&session).await {
        return Ended::NotStarted;
    }
    let Some(socket) = socket else { return Ended::Read(Err(closed())) };
    let read = read_some(&session, &socket, most as usize).await;
    Ended::Read(read.and_then(|bytes| Received::new(bytes, &session.task.allowance)))
}

/// Bytes that were read and not yet handed over.
pub struct Received {
    /// The bytes.
    pub bytes: Vec<u8>,
    _held: Held,
}

impl Received {
    /// Bytes that the task holds from now on.
    ///
    /// # Errors
    /// It would hold more than it may.
    pub fn new(bytes: Vec<u8>, allowance: &Allowance) -> Result<Self, Failure> {
        let held = Held::new(allowance, bytes.len()).ok_or_else(too_much)?;
        Ok(Self { bytes, _held: held })
    }
}

/// The task would hold more than it may.
fn too_much() -> Failure {
    misused(format!("a task may hold {} MiB of bodies, reads and writes", limits::HELD >> 20))
}

async fn read_some(session: &Session, socket: &Socket, most: usize) -> Result<Vec<u8>, Failure> {
    let _busy = Busy::new(&socket.reading, None)?;
    poll_fn(|cx| {
        session.shared.client.with_read_buffer(|buffer| {
            let most = most.clamp(1, buffer.len());
            let mut buffer = ReadBuf::new(&mut buffer[..most]);
            ready!(socket.with(|stream| stream.poll_read(cx, &mut buffer)))?;
            let bytes = buffer.filled().to_vec();
            session.task.sockets.meter.note(|measured| measured.bytes_in += bytes.len() as u64);
            Poll::Ready(Ok(bytes))
        })
    })
    .await
}

fn closed() -> Failure {
    Failure { kind: FailureKind::Network, detail: "the socket is closed".into() }
}

/// What only a plugin can do wrong.
pub fn misused(what: impl Into<Cow<'static, str>>) -> Failure {
    Failure { kind: FailureKind::Plugin, detail: what.into() }
}
