//! A request that asks to upgrade its connection (RFC 9110 section 7.8), such as the handshake of a WebSocket. It has a
//! connection of its own, which ends or becomes a byte stream for another protocol, so it shares with the exchanges
//! only the writing and parsing of heads.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::pin::Pin;
use std::task::ready;

use hyper::{Method, StatusCode};
use stampede_time::Nanos;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};

use super::super::client::Client;
use super::super::header_section::HeaderSection;
use super::super::message::{OutgoingRequest, Request};
use super::super::session::HttpSession;
use super::reply::{self, ReplyHead};
use super::request;
use crate::net::{Destination, Failure, Meter, Stream};

/// A server's answer to an upgrade request.
pub(crate) struct UpgradeReply {
    /// The status, never informational except 101.
    pub status: StatusCode,
    /// The header section.
    pub headers: HeaderSection,
    /// The connection, if the status is 101.
    pub stream: Option<Stream>,
    /// Time from the first byte of the request to the last byte of the reply's head.
    pub duration: Nanos,
}

/// Sends a request of a user, with its cookies, on a new connection, and receives the head of the reply. The cookies of
/// the reply are kept whatever its status. `meter` has begun; the status and the time to the head are noted.
///
/// # Errors
/// No connection could be opened, it ended before the head was complete, or the head is malformed.
pub(crate) async fn upgrade(
    client: &Client,
    session: &HttpSession,
    meter: &Meter,
    request: &Request,
) -> Result<UpgradeReply, Failure> {
    let mut stream =
        Stream::open(&client.connector, &Destination::of(&request.origin), session.connection_owner(), meter).await?;
    let begun = client.now();
    let mut head = client.spare_buffer();
    let cookie = session.cookies.field(&request.origin, &request.target);
    let user_agent = client.user_agent;
    let outgoing = OutgoingRequest { request, cookie, user_agent, is_last: false, trace: meter.trace(), link: None };
    request::write_head(&outgoing, &mut head);
    stream.write_all(&head).await.map_err(|error| Stream::failure(&error))?;
    stream.flush().await.map_err(|error| Stream::failure(&error))?;
    meter.update(|measured| measured.bytes_out += head.len() as u64);
    client.return_buffer(head);
    let (head, early) = receive(client, meter, &mut stream, &request.method).await?;
    let headed = client.now();
    let duration = headed.saturating_sub(begun);
    meter.update(|measured| {
        measured.status = head.status.as_u16();
        measured.ends.first_byte = headed;
        measured.phases.first_byte = Some(duration);
    });
    session.cookies.store_from(&head.section, &request.origin, &request.target);
    let stream = if head.status == StatusCode::SWITCHING_PROTOCOLS {
        Some(stream.with_prefix(early))
    } else {
        stream.close();
        None
    };
    Ok(UpgradeReply { status: head.status, headers: head.section, stream, duration })
}

/// Receives a head that is not informational, or is 101, and the bytes that arrived after it. Those bytes are counted
/// when they are read from the stream.
async fn receive(
    client: &Client,
    meter: &Meter,
    stream: &mut Stream,
    method: &Method,
) -> Result<(ReplyHead, Vec<u8>), Failure> {
    let mut text = Vec::new();
    loop {
        let length_before = text.len();
        read(client, stream, &mut text).await?;
        meter.update(|measured| measured.bytes_in += (text.len() - length_before) as u64);
        if !reply::is_worth_reading(&text, length_before) {
            continue;
        }
        while let Some((head, length)) = reply::parse_head(&text, method)? {
            let rest = text.split_off(length);
            if head.status.is_informational() && head.status != StatusCode::SWITCHING_PROTOCOLS {
                text = rest;
                continue;
            }
            meter.update(|measured| measured.bytes_in -= rest.len() as u64);
            return Ok((head, rest));
        }
    }
}

/// Reads once and appends to `text`.
async fn read(client: &Client, stream: &mut Stream, text: &mut Vec<u8>) -> Result<(), Failure> {
    let length_before = text.len();
    let read = poll_fn(|cx| {
        let mut buffer = client.read_buffer();
        let mut filled = ReadBuf::new(&mut buffer);
        ready!(Pin::new(&mut *stream).poll_read(cx, &mut filled))?;
        text.extend_from_slice(filled.filled());
        std::task::Poll::Ready(Ok(()))
    });
    let ended = match read.await {
        Ok(()) if text.len() > length_before => return Ok(()),
        Ok(()) => ErrorKind::UnexpectedEof.into(),
        Err(error) => error,
    };
    Err(Failure::of_connection(&ended, length_before > 0))
}
