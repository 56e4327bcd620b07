//! One exchange, from the request to the last byte of its reply.

use std::hash::BuildHasher;

use foldhash::quality::FixedState;

use super::body::{self, DecodeError};
use super::body_channel::ChannelGuard;
use super::client::Client;
use super::connection::Connection;
use super::connections::{ConnectionLease, MAX_KEPT};
use super::http2::Http2Outcome;
use super::message::{Decoding, OutgoingRequest, Reply, Request};
use super::session::HttpSession;
use crate::net::{Failure, Meter};

/// Maximum number of attempts: all idle connections of a user may have been closed, and a new one as well.
const MAX_ATTEMPTS: usize = MAX_KEPT + 1;

/// Maximum number of times that a request is sent again because the peer has not processed it.
const MAX_RESENT: usize = 3;

/// Maximum number of HTTP/2 connections that end before a request that waits for a stream is written: a server may end
/// each after a few requests.
const MAX_UNSENT_OVER_HTTP2: usize = 8;

/// Sends one request of a user and receives the reply. `meter` has just been begun; it holds the sample's numbers when
/// the future has finished or was dropped. Dropping the future abandons the exchange and closes its connection (over
/// HTTP/2, its stream).
///
/// A request that was written in part is never sent again, unless the peer says over HTTP/2 that it has not processed
/// it: then the target does not count it either.
///
/// # Errors
/// No connection could be opened, the exchange failed on it, or the content cannot be kept or decoded.
pub(crate) async fn exchange(
    client: &Client,
    session: &HttpSession,
    meter: &Meter,
    request: &Request,
) -> Result<Reply, Failure> {
    let guard = ChannelGuard(request.channel.as_deref());
    // Decoding is the generator's own work, so the exchange ends before it.
    let outcome = send(client, session, meter, request).await;
    if meter.read().end.is_none() {
        let end = client.now();
        meter.update(|measured| measured.end = Some(end));
    }
    if let Some(channel) = guard.0 {
        channel.end(outcome.as_ref().map(|_| ()).map_err(Clone::clone));
    }
    let mut reply = outcome?;
    session.cookies.store_from(&reply.headers, &request.origin, &request.target);
    if request.takes_fingerprint && !reply.body.is_empty() {
        reply.fingerprint = FixedState::default().hash_one(&reply.body);
    }
    reply.is_deferred = request.decoding == Decoding::OnDemand;
    if let Some(allowance) = request.keep_body.as_ref().filter(|_| request.decoding == Decoding::AtOnce) {
        let left = allowance.get() + reply.body.len();
        let limit = request.optional_body.unwrap_or(client.max_body_kept).min(left);
        match body::decode(&reply.headers, reply.body.clone(), limit) {
            Ok(decoded) => {
                allowance.set(left - decoded.len());
                reply.body = decoded;
                let held = reply.held.resize(reply.body.len());
                if let Err(failure) = held {
                    allowance.set(left);
                    reply.body.clear();
                    if request.optional_body.is_none() {
                        return Err(failure);
                    }
                }
            }
            Err(_) if request.optional_body.is_some() => {
                allowance.set(left);
                reply.body.clear();
            }
            // A coding that was not asked for may be a wrong label, or meant for a plugin that decodes it itself.
            Err(DecodeError::Undecodable(_)) if !request.decode => reply.is_encoded = true,
            Err(DecodeError::Undecodable(failure) | DecodeError::TooLarge(failure)) => {
                allowance.set(left);
                return Err(failure);
            }
        }
    }
    Ok(reply)
}

/// Sends a request, on another connection if one turns out to have been closed before anything was written, or if the
/// peer has not processed it. A connection is put back only after a reply that was read to its end; otherwise, also
/// when the future is dropped, it is closed.
async fn send(client: &Client, session: &HttpSession, meter: &Meter, request: &Request) -> Result<Reply, Failure> {
    let connections = &session.connections;
    let (mut unsent_over_http2, mut resent) = (0, 0);
    for _ in 0..MAX_ATTEMPTS {
        let ConnectionLease { connection, fresh } = connections.acquire(client, request, meter).await?;
        let start = if fresh { client.now() } else { meter.read().start };
        let cookie = session.cookies.field(&request.origin, &request.target);
        if cookie.is_some() {
            request.sent_cookie.borrow_mut().clone_from(&cookie);
        }
        let (user_agent, is_last, trace) = (client.user_agent, connections.is_single_use(), meter.trace());
        let link = connections.link();
        let outgoing = OutgoingRequest { request, cookie, user_agent, is_last, trace, link };
        match connection {
            Connection::Http1(connection)
                if request.channel.as_ref().is_some_and(|channel| channel.has_request_content()) =>
            {
                connections.put_back(connection);
                return Err(Failure::protocol("content in pieces can be sent only over HTTP/2"));
            }
            Connection::Http1(mut connection) => {
                if let Some(received) = connection.exchange(client, meter, outgoing, start).await? {
                    if received.reusable {
                        connections.put_back(connection);
                    }
                    return received.reply;
                }
            }
            Connection::Http2(mut connection) => {
                meter.update(|measured| measured.is_http2 = true);
                let exchange = Box::pin(connection.exchange(client, meter, outgoing, start));
                let (failure, is_unsent) = match exchange.await {
                    Http2Outcome::Done(outcome) => return outcome,
                    // A new connection that ends without a word would end so again.
                    Http2Outcome::Unsent(failure) if fresh && !connection.is_going_away() => return Err(failure),
                    Http2Outcome::Unsent(failure) => (failure, !fresh),
                    Http2Outcome::Unprocessed(failure) => (failure, false),
                };
                connections.retire(&request.origin, &connection);
                let (count, most) = match is_unsent {
                    true => (&mut unsent_over_http2, MAX_UNSENT_OVER_HTTP2),
                    false => (&mut resent, MAX_RESENT),
                };
                if *count == most || request.channel.as_ref().is_some_and(|channel| !channel.rewind()) {
                    return Err(failure);
                }
                *count += 1;
                continue;
            }
        }
        if fresh {
            break;
        }
    }
    Err(Failure::network("connection closed before the request"))
}
