//! One connection, and who drives it. An HTTP/1.1 connection is driven by the exchange it is used for: hyper's
//! connection future is polled in the same place as the reply that is waited for, so that a reply wakes one task and
//! not two. An HTTP/2 connection serves several exchanges and is driven by a task of its own.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Context;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::rt::Executor;
use hyper_util::rt::TokioIo;

use super::client::Client;
use super::connect::{self, Transport};
use super::failure::Failure;
use super::message::{Message, Version};
use super::origin::Origin;
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
    /// Where it leads.
    pub origin: Rc<Origin>,
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

/// Opens a connection. Boxed, so that an exchange on an open connection does not carry the room for opening one.
pub(super) fn open<'a>(
    client: &'a Client,
    origin: &'a Rc<Origin>,
    version: Version,
    meter: &'a Meter,
) -> Pin<Box<impl Future<Output = Result<Connection, Failure>> + use<'a>>> {
    Box::pin(establish(client, origin, version, meter))
}

/// Opens the stream, and starts the protocol on it.
async fn establish(
    client: &Client,
    origin: &Rc<Origin>,
    version: Version,
    meter: &Meter,
) -> Result<Connection, Failure> {
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
                // The request is only queued here; the first poll of the connection writes it.
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
    /// Reads and writes what it can, and notices when the peer has closed. On an idle connection it is what hyper needs
    /// to become ready for the next request.
    pub fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(driver) = &mut self.driver
            && Pin::new(driver).poll(cx).is_ready()
        {
            self.driver = None;
        }
    }

    /// Whether it can take a request: it is open and its last reply is complete.
    pub fn is_ready(&self) -> bool {
        self.driver.is_some() && self.sender.is_ready()
    }
}

impl Http2 {
    /// Whether it takes no more requests.
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
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
