//! One exchange, from the request to the last byte of its reply.

use super::body;
use super::body_channel::ChannelGuard;
use super::client::Client;
use super::connection::Connection;
use super::connections::{ConnectionLease, MAX_KEPT};
use super::message::{Reply, Request};
use super::session::HttpSession;
use crate::net::{Failure, Meter};

/// All idle connections of a user may have been closed, and a new one besides.
const MAX_ATTEMPTS: usize = MAX_KEPT + 1;

/// Sends one request of a user and receives the reply. `meter` has just been begun; it holds the sample's numbers when
/// the future has finished or was dropped. Dropping the future gives the exchange up and closes its connection (over
/// HTTP/2, its stream).
///
/// A request that was written in part is never sent again, whatever happens.
pub async fn exchange(
    client: &Client,
    session: &HttpSession,
    meter: &Meter,
    request: &Request,
) -> Result<Reply, Failure> {
    let guard = ChannelGuard(request.flow.as_deref());
    // Decoding is the generator's own work, so the exchange has ended before it.
    let outcome = send(client, session, meter, request).await;
    if meter.read().end.is_none() {
        let end = client.now();
        meter.update(|measured| measured.end = Some(end));
    }
    if let Some(flow) = guard.0 {
        flow.end(outcome.as_ref().map(|_| ()).map_err(Clone::clone));
    }
    let mut reply = outcome?;
    session.cookies.store_from(&reply.headers, &request.origin, &request.target);
    if let (true, Some(allowance)) = (request.decode, &request.keep_body) {
        let left = allowance.get() + reply.body.len();
        reply.body = body::decode(&reply.headers, reply.body, client.max_body_kept.min(left))?;
        allowance.set(left - reply.body.len());
    }
    Ok(reply)
}

/// Sends, on another connection if one turns out to have been closed before anything was written. A connection is put
/// back only after a reply that was read to its end; on every other way out, that of a dropped future included, it is
/// closed.
async fn send(client: &Client, session: &HttpSession, meter: &Meter, request: &Request) -> Result<Reply, Failure> {
    let connections = &session.connections;
    let mut over_http2 = 0;
    for _ in 0..MAX_ATTEMPTS {
        let ConnectionLease { connection, fresh } = connections.acquire(client, request, meter).await?;
        let start = if fresh { client.now() } else { meter.read().start };
        let cookie = session.cookies.field(&request.origin, &request.target);
        match connection {
            Connection::Http1(connection) if request.flow.as_ref().is_some_and(|flow| flow.has_request_content()) => {
                connections.put_back(connection);
                return Err(Failure::protocol("content in pieces is sent over HTTP/2 alone"));
            }
            Connection::Http1(mut connection) => {
                let last = connections.is_single_use();
                if let Some(received) = connection.exchange(client, meter, (request, cookie, last), start).await? {
                    if received.reusable {
                        connections.put_back(connection);
                    }
                    return received.reply;
                }
            }
            Connection::Http2(mut connection) => {
                let exchange = Box::pin(connection.exchange(client, meter, (request, cookie), start));
                if let Some(outcome) = exchange.await {
                    return outcome;
                }
                over_http2 += 1;
            }
        }
        // A second connection is tried; a third would be turned away as well.
        if fresh || over_http2 == 2 {
            break;
        }
    }
    Err(Failure::network("connection closed before the request"))
}
