//! The WebSocket actions: `websocket.open`, `websocket.send`, `websocket.expect`, `websocket.close`, and `websocket`, which
//! is all of them in one step. Handshake and framing are tungstenite's, above bytes in memory; what is here is the meaning
//! of a step's parameters and what goes over the host's sockets when. The parameters are listed, with examples, in this
//! folder's `README.md`.

mod close;
mod connection;
mod expect;
mod incoming;
mod metrics;
mod mishap;
mod once;
mod open;
mod outgoing;
mod pipe;
mod send;
mod target;
mod wait;

use stampede_plugin::plugin;

use close::Close;
use expect::Expect;
use once::Once;
use open::Open;
use send::Send;

plugin!(Once, Close, Expect, Open, Send);

#[cfg(test)]
mod tests;
