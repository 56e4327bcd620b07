//! `/ws`: a WebSocket (RFC 6455) that sends each message back.

use futures_util::{SinkExt, StreamExt};
use hyper::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use hyper::upgrade::OnUpgrade;
use hyper::{StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::page_outcome::{PageOutcome, empty, error_reply};
use super::page_request::PageRequest;

/// Accepts the handshake, or answers 426.
pub(crate) fn handshake(ask: &PageRequest<'_>) -> PageOutcome {
    let Some(accept) = accept_key(ask) else {
        let mut reply = error_reply(StatusCode::UPGRADE_REQUIRED, "this is a WebSocket, version 13");
        reply.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
        return reply.into();
    };
    let mut reply = empty(StatusCode::SWITCHING_PROTOCOLS);
    let fields = reply.headers_mut();
    fields.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    fields.insert(UPGRADE, HeaderValue::from_static("websocket"));
    fields.insert(SEC_WEBSOCKET_ACCEPT, accept);
    PageOutcome::WebSocket(reply)
}

/// Returns the answer to the key, if the request is a handshake.
fn accept_key(ask: &PageRequest<'_>) -> Option<HeaderValue> {
    let upgrade = ask.header(UPGRADE.as_str())?.eq_ignore_ascii_case("websocket");
    let version = ask.header(SEC_WEBSOCKET_VERSION.as_str())? == "13" && ask.parts.version == Version::HTTP_11;
    let key = ask.parts.headers.get(SEC_WEBSOCKET_KEY)?;
    (upgrade && version).then(|| HeaderValue::try_from(derive_accept_key(key.as_bytes())).ok())?
}

/// Echoes until the client closes the WebSocket or disconnects. The library answers pings and the closing handshake.
pub(crate) async fn echo(upgrade: OnUpgrade) {
    let Ok(upgraded) = upgrade.await else { return };
    let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
    while let Some(Ok(message)) = socket.next().await {
        let echoed = message.is_text() || message.is_binary();
        if echoed && socket.send(message).await.is_err() {
            return;
        }
    }
}
