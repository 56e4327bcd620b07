//! Operations on the sockets of a user: connect, upgrade, read and write. What a task does on its sockets is one sample, so
//! the first of them waits for the user's turn on behalf of all.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::operation::Ended;
use super::session::Session;
use super::sockets::{Busy, Held, InstanceId, Place, Received, Socket, Turn, Upgraded, closed, too_much};
use super::start::Start;
use crate::http::{self, Request};
use crate::net::{Destination, Failure, Stream};

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
        let stream = Stream::open(&session.shared.client.connector, &to?, &session.task.sockets.meter).await?;
        Ok(session.sockets.keep(owner, stream))
    };
    Ended::Connected(connected.await)
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
        Ok(Upgraded { status: status.as_u16(), headers, socket, duration, held })
    };
    Ended::Upgraded(upgraded.await)
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
