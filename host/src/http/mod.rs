//! The metered HTTP client that every virtual user sends with.
//!
//! An [`exchange`] is one request and its reply. It takes an idle connection of the user's [`Session`] or opens one
//! (resolve, connect, TLS), sends, receives to the last byte and leaves the connection for the next exchange; a
//! [`Meter`] shows all along how far it has come. Redirects are exchanges of their own: [`redirect::next`] says what to
//! send next. Limits on rate and time are the caller's: to give up, drop the exchange's future.
//!
//! What sets this client apart from a general one:
//!
//! * **No task and no timer per request.** An HTTP/1.1 connection is polled inside the exchange that uses it. With
//!   4,000 connections a task per connection costs 29.4 µs of CPU per request, polling in place 23.2, and not
//!   registering a timer 19.9.
//! * **Nothing is shared between users** but names and their addresses: no connection pool, no TLS sessions, no
//!   cookies. Nothing is shared between threads but the TLS settings.
//! * **The target's count is the report's count.** A request that may have reached the target is never sent again.
//!   Only when nothing of it was written, because the peer had closed the connection before, does it go out on a new
//!   connection.

mod body;
mod body_channel;
mod client;
mod connection;
mod connections;
mod cookies;
mod exchange;
mod fields;
mod header_section;
mod http1;
mod http2;
mod message;
pub mod redirect;
mod session;

#[cfg(test)]
mod tests;

pub use body::Allowance;
pub use body_channel::BodyChannel;
pub use client::{Client, ClientOptions};
pub use cookies::Cookies;
pub use exchange::exchange;
pub use fields::{Field, Fields};
pub use header_section::HeaderSection;
pub use http1::{UpgradeReply, upgrade};
pub use message::{Reply, Request};
pub use session::{HttpSession, Lifespan, Retention};
