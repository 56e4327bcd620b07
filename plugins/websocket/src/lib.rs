//! The WebSocket actions: `websocket.open`, `websocket.send`, `websocket.expect`, `websocket.close`, and `websocket`,
//! which is all of them in one step. tungstenite does handshake and framing, above bytes in memory; this crate
//! implements the parameters of a step and moves the bytes over the host's sockets. This folder's `README.md` lists the
//! parameters, with examples.

mod close;
mod connection;
mod conversation;
mod expect;
mod failures;
mod incoming;
mod metrics;
mod open;
mod outgoing;
mod peer_frames;
mod pipe;
mod send;
mod target;
mod wait;

use stampede_plugin::plugin;

use close::Close;
use conversation::Conversation;
use expect::Expect;
use open::Open;
use send::Send;

plugin!(Conversation, Close, Expect, Open, Send);

#[cfg(test)]
mod tests;
