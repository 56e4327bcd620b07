//! The embedded site as its clients see it: every route over a socket, the counts against what was received, and each
//! misbehaviour on the wire.

mod client;
mod cmaf;
mod counts;
mod dash;
mod faults;
mod http2;
mod live;
mod low_latency;
mod media;
mod misbehaviour;
mod routes;
mod streaming;
mod vod;
mod websocket;
