//! The HTTP client of one worker, shared by its users: settings, resolved names, buffers.

use std::cell::{Cell, RefCell, RefMut};

use hyper::StatusCode;
use hyper::client::conn::http2;
use hyper::rt::Executor;
use stampede_time::{Clock, Nanos};

use super::allowance::Allowance;
use super::body_budget::BodyBudget;
use crate::net::{Connector, NetworkOptions};

/// Maximum size of the header section of an HTTP/2 reply, in bytes.
const MAX_HEADER_BYTES: u32 = 64 * 1024;
/// Bytes read from a connection at once.
const READ_BUFFER_BYTES: usize = 64 * 1024;
/// Maximum number of spare buffers for requests: enough for those being written at one moment, which are few.
const MAX_SPARE_BUFFERS: usize = 64;
/// Maximum size of a spare buffer, in bytes.
const MAX_SPARE_BYTES: usize = 32 * 1024;

/// Settings of a [`Client`].
#[derive(Clone)]
pub struct ClientOptions {
    /// Settings of its connections. Requests to what stands in for the network have no `user-agent` of the program's,
    /// so that the bytes it expects do not depend on the version.
    pub network: NetworkOptions,
    /// Maximum size of content that can be kept, in bytes, before and after decoding. Larger content is received and
    /// counted to its end, and then the exchange fails.
    pub max_body_kept: usize,
    /// Memory for the contents that are kept, shared with other clients.
    pub(crate) body_budget: BodyBudget,
}

/// Runs the futures that hyper spawns on this thread.
#[derive(Clone, Copy)]
pub(super) struct LocalTasks;

impl<F: Future + 'static> Executor<F> for LocalTasks {
    fn execute(&self, task: F) {
        tokio::task::spawn_local(async move { drop(task.await) });
    }
}

/// The client of one worker, shared by its users. It must live where tasks can be local, because HTTP/2 connections are
/// driven by local tasks.
pub struct Client {
    /// Opens its connections.
    pub connector: Connector,
    /// The most bytes of content that are kept of a reply.
    pub(crate) max_body_kept: usize,
    pub(super) body_budget: BodyBudget,
    /// The `user-agent` of requests without one of their own.
    pub(super) user_agent: Option<&'static str>,
    /// True if the beginning of every content is kept to be shown; otherwise only of replies with a status of 400 or
    /// above.
    shows_all: Cell<bool>,
    /// The allowance of contents that take nothing from one.
    pub(super) no_allowance: Allowance,
    pub(super) http2: http2::Builder<LocalTasks>,
    read_buffer: RefCell<Box<[u8]>>,
    spare_buffers: RefCell<Vec<Vec<u8>>>,
}

impl Client {
    /// Creates a client that has resolved nothing yet.
    pub fn new(options: ClientOptions, clock: Clock) -> Self {
        let mut http2 = http2::Builder::new(LocalTasks);
        http2.max_header_list_size(MAX_HEADER_BYTES);
        // The peer's settings say how many streams it allows: none is opened before they have arrived.
        http2.initial_max_send_streams(0);
        let ClientOptions { network, max_body_kept, body_budget } = options;
        let read_buffer = RefCell::new(vec![0; READ_BUFFER_BYTES].into());
        let user_agent = network.dial.is_none().then_some(concat!("stampede-shooter/", env!("CARGO_PKG_VERSION")));
        let connector = Connector::new(network, clock);
        let spare_buffers = RefCell::default();
        let (shows_all, no_allowance) = (Cell::new(false), Allowance::default());
        Self {
            connector,
            max_body_kept,
            body_budget,
            user_agent,
            shows_all,
            no_allowance,
            http2,
            read_buffer,
            spare_buffers,
        }
    }

    /// Has the beginning of every content kept, to be shown.
    pub fn show_all(&self) {
        self.shows_all.set(true);
    }

    /// Returns `true` if the beginning of content that nothing else keeps is kept, to be shown.
    pub(super) fn wants_excerpt(&self, status: StatusCode) -> bool {
        status.as_u16() >= 400 || self.shows_all.get()
    }

    /// Borrows the buffer that all reads go through. It must not be held from one poll to the next.
    pub(super) fn read_buffer(&self) -> RefMut<'_, Box<[u8]>> {
        self.read_buffer.borrow_mut()
    }

    /// Lends the read buffer to a protocol other than HTTP.
    pub fn with_read_buffer<T>(&self, read: impl FnOnce(&mut [u8]) -> T) -> T {
        read(&mut self.read_buffer())
    }

    /// Returns an empty buffer for a request.
    pub(super) fn spare_buffer(&self) -> Vec<u8> {
        self.spare_buffers.borrow_mut().pop().unwrap_or_default()
    }

    /// Keeps a buffer for the next request, unless it is large or enough are kept.
    pub(super) fn return_buffer(&self, mut buffer: Vec<u8>) {
        let mut spare = self.spare_buffers.borrow_mut();
        if buffer.capacity() <= MAX_SPARE_BYTES && spare.len() < MAX_SPARE_BUFFERS {
            buffer.clear();
            spare.push(buffer);
        }
    }

    /// Returns the time.
    pub(super) fn now(&self) -> Nanos {
        self.connector.now()
    }
}
