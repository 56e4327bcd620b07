//! One connection, in the version that was negotiated.

use std::pin::Pin;
use std::rc::Rc;

use super::client::Client;
use super::http1::Http1;
use super::http2::Http2;
use crate::net::{self, ConnectionOwner, Failure, Meter, Origin, Version};

/// A connection that an exchange can use at once.
pub(super) enum Connection {
    /// A connection that the exchange owns until it is put back.
    Http1(Http1),
    /// A connection shared with the user's other exchanges.
    Http2(Http2),
}

/// Opens a connection for a user. The future is boxed, so that an exchange on an open connection does not reserve room
/// for it.
pub(super) fn open<'a>(
    client: &'a Client,
    origin: &'a Rc<Origin>,
    version: Version,
    owner: ConnectionOwner,
    meter: &'a Meter,
) -> Pin<Box<impl Future<Output = Result<Connection, Failure>> + use<'a>>> {
    Box::pin(async move {
        let opened = net::open(&client.connector, origin, version, owner, meter).await?;
        if opened.http2 {
            return Http2::start(client, opened.transport, owner.receive_buffer).await.map(Connection::Http2);
        }
        Ok(Connection::Http1(Http1::new(Rc::clone(origin), opened.transport)))
    })
}
