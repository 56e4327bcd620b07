//! Operations on the sockets of a user: connect, upgrade, read, write, and the beginning of TLS. A task's activity on
//! its sockets is one sample, so the first operation waits for the user's turn on behalf of all.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::active_time::CountGuard;
use super::operation::Completion;
use super::session::Session;
use super::sockets::{
    InstanceId, IoGuard, OpeningGuard, ReceivedBytes, Reservation, Socket, SocketUpgrade, TurnState, closed,
    over_allowance, plugin_fault,
};
use super::start::RequestStart;
use crate::http::{self, Request};
use crate::net::{Destination, Failure, Stream, StreamTls};

/// Waits until the task may use its sockets. Returns a guard that counts the operation as under way; `None` if the run
/// ends first.
async fn go(session: &Session) -> Option<CountGuard<'_>> {
    wait_for_turn(session).await.then(|| session.task.active_time.go(&session.shared.clock))
}

/// Waits until the task may use its sockets. Returns `false` if the run ends first. Operations of one task are polled
/// one after the other whenever any of them is woken, so those that wait for the first one need no waker.
async fn wait_for_turn(session: &Session) -> bool {
    let turn = &session.task.sockets.turn;
    loop {
        match turn.get() {
            TurnState::Granted => return true,
            TurnState::Refused => return false,
            TurnState::NotRequested => request_turn(session).await,
            TurnState::Waiting => {
                poll_fn(|_| if turn.get() == TurnState::Waiting { Poll::Pending } else { Poll::Ready(()) }).await
            }
        }
    }
}

/// Waits for the user's turn on behalf of all socket operations of the task. If the waiting operation is dropped,
/// another one waits instead.
async fn request_turn(session: &Session) {
    struct TurnGuard<'a>(&'a Cell<TurnState>);
    impl Drop for TurnGuard<'_> {
        fn drop(&mut self) {
            if self.0.get() == TurnState::Waiting {
                self.0.set(TurnState::NotRequested);
            }
        }
    }
    let activity = &session.task.sockets;
    activity.turn.set(TurnState::Waiting);
    let guard = TurnGuard(&activity.turn);
    let start = session.next_turn().await;
    if let Some(RequestStart { at, late }) = start {
        session.task.any_started.set(true);
        activity.meter.begin(at, late);
    }
    guard.0.set(if start.is_some() { TurnState::Granted } else { TurnState::Refused });
}

/// Opens a socket for an instance of a plugin.
pub(crate) async fn connect(session: Rc<Session>, owner: InstanceId, to: Result<Destination, Failure>) -> Completion {
    let Some(_under_way) = go(&session).await else { return Completion::NotStarted };
    let connected = async {
        let _place = OpeningGuard::claim(&session.sockets, owner)?;
        let connector = &session.shared.client.connector;
        let to = to?;
        session.http.begin_on_link(session.shared.clock.now());
        let stream = Stream::open(connector, &to, session.http.connection_owner(), &session.task.sockets.meter).await?;
        pass_round_trips(&session, 1 + u32::from(to.is_secure())).await;
        Ok(session.sockets.add(owner, stream, to.host(), to.is_secure()))
    };
    Completion::Connected(connected.await)
}

/// Sends an upgrade request. Its connection becomes a socket of the instance if the server switches protocols.
pub(crate) async fn upgrade(session: Rc<Session>, owner: InstanceId, request: Result<Request, Failure>) -> Completion {
    let Some(_under_way) = go(&session).await else { return Completion::NotStarted };
    let upgraded = async {
        let _place = OpeningGuard::claim(&session.sockets, owner)?;
        let (client, meter, request) = (&session.shared.client, &session.task.sockets.meter, request?);
        let begun = session.shared.clock.now();
        session.http.begin_on_link(begun);
        let span = session.begin_attempt(meter, &request, begun, 0);
        let reply = http::upgrade(client, &session.http, meter, &request).await;
        if let Some(span) = span {
            session.end_handshake(span, begun, reply.as_ref().err());
        }
        let http::UpgradeReply { status, headers, stream, duration } = reply?;
        // Those of the handshakes, and that of the request.
        pass_round_trips(&session, 2 + u32::from(request.origin.is_https())).await;
        let held = Reservation::new(&session.task.allowance, headers.size()).ok_or_else(over_allowance)?;
        let origin = &request.origin;
        let socket = stream.map(|stream| session.sockets.add(owner, stream, origin.host(), origin.is_https()));
        Ok(SocketUpgrade { status: status.as_u16(), headers, socket, duration, held })
    };
    Completion::Upgraded(upgraded.await)
}

/// Writes all bytes to a socket. `held` is their reservation in the task's allowance; `None` if there was no room.
pub(crate) async fn write(
    session: Rc<Session>,
    socket: Option<Rc<Socket>>,
    bytes: Vec<u8>,
    held: Option<Reservation>,
) -> Completion {
    let Some(_under_way) = go(&session).await else { return Completion::NotStarted };
    let _held = held;
    Completion::Written(match (socket, &_held) {
        (_, None) => Err(over_allowance()),
        (None, _) => Err(closed()),
        (Some(socket), Some(_)) => write_all(&session, &socket, &bytes).await,
    })
}

async fn write_all(session: &Session, socket: &Socket, bytes: &[u8]) -> Result<(), Failure> {
    let mut busy = IoGuard::new(&socket.writing, None)?;
    busy.close_on_drop = Some(socket);
    let mut written = 0;
    while written < bytes.len() {
        let count = poll_fn(|cx| socket.with(|stream| stream.poll_write(cx, &bytes[written..]))).await?;
        if count == 0 {
            return Err(closed());
        }
        written += count;
        session.task.sockets.meter.update(|measured| measured.bytes_out += count as u64);
    }
    poll_fn(|cx| socket.with(|stream| stream.poll_flush(cx))).await?;
    if session.http.link().is_some() {
        socket.linked.note_sent(session.shared.clock.now());
    }
    busy.close_on_drop = None;
    Ok(())
}

/// Reads at most `max_bytes` that have arrived, or waits for them.
pub(crate) async fn read(session: Rc<Session>, socket: Option<Rc<Socket>>, max_bytes: u32) -> Completion {
    let Some(_under_way) = go(&session).await else { return Completion::NotStarted };
    let Some(socket) = socket else { return Completion::Read(Err(closed())) };
    let read = read_some(&session, &socket, max_bytes as usize).await;
    Completion::Read(read.and_then(|bytes| ReceivedBytes::new(bytes, &session.task.allowance)))
}

async fn read_some(session: &Session, socket: &Socket, max_bytes: usize) -> Result<Vec<u8>, Failure> {
    let _busy = IoGuard::new(&socket.reading, None)?;
    let poll_read = |cx: &mut Context<'_>, max_bytes: usize| {
        session.shared.client.with_read_buffer(|buffer| {
            let limit = max_bytes.clamp(1, buffer.len());
            let mut buffer = ReadBuf::new(&mut buffer[..limit]);
            ready!(socket.with(|stream| stream.poll_read(cx, &mut buffer)))?;
            let bytes = buffer.filled().to_vec();
            session.task.sockets.meter.update(|measured| measured.bytes_in += bytes.len() as u64);
            Poll::Ready(Ok(bytes))
        })
    };
    let Some(link) = session.http.link() else { return poll_fn(|cx| poll_read(cx, max_bytes)).await };
    let read = socket.linked.read(link, session.shared.clock, max_bytes.max(1), poll_read).await;
    if socket.is_closed() { Err(closed()) } else { read }
}

/// Waits for a number of round trips over the user's link, if it has one.
async fn pass_round_trips(session: &Session, trips: u32) {
    if let Some(link) = session.http.link() {
        link.wait_round_trips(trips, session.shared.clock).await;
    }
}

/// Begins TLS on a socket in clear.
pub(crate) async fn secure(
    session: Rc<Session>,
    socket: Option<Rc<Socket>>,
    tls: Result<StreamTls, Failure>,
) -> Completion {
    let Some(_under_way) = go(&session).await else { return Completion::NotStarted };
    let Some(socket) = socket else { return Completion::Secured(Err(closed())) };
    Completion::Secured(begin_tls(&session, &socket, tls).await)
}

async fn begin_tls(session: &Session, socket: &Socket, tls: Result<StreamTls, Failure>) -> Result<(), Failure> {
    // Nothing else may pass over the socket meanwhile.
    let mut busy = IoGuard::new(&socket.reading, None)?;
    let _busy = IoGuard::new(&socket.writing, None)?;
    let tls = tls?;
    if socket.is_secure.get() {
        return Err(plugin_fault("TLS has begun on the socket before"));
    }
    busy.close_on_drop = Some(socket);
    refuse_bytes_in_clear(session, socket).await?;
    let stream = socket.take_stream().ok_or_else(closed)?;
    let (connector, meter) = (&session.shared.client.connector, &session.task.sockets.meter);
    let mut securing = pin!(stream.secure(connector, &socket.host, &tls, meter));
    let secured =
        poll_fn(|cx| if socket.is_closed() { Poll::Ready(Err(closed())) } else { securing.as_mut().poll(cx) }).await?;
    pass_round_trips(session, 1).await;
    socket.put_stream(secured);
    socket.is_secure.set(true);
    busy.close_on_drop = None;
    Ok(())
}

/// Fails if bytes have arrived that the plugin has not read. Bytes in clear that it read only after the handshake would
/// pass for bytes under TLS, although anyone on the way may have added them (the fault of CVE-2011-0411).
async fn refuse_bytes_in_clear(session: &Session, socket: &Socket) -> Result<(), Failure> {
    // The runtime notices what has arrived only between two polls.
    tokio::task::yield_now().await;
    if socket.linked.has_bytes_on_link() {
        return Err(bytes_in_clear());
    }
    let mut byte = [0];
    let mut buffer = ReadBuf::new(&mut byte);
    match poll_fn(|cx| Poll::Ready(socket.with(|stream| stream.poll_read(cx, &mut buffer)))).await {
        Poll::Pending => Ok(()),
        Poll::Ready(Err(failure)) => Err(failure),
        Poll::Ready(Ok(())) if buffer.filled().is_empty() => Err(closed_before_tls()),
        Poll::Ready(Ok(())) => {
            session.task.sockets.meter.update(|measured| measured.bytes_in += 1);
            Err(bytes_in_clear())
        }
    }
}

fn bytes_in_clear() -> Failure {
    Failure::protocol("the peer has sent bytes in clear before TLS began")
}

fn closed_before_tls() -> Failure {
    Failure::network("tls: connection closed before the handshake")
}
