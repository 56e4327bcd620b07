//! The connections of one user. An exchange takes an HTTP/1.1 connection out, so that dropping the exchange closes it
//! and a half-read reply can never be taken for the answer to the next request; only after the last byte is it put
//! back. An HTTP/2 connection stays and is used by several exchanges at once.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use tokio::sync::Notify;

use super::client::Client;
use super::connection::{Connection, Http1, Http2, open};
use super::failure::Failure;
use super::message::Version;
use super::origin::{Origin, same};
use super::timing::Meter;

/// Most connections, and most origins, that a user keeps. Far more than a browser does; a script that makes up host names
/// must not fill the memory.
const MOST_KEPT: usize = 64;

/// The connections of one user, none at first.
#[derive(Default)]
pub(super) struct Connections {
    /// HTTP/1.1 connections in no exchange, the one used last at the end.
    #[allow(clippy::vec_box, reason = "a connection goes in and out with every exchange; moving a pointer is cheaper")]
    idle: RefCell<Vec<Box<Http1>>>,
    /// What is known of the origins that may speak HTTP/2.
    origins: RefCell<Vec<(Rc<Origin>, Known)>>,
}

/// What is known of an origin that may speak HTTP/2.
enum Known {
    /// An exchange is finding out; the others wait, for they may be able to share its connection.
    Opening(Rc<Notify>),
    /// It negotiated HTTP/1.1.
    Http1,
    /// It speaks HTTP/2 on this connection.
    Http2(Http2),
}

impl Connections {
    /// A connection to the origin: an open one if there is one, else a new one.
    pub async fn acquire(
        &self,
        client: &Client,
        origin: &Rc<Origin>,
        version: Version,
        meter: &Meter,
    ) -> Result<Connection, Failure> {
        if let Some(idle) = self.take_idle(origin, version).await {
            return Ok(Connection::Http1(idle));
        }
        if may_be_http2(origin, version) {
            self.negotiated(client, origin, version, meter).await
        } else {
            open(client, origin, version, meter).await
        }
    }

    /// A connection to an origin that may speak HTTP/2: the shared one, if it does.
    async fn negotiated(
        &self,
        client: &Client,
        origin: &Rc<Origin>,
        version: Version,
        meter: &Meter,
    ) -> Result<Connection, Failure> {
        loop {
            match self.known(origin, version) {
                Some(Known::Http2(connection)) => return Ok(Connection::Http2(connection)),
                Some(Known::Http1) => return open(client, origin, version, meter).await,
                Some(Known::Opening(opening)) => opening.notified().await,
                None => return self.find_out(client, origin, version, meter).await,
            }
        }
    }

    /// Keeps a connection for the next exchange if it can serve one. Call it after the last byte of a reply.
    pub fn put_back(&self, connection: Connection) {
        if let Connection::Http1(connection) = connection
            && connection.is_ready()
        {
            let mut idle = self.idle.borrow_mut();
            if idle.len() >= MOST_KEPT {
                idle.remove(0);
            }
            idle.push(connection);
        }
    }

    /// An idle connection that its peer has not closed. Those that were closed, or on which something arrived unasked,
    /// are dropped.
    async fn take_idle(&self, origin: &Rc<Origin>, version: Version) -> Option<Box<Http1>> {
        if version == Version::Http2 {
            return None;
        }
        poll_fn(|cx| {
            while let Some(mut connection) = self.pop_idle(origin) {
                connection.drive(cx);
                if connection.is_ready() {
                    return Poll::Ready(Some(connection));
                }
            }
            Poll::Ready(None)
        })
        .await
    }

    /// The one used last: it is the least likely to be closed, and those that are not needed grow old.
    fn pop_idle(&self, origin: &Rc<Origin>) -> Option<Box<Http1>> {
        let mut idle = self.idle.borrow_mut();
        let index = idle.iter().rposition(|connection| same(&connection.origin, origin))?;
        Some(idle.remove(index))
    }

    /// What is known of the origin, as far as it helps; forgets a connection that was closed.
    fn known(&self, origin: &Rc<Origin>, version: Version) -> Option<Known> {
        let mut origins = self.origins.borrow_mut();
        let index = origins.iter().position(|(known, _)| same(known, origin))?;
        match &origins[index].1 {
            Known::Opening(opening) => Some(Known::Opening(Rc::clone(opening))),
            Known::Http1 if version == Version::Negotiate => Some(Known::Http1),
            Known::Http2(connection) if !connection.is_closed() => Some(Known::Http2(connection.clone())),
            _ => {
                origins.remove(index);
                None
            }
        }
    }

    /// Notes that an origin's version is being found out, in place of the origin known longest if there are many.
    fn note(&self, origin: &Rc<Origin>) {
        let mut origins = self.origins.borrow_mut();
        if origins.len() >= MOST_KEPT
            && let Some(oldest) = origins.iter().position(|(_, known)| !matches!(known, Known::Opening(_)))
        {
            origins.remove(oldest);
        }
        origins.push((Rc::clone(origin), Known::Opening(Rc::default())));
    }

    /// Opens the first connection to an origin that may speak HTTP/2.
    async fn find_out(
        &self,
        client: &Client,
        origin: &Rc<Origin>,
        version: Version,
        meter: &Meter,
    ) -> Result<Connection, Failure> {
        let mut finding = Finding { connections: self, origin, found: None };
        self.note(origin);
        let connection = open(client, origin, version, meter).await?;
        finding.found = Some(match &connection {
            Connection::Http1(_) => Known::Http1,
            Connection::Http2(connection) => Known::Http2(connection.clone()),
        });
        Ok(connection)
    }
}

/// Tells the waiting exchanges what was found out; if nothing was, because connecting failed or was given up, they find
/// out themselves.
struct Finding<'a> {
    connections: &'a Connections,
    origin: &'a Rc<Origin>,
    found: Option<Known>,
}

impl Drop for Finding<'_> {
    fn drop(&mut self) {
        let mut origins = self.connections.origins.borrow_mut();
        let Some(index) = origins.iter().position(|(known, _)| same(known, self.origin)) else { return };
        let (origin, opening) = origins.remove(index);
        if let Some(found) = self.found.take() {
            origins.push((origin, found));
        }
        if let Known::Opening(waiting) = opening {
            waiting.notify_waiters();
        }
    }
}

/// Whether only a connection can tell which version will be spoken, or it is HTTP/2.
fn may_be_http2(origin: &Origin, version: Version) -> bool {
    match version {
        Version::Negotiate => origin.is_https(),
        Version::Http1 => false,
        Version::Http2 => true,
    }
}
