//! The metered HTTP client of the virtual users. A general client measures too little and shares too much: its pools,
//! caches and retries would blur what the target does.
//!
//! An [`exchange`](exchange()) is one request and its reply. It takes an idle connection of the user's [`HttpSession`]
//! or opens one (resolve, connect, TLS), sends, receives to the last byte and leaves the connection for the next
//! exchange; a [`Meter`](crate::net::Meter) shows its progress throughout. Redirects are exchanges of their own:
//! [`redirect::next`] returns the next request. Limits on rate and time are the caller's: to give up, drop the
//! exchange's future.
//!
//! Differences from a general client:
//!
//! * **No task and no timer per request.** An HTTP/1.1 connection is polled inside the exchange that uses it. With
//!   4,000 connections a task per connection costs 29.4 µs of CPU per request, polling in place 23.2, and not
//!   registering a timer 19.9.
//! * **Nothing is shared between users** but names and their addresses: no connection pool, no TLS sessions, no
//!   cookies. Nothing is shared between threads but the TLS settings.
//! * **The target's count is the report's count.** A request that the target may have processed is never sent again. It
//!   goes out on a new connection only when nothing of it was written, because the peer had closed the connection
//!   before, or when the peer says that it has not processed it, as HTTP/2 allows.
//!
//! | file | contents |
//! |---|---|
//! | `client` | settings and buffers of one worker's client |
//! | `session` | connections and cookies of one user, and how long they are kept |
//! | `message` | a request, a reply, the target of a request |
//! | `exchange` | one exchange, from the request to the last byte of the reply |
//! | `redirect` | the next request after a redirect |
//! | `connections` | the connections that a user keeps |
//! | `connection` | one connection, in the version that was negotiated |
//! | `http1/` | HTTP/1.1, polled inside the exchange |
//! | `http2` | HTTP/2, by hyper |
//! | `http2_progress` | which requests of an HTTP/2 connection were written, and which are not processed |
//! | `fuzzing` | the parsers of replies, for the fuzz targets |
//! | `passage` | the passage of a reply over its user's link |
//! | `fields` | header fields of a request |
//! | `header_section` | header fields of a reply |
//! | `cookies` | the cookies of one user |
//! | `allowance` | the bytes of content that a task may still hold |
//! | `body` | content of a reply: kept up to a limit, and decoded |
//! | `body_budget` | the memory that contents may take over all users |
//! | `shown` | heads and contents of an exchange as people read them |
//! | `body_channel` | content of a streamed exchange, between it and the plugin |

mod allowance;
mod body;
mod body_budget;
mod body_channel;
mod client;
mod connection;
mod connections;
mod cookie_date;
mod cookies;
mod exchange;
mod fields;
pub(crate) mod fuzzing;
mod header_section;
mod http1;
mod http2;
mod http2_progress;
mod message;
mod passage;
pub(crate) mod redirect;
mod session;
mod shown;

#[cfg(test)]
mod tests;

pub(crate) use allowance::Allowance;
pub(crate) use body_budget::BodyBudget;
#[cfg(test)]
pub(crate) use body_budget::BudgetPart;
pub(crate) use body_channel::BodyChannel;
pub(crate) use client::{Client, ClientOptions};
pub(crate) use cookies::Cookies;
pub(crate) use exchange::exchange;
pub(crate) use fields::{Field, Fields};
pub(crate) use header_section::HeaderSection;
pub(crate) use http1::{UpgradeReply, upgrade};
pub(crate) use message::{Decoding, Reply, Request, RequestTarget};
pub(crate) use passage::TimedLink;
pub(crate) use session::{HttpSession, Lifespan, Retention};
pub(crate) use shown::{ShownContent, reply_content, reply_head, request_head};
