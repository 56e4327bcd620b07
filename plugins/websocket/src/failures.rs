//! Failures of a connection, in the categories of the report and with a message for its reader.

use stampede_plugin::{Failure, FailureKind};
use tungstenite::error::{CapacityError, ProtocolError};
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Error, Message};

/// Converts an error of the protocol library to a failure.
pub(crate) fn failure(error: &Error) -> Failure {
    match error {
        Error::Http(reply) => status(reply.status().as_u16()),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) | Error::ConnectionClosed => {
            network("the server ended the connection without a close frame")
        }
        Error::Protocol(error) => Failure::protocol(format!("the server violated the protocol: {}", plain(error))),
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => too_long(*size as u64, *max_size),
        Error::Capacity(CapacityError::TooManyHeaders) | Error::AttackAttempt => {
            Failure::protocol("the reply to the handshake is too large")
        }
        Error::Utf8(_) => Failure::protocol("a text that is not UTF-8"),
        Error::HttpFormat(_) => not_http(),
        // These do not occur: the stream is in memory, the URL was checked, and the buffer has no limit.
        Error::Io(_) | Error::Tls(_) | Error::Url(_) | Error::WriteBufferFull(_) | Error::AlreadyClosed => {
            Failure::new(FailureKind::Plugin, error.to_string())
        }
    }
}

/// Creates the failure of a message, or of a frame, that is too long.
pub(crate) fn too_long(size: u64, most: usize) -> Failure {
    Failure::protocol(format!("a message has {size} bytes, more than the {most} of `most`"))
}

/// Creates the failure of a server that does not switch protocols.
pub(crate) fn status(status: u16) -> Failure {
    Failure::status(format!("expected status 101, got {status}"))
}

/// Creates the failure of a reply that the host accepted as a head and the library does not.
pub(crate) fn not_http() -> Failure {
    Failure::protocol("the reply to the handshake is not HTTP")
}

fn network(detail: &str) -> Failure {
    Failure::new(FailureKind::Network, detail)
}

/// Rewrites the library's message for the report.
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

/// Returns the close frame for an error that the server made.
pub(crate) fn close_frame(error: &Error) -> Option<CloseFrame> {
    let code = match error {
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return None,
        Error::Protocol(_) => CloseCode::Protocol,
        Error::Capacity(_) => CloseCode::Size,
        Error::Utf8(_) => CloseCode::Invalid,
        _ => return None,
    };
    Some(CloseFrame { code, reason: String::new().into() })
}

/// Creates the failure of a server that closed the connection where another message was expected.
pub(crate) fn closed(frame: Option<&CloseFrame>) -> Failure {
    Failure::status(format!("the server closed the connection {}", code(frame)))
}

/// Describes a close frame, which may be without a code.
pub(crate) fn code(frame: Option<&CloseFrame>) -> String {
    match frame {
        None => "without a code".to_owned(),
        Some(frame) if frame.reason.is_empty() => format!("with code {}", u16::from(frame.code)),
        Some(frame) => format!("with code {} and `{}`", u16::from(frame.code), frame.reason),
    }
}

/// Describes a message by its kind and size. Its contents may be secret.
pub(crate) fn shown(message: &Message) -> String {
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
