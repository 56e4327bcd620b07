//! The connections of one user. An exchange takes an HTTP/1.1 connection out and puts it back only after the last byte
//! of the reply. So dropping the exchange closes the connection, and a half-read reply can never be taken for the
//! answer to the next request. An HTTP/2 connection stays and is used by several exchanges at once.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use tokio::sync::Notify;

use super::client::Client;
use super::connection::{Connection, open};
use super::http1::Http1;
use super::http2::Http2;
use super::message::Request;
use super::passage::TimedLink;
use crate::net::{ConnectionOwner, Failure, Meter, Origin, Version, same_origin};

/// Maximum number of connections, and of origins, that a user keeps. A browser keeps far fewer; a script that generates
/// host names must not fill the memory.
pub(super) const MAX_KEPT: usize = 64;

/// The connections of one user, none at first.
#[derive(Default)]
pub(super) struct Connections {
    /// HTTP/1.1 connections in no exchange, the most recently used one last.
    idle: RefCell<Vec<Http1>>,
    /// Known states of the origins that may speak HTTP/2.
    origins: RefCell<Vec<(Rc<Origin>, OriginState)>>,
    /// True when each connection serves one exchange.
    single_use: Cell<bool>,
    /// The user's number in the whole run.
    user: u32,
    /// The user's link, if it has one.
    link: OnceCell<Box<TimedLink>>,
}

/// A connection for one exchange.
pub(super) struct ConnectionLease {
    /// The connection.
    pub connection: Connection,
    /// True when it was opened for this exchange. Otherwise the peer may have closed it meanwhile.
    pub fresh: bool,
}

impl ConnectionLease {
    const fn reused(connection: Connection) -> Self {
        Self { connection, fresh: false }
    }
}

/// Known state of an origin that may speak HTTP/2.
enum OriginState {
    /// An exchange is opening the first connection; the others wait, because they may be able to share it.
    Opening(Rc<Notify>),
    /// It negotiated HTTP/1.1.
    Http1,
    /// It speaks HTTP/2 on this connection.
    Http2(Http2),
}

impl Connections {
    /// Creates the connections of a user.
    pub(super) fn new(user: u32) -> Self {
        Self { user, ..Self::default() }
    }

    /// Gives the user a link, unless it has one.
    pub(super) fn set_link(&self, link: TimedLink) {
        self.link.get_or_init(|| Box::new(link));
    }

    /// Returns the user's link, if it has one.
    pub(super) fn link(&self) -> Option<&TimedLink> {
        self.link.get().map(|link| &**link)
    }

    /// Returns the part of the user that opening a connection depends on.
    pub(super) fn owner(&self) -> ConnectionOwner {
        ConnectionOwner { user: self.user, receive_buffer: self.link().map(|link| link.link().receive_buffer()) }
    }

    /// Sets whether each connection serves one exchange.
    pub(super) fn set_single_use(&self, once: bool) {
        self.single_use.set(once);
    }

    /// Returns `true` if each connection serves one exchange.
    pub(super) const fn is_single_use(&self) -> bool {
        self.single_use.get()
    }

    /// Closes all idle connections and forgets the origins' states: a new connection may negotiate another version.
    pub(super) fn close(&self) {
        self.idle.borrow_mut().clear();
        self.origins.borrow_mut().clear();
    }

    /// Returns a connection to the request's origin: an open one of the right version if there is one, otherwise a new
    /// one.
    pub(super) async fn acquire(
        &self,
        client: &Client,
        request: &Request,
        meter: &Meter,
    ) -> Result<ConnectionLease, Failure> {
        let (origin, version) = (&request.origin, request.version);
        if self.single_use.get() {
            return Ok(ConnectionLease { connection: self.open(client, origin, version, meter).await?, fresh: true });
        }
        if may_be_http2(origin, version) {
            match self.origin_state(origin, version) {
                Some(OriginState::Http2(connection)) => {
                    return Ok(ConnectionLease::reused(Connection::Http2(connection)));
                }
                // An idle HTTP/1.1 connection does not tell which version would be negotiated: the exchange that opened
                // it may have asked for HTTP/1.1.
                Some(OriginState::Http1) => {}
                Some(OriginState::Opening(_)) | None => {
                    // Boxed, so that an exchange on an open connection does not reserve room for this.
                    if let Some(acquired) = Box::pin(self.negotiate(client, request, meter)).await? {
                        return Ok(acquired);
                    }
                }
            }
        }
        match self.pop_idle(origin) {
            Some(idle) => Ok(ConnectionLease::reused(Connection::Http1(idle))),
            None => Ok(ConnectionLease { connection: self.open(client, origin, version, meter).await?, fresh: true }),
        }
    }

    /// Waits until the version that an origin speaks is known, or negotiates it. `None` if it is HTTP/1.1 and another
    /// exchange has the connection that negotiated it.
    async fn negotiate(
        &self,
        client: &Client,
        request: &Request,
        meter: &Meter,
    ) -> Result<Option<ConnectionLease>, Failure> {
        loop {
            match self.origin_state(&request.origin, request.version) {
                Some(OriginState::Http2(connection)) => {
                    return Ok(Some(ConnectionLease::reused(Connection::Http2(connection))));
                }
                Some(OriginState::Http1) => return Ok(None),
                Some(OriginState::Opening(opening)) => opening.notified().await,
                None => {
                    let connection = self.open_first(client, &request.origin, request.version, meter).await?;
                    return Ok(Some(ConnectionLease { connection, fresh: true }));
                }
            }
        }
    }

    /// Keeps a connection for the next exchange, unless connections serve one exchange each. Must be called only after
    /// the last byte of a reply.
    pub(super) fn put_back(&self, connection: Http1) {
        if self.single_use.get() {
            return;
        }
        let mut idle = self.idle.borrow_mut();
        if idle.len() >= MAX_KEPT {
            idle.remove(0);
        }
        idle.push(connection);
    }

    /// Removes the most recently used connection to an origin: the peer is least likely to have closed it, and surplus
    /// connections grow old.
    fn pop_idle(&self, origin: &Rc<Origin>) -> Option<Http1> {
        let mut idle = self.idle.borrow_mut();
        let index = idle.iter().rposition(|connection| same_origin(&connection.origin, origin))?;
        Some(idle.remove(index))
    }

    /// Gives no more exchanges to a connection over which the peer does not process any. Those on it go on.
    pub(super) fn retire(&self, origin: &Rc<Origin>, retired: &Http2) {
        self.origins.borrow_mut().retain(|(candidate, state)| match state {
            OriginState::Http2(connection) => !(same_origin(candidate, origin) && connection.is(retired)),
            OriginState::Opening(_) | OriginState::Http1 => true,
        });
    }

    /// Returns the state of an origin if it helps with this version. Forgets a connection that was closed.
    fn origin_state(&self, origin: &Rc<Origin>, version: Version) -> Option<OriginState> {
        let mut origins = self.origins.borrow_mut();
        let index = origins.iter().position(|(candidate, _)| same_origin(candidate, origin))?;
        match &origins[index].1 {
            OriginState::Opening(opening) => Some(OriginState::Opening(Rc::clone(opening))),
            OriginState::Http1 if version == Version::Negotiate => Some(OriginState::Http1),
            OriginState::Http2(connection) if !connection.is_closed() => Some(OriginState::Http2(connection.clone())),
            _ => {
                origins.remove(index);
                None
            }
        }
    }

    /// Notes that the first connection to an origin is being opened. Forgets the oldest origin if there are too many.
    fn note_opening(&self, origin: &Rc<Origin>) {
        let mut origins = self.origins.borrow_mut();
        if origins.len() >= MAX_KEPT
            && let Some(oldest) = origins.iter().position(|(_, state)| !matches!(state, OriginState::Opening(_)))
        {
            origins.remove(oldest);
        }
        origins.push((Rc::clone(origin), OriginState::Opening(Rc::default())));
    }

    async fn open(
        &self,
        client: &Client,
        origin: &Rc<Origin>,
        version: Version,
        meter: &Meter,
    ) -> Result<Connection, Failure> {
        let opening = open(client, origin, version, self.owner(), meter);
        let Some(link) = self.link() else { return opening.await };
        // Boxed, so that users without a link do not reserve room for the wait.
        let over_link = Box::pin(async move {
            let connection = opening.await?;
            // A round trip for TCP, and one for TLS 1.3.
            link.wait_round_trips(1 + u32::from(origin.is_https()), client.connector.clock).await;
            Ok(connection)
        });
        over_link.await
    }

    /// Opens the first connection to an origin that may speak HTTP/2.
    async fn open_first(
        &self,
        client: &Client,
        origin: &Rc<Origin>,
        version: Version,
        meter: &Meter,
    ) -> Result<Connection, Failure> {
        let mut negotiation = NegotiationGuard { connections: self, origin, result: None };
        self.note_opening(origin);
        let connection = self.open(client, origin, version, meter).await?;
        negotiation.result = Some(match &connection {
            Connection::Http1(_) => OriginState::Http1,
            Connection::Http2(connection) => OriginState::Http2(connection.clone()),
        });
        Ok(connection)
    }
}

/// Wakes the waiting exchanges when dropped. If there is no result, because connecting failed or was abandoned, one of
/// them opens the connection itself.
struct NegotiationGuard<'a> {
    connections: &'a Connections,
    origin: &'a Rc<Origin>,
    result: Option<OriginState>,
}

impl Drop for NegotiationGuard<'_> {
    fn drop(&mut self) {
        let mut origins = self.connections.origins.borrow_mut();
        let Some(index) = origins.iter().position(|(candidate, _)| same_origin(candidate, self.origin)) else { return };
        let (origin, opening) = origins.remove(index);
        if let Some(state) = self.result.take() {
            origins.push((origin, state));
        }
        if let OriginState::Opening(waiting) = opening {
            waiting.notify_waiters();
        }
    }
}

/// Returns `true` if the version is HTTP/2, or only a connection can tell.
fn may_be_http2(origin: &Origin, version: Version) -> bool {
    match version {
        Version::Negotiate => origin.is_https(),
        Version::Http1 => false,
        Version::Http2 => true,
    }
}
