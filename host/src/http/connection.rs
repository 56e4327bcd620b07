//! The connections of one user. An exchange takes an HTTP/1.1 connection out, so that dropping the exchange closes it
//! and a half-read reply can never be taken for the answer to the next request; only after the last byte is it put
//! back. An HTTP/2 connection stays and is used by several exchanges at once.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::rt::Executor;
use hyper_util::rt::TokioIo;
use tokio::sync::Notify;

use super::client::Client;
use super::connect::{self, Transport};
use super::failure::Failure;
use super::message::{Message, Version};
use super::origin::{Origin, same};
use super::timing::{Meter, Metered, Traffic};

type Io = TokioIo<Metered<Transport>>;

/// One connection with no other exchange in its way.
pub(super) enum Connection {
    /// Owned until it is put back.
    Http1(Box<Http1>),
    /// Shared with the user's other exchanges.
    Http2(Http2),
}

/// An HTTP/1.1 connection and what drives it: nobody but the exchange it is used for.
pub(super) struct Http1 {
    origin: Rc<Origin>,
    sender: http1::SendRequest<Full<Bytes>>,
    /// `None` once the connection is closed. Dropping it makes hyper hand back what it never sent.
    driver: Option<http1::Connection<Io, Full<Bytes>>>,
    traffic: Rc<Traffic>,
}

/// An HTTP/2 connection, driven by a task of its own that ends with the last clone.
#[derive(Clone)]
pub(super) struct Http2 {
    sender: http2::SendRequest<Full<Bytes>>,
    traffic: Rc<Traffic>,
}

/// The connections of one user, none at first.
#[derive(Default)]
pub(super) struct Connections {
    /// HTTP/1.1 connections in no exchange, the one used last at the end.
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
        if !may_be_http2(origin, version) {
            return open(client, origin, version, meter).await;
        }
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
            self.idle.borrow_mut().push(connection);
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
            Known::Http2(connection) if !connection.sender.is_closed() => Some(Known::Http2(connection.clone())),
            _ => {
                origins.swap_remove(index);
                None
            }
        }
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
        self.origins.borrow_mut().push((Rc::clone(origin), Known::Opening(Rc::default())));
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
        let (origin, opening) = origins.swap_remove(index);
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

async fn open(client: &Client, origin: &Rc<Origin>, version: Version, meter: &Meter) -> Result<Connection, Failure> {
    let opened = connect::open(client, origin, version, meter).await?;
    let traffic = Rc::new(Traffic::default());
    let io = TokioIo::new(Metered::new(opened.transport, Rc::clone(&traffic)));
    let failed = |error| Failure::of_exchange(&error, false);
    if opened.http2 {
        let (sender, driver) = client.http2.handshake(io).await.map_err(failed)?;
        // How the connection ends is told to the exchanges on it.
        tokio::task::spawn_local(async move { driver.await.unwrap_or_default() });
        return Ok(Connection::Http2(Http2 { sender, traffic }));
    }
    let (sender, driver) = client.http1.handshake(io).await.map_err(failed)?;
    let origin = Rc::clone(origin);
    Ok(Connection::Http1(Box::new(Http1 { origin, sender, driver: Some(driver), traffic })))
}

impl Connection {
    /// Whether it speaks HTTP/2.
    pub fn is_http2(&self) -> bool {
        matches!(self, Self::Http2(_))
    }

    /// Its byte counts.
    pub fn traffic(&self) -> &Rc<Traffic> {
        match self {
            Self::Http1(connection) => &connection.traffic,
            Self::Http2(connection) => &connection.traffic,
        }
    }

    /// Sends a request and waits for the reply's header section. The message comes back with the error if none of it
    /// was written.
    pub async fn send(&mut self, message: Message) -> Result<Response<Incoming>, TrySendError<Message>> {
        match self {
            Self::Http1(connection) => {
                let mut reply = pin!(connection.sender.try_send_request(message));
                poll_fn(|cx| {
                    connection.drive(cx);
                    reply.as_mut().poll(cx)
                })
                .await
            }
            Self::Http2(connection) => connection.sender.try_send_request(message).await,
        }
    }

    /// Moves bytes, if that is not done by a task.
    pub fn drive(&mut self, cx: &mut Context<'_>) {
        if let Self::Http1(connection) = self {
            connection.drive(cx);
        }
    }
}

impl Http1 {
    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(driver) = &mut self.driver
            && Pin::new(driver).poll(cx).is_ready()
        {
            self.driver = None;
        }
    }

    fn is_ready(&self) -> bool {
        self.driver.is_some() && self.sender.is_ready()
    }
}

/// Runs what hyper spawns for HTTP/2 on this thread.
#[derive(Clone, Copy)]
pub(super) struct LocalTasks;

impl<F: Future + 'static> Executor<F> for LocalTasks {
    fn execute(&self, task: F) {
        tokio::task::spawn_local(async move { drop(task.await) });
    }
}
