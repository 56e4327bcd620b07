//! What all users of one worker have in common: settings, and the names already resolved.

use hyper::client::conn::{http1, http2};

use super::connection::LocalTasks;
use super::dns::Names;
use super::tls::Tls;
use crate::run::clock::{Clock, Nanos};

/// Largest header section of a reply, in bytes.
const MOST_HEADER_BYTES: usize = 64 * 1024;

/// Settings of a [`Client`].
#[derive(Clone)]
pub struct ClientOptions {
    /// Whom to trust.
    pub tls: Tls,
    /// Largest content that can be kept, in bytes, before and after decoding. A larger one is received and counted to
    /// its end, and then the exchange fails.
    pub max_body_kept: usize,
}

/// The client of one worker. Its users reach it by `Rc`; it must live within a `LocalSet`, where HTTP/2 connections run.
pub struct Client {
    pub(super) clock: Clock,
    pub(super) tls: Tls,
    pub(super) max_body_kept: usize,
    pub(super) names: Names,
    pub(super) http1: http1::Builder,
    pub(super) http2: http2::Builder<LocalTasks>,
}

impl Client {
    /// A client that has resolved nothing yet.
    pub fn new(options: ClientOptions, clock: Clock) -> Self {
        let mut http1 = http1::Builder::new();
        // The number of fields stays at hyper's 100: more would take two allocations per reply.
        http1.max_buf_size(MOST_HEADER_BYTES).max_header_size(MOST_HEADER_BYTES);
        let mut http2 = http2::Builder::new(LocalTasks);
        http2.max_header_list_size(MOST_HEADER_BYTES as u32);
        let ClientOptions { tls, max_body_kept } = options;
        Self { clock, tls, max_body_kept, names: Names::default(), http1, http2 }
    }

    /// The time.
    pub(super) fn now(&self) -> Nanos {
        self.clock.now()
    }
}
