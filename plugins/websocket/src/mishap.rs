//! What can go wrong on a connection, in the categories of the report and in words for the person who reads it.

use stampede_plugin::{Failure, FailureKind};
use tungstenite::error::{CapacityError, ProtocolError};
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Error, Message};

/// What an error of the protocol library counts as.
pub fn failure(error: &Error) -> Failure {
    match error {
        Error::Http(reply) => status(reply.status().as_u16()),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) | Error::ConnectionClosed => {
            network("the server ended the connection without a close frame")
        }
        Error::Protocol(error) => Failure::protocol(format!("the server broke the protocol: {}", plain(error))),
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
            Failure::protocol(format!("a message has {size} bytes, more than the {max_size} of `most`"))
        }
        Error::Capacity(CapacityError::TooManyHeaders) | Error::AttackAttempt => {
            Failure::protocol("the reply to the handshake is too large")
        }
        Error::Utf8(_) => Failure::protocol("a text that is not UTF-8"),
        Error::HttpFormat(_) => no_http(),
        // Of a stream in memory, a URL that was checked and a buffer without limits.
        Error::Io(_) | Error::Tls(_) | Error::Url(_) | Error::WriteBufferFull(_) | Error::AlreadyClosed => {
            Failure::new(FailureKind::Plugin, error.to_string())
        }
    }
}

/// The server does not switch.
pub fn status(status: u16) -> Failure {
    Failure::status(format!("expected status 101, got {status}"))
}

/// What the host took for a head is none to the library.
pub fn no_http() -> Failure {
    Failure::protocol("the reply to the handshake is no HTTP")
}

fn network(detail: &str) -> Failure {
    Failure::new(FailureKind::Network, detail)
}

/// The library's words for a broken rule, as the report has them.
fn plain(error: &ProtocolError) -> String {
    match error {
        ProtocolError::SecWebSocketAcceptKeyMismatch => "`sec-websocket-accept` does not fit the key".to_owned(),
        error => {
            let mut text = error.to_string();
            text.get_mut(..1).into_iter().for_each(str::make_ascii_lowercase);
            text
        }
    }
}

/// What the server is told of an error, if it is the server's.
pub fn goodbye(error: &Error) -> Option<CloseFrame> {
    let code = match error {
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return None,
        Error::Protocol(_) => CloseCode::Protocol,
        Error::Capacity(_) => CloseCode::Size,
        Error::Utf8(_) => CloseCode::Invalid,
        _ => return None,
    };
    Some(CloseFrame { code, reason: String::new().into() })
}

/// The server has closed where something else was expected.
pub fn closed(frame: Option<&CloseFrame>) -> Failure {
    Failure::status(format!("the server closed the connection {}", code(frame)))
}

/// A close frame in words. A frame may be without a code.
pub fn code(frame: Option<&CloseFrame>) -> String {
    match frame {
        None => "without a code".to_owned(),
        Some(frame) if frame.reason.is_empty() => format!("with code {}", u16::from(frame.code)),
        Some(frame) => format!("with code {} and `{}`", u16::from(frame.code), frame.reason),
    }
}

/// A message by its kind and size. Its contents are not repeated: they may be secret.
pub fn shown(message: &Message) -> String {
    let what = match message {
        Message::Text(_) => "a text message",
        Message::Binary(_) => "a binary message",
        Message::Ping(_) => "a ping",
        Message::Pong(_) => "a pong",
        Message::Close(_) => "a close frame",
        Message::Frame(_) => "a frame",
    };
    format!("{what} of {} bytes", message.len())
}
