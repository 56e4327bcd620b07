//! HTTP/1.1 (RFC 9112) as a load generator needs it: one exchange at a time on a connection, driven by the user's own
//! task, with no buffer of its own while it is idle.
//!
//! This is the only protocol that is not left to a library. hyper, which handles HTTP/2, keeps two buffers, a dispatch
//! channel and several allocations per connection and builds a header map per reply; measured side by side (see
//! `docs/decisions`) that is half of the user time of a request and most of the memory of a user. The parsing itself is
//! httparse's, as it is in hyper.

mod exchange;
mod framing;
mod linked;
mod reply;
mod request;
mod upgrade;

use std::rc::Rc;

use crate::net::{Origin, Transport};

pub(super) use reply::fuzz_reply;
pub(super) use request::write_head;
pub(crate) use upgrade::{UpgradeReply, upgrade};

/// An open connection with no exchange on it.
pub(super) struct Http1 {
    /// The origin that it leads to.
    pub origin: Rc<Origin>,
    transport: Transport,
    /// True when a reply has been received on it: only then may the peer have closed it rightfully.
    used: bool,
}

impl Drop for Http1 {
    fn drop(&mut self) {
        self.transport.close();
    }
}

impl Http1 {
    /// Wraps a connection on which nothing has been sent.
    pub(super) fn new(origin: Rc<Origin>, transport: Transport) -> Self {
        Self { origin, transport, used: false }
    }
}
