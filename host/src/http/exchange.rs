//! One exchange, from the request to the last byte of its reply.

use std::mem;
use std::rc::Rc;

use hyper::Response;
use hyper::body::Incoming;
use hyper::http::uri::PathAndQuery;

use super::body::{self, Kept};
use super::client::Client;
use super::connection::Connection;
use super::failure::Failure;
use super::message::{self, Message, Reply, Request, Version};
use super::origin::Origin;
use super::session::Session;
use super::timing::{Charge, Meter};
use crate::run::clock::Nanos;

/// Sends one request of a user and receives the reply. `meter` is begun anew; it holds the sample's numbers when the
/// future has finished or was dropped. Dropping the future gives the exchange up and closes its connection (over
/// HTTP/2, its stream).
///
/// A request that was written in part is never sent again, whatever happens.
pub async fn exchange(client: &Client, session: &Session, meter: &Meter, request: Request) -> Result<Reply, Failure> {
    meter.begin(client.now());
    let call = Call::new(client, session, meter, &request);
    let decode = request.decode;
    // Decoding is the generator's own work, so the exchange has ended before it.
    let outcome = call.run(message::compose(request)).await;
    meter.note(|measured| measured.end = Some(client.now()));
    let mut reply = outcome?;
    session.cookies.learn(&reply.headers, &call.origin, &call.target);
    if decode {
        reply.body = body::decode(&reply.headers, reply.body, client.max_body_kept)?;
    }
    Ok(reply)
}

/// What stays the same throughout an exchange.
struct Call<'a> {
    client: &'a Client,
    session: &'a Session,
    meter: &'a Meter,
    origin: Rc<Origin>,
    target: PathAndQuery,
    version: Version,
    keep_body: bool,
}

impl<'a> Call<'a> {
    fn new(client: &'a Client, session: &'a Session, meter: &'a Meter, request: &Request) -> Self {
        let Request { version, keep_body, .. } = *request;
        let (origin, target) = (Rc::clone(&request.origin), request.target.clone());
        Self { client, session, meter, origin, target, version, keep_body }
    }

    /// Sends, on a second connection if the first turns out to have been closed before anything was written.
    async fn run(&self, mut message: Message) -> Result<Reply, Failure> {
        self.session.cookies.attach(message.headers_mut(), &self.origin, &self.target);
        for _ in 0..2 {
            if let Some(outcome) = self.attempt(&mut message).await {
                return outcome;
            }
        }
        Err(Failure::network("connection closed before the request"))
    }

    /// Sends on one connection; takes the message. A connection is put back only after a reply that was read to its end;
    /// on every other way out, that of a dropped future included, it is closed.
    ///
    /// `None`, and the message is back, if none of it was written.
    async fn attempt(&self, message: &mut Message) -> Option<Result<Reply, Failure>> {
        let connections = &self.session.connections;
        let mut connection = match connections.acquire(self.client, &self.origin, self.version, self.meter).await {
            Ok(connection) => connection,
            Err(failure) => return Some(Err(failure)),
        };
        let charge = Charge { meter: self.meter, traffic: Rc::clone(connection.traffic()) };
        message::address(message, &self.origin, &self.target, connection.is_http2());
        let sent = self.client.now();
        let response = match connection.send(mem::take(message)).await {
            Ok(response) => response,
            Err(mut error) => {
                let Some(unsent) = error.take_message() else {
                    // An HTTP/2 connection has received settings before any reply.
                    let reply_begun = !connection.is_http2() && charge.traffic.has_received();
                    return Some(Err(Failure::of_exchange(error.error(), reply_begun)));
                };
                *message = unsent;
                return None;
            }
        };
        match self.receive(&mut connection, response, sent).await {
            Ok(outcome) => {
                connections.put_back(connection);
                Some(outcome)
            }
            Err(error) => Some(Err(Failure::of_exchange(&error, true))),
        }
    }

    /// Receives what follows the header section.
    async fn receive(
        &self,
        connection: &mut Connection,
        response: Response<Incoming>,
        sent: Nanos,
    ) -> hyper::Result<Result<Reply, Failure>> {
        let begun = self.client.now();
        let (head, incoming) = response.into_parts();
        self.meter.note(|measured| {
            measured.status = head.status.as_u16();
            measured.phases.first_byte = Some(begun - sent);
        });
        let mut kept = self.keep_body.then(|| Kept::new(self.client.max_body_kept));
        body::receive(connection, incoming, self.meter, kept.as_mut()).await?;
        self.meter.note(|measured| measured.phases.receive = Some(self.client.now() - begun));
        let content = kept.map_or_else(|| Ok(Default::default()), Kept::finish);
        Ok(content.map(|body| Reply { status: head.status, version: head.version, headers: head.headers, body }))
    }
}
