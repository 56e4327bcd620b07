//! What all users of one worker have in common: settings, and the names already resolved.

use std::cell::{RefCell, RefMut};
use std::sync::Arc;

use hyper::client::conn::http2;
use hyper::rt::Executor;
use stampede_time::{Clock, Nanos};

use crate::net::{Connector, Dial, Tls};

/// Largest header section of an HTTP/2 reply, in bytes.
const MAX_HEADER_BYTES: u32 = 64 * 1024;
/// Bytes read from a connection at once.
const READ_BUFFER_BYTES: usize = 64 * 1024;
/// Buffers for requests that are kept, and their size: enough for those being written at one moment, which are few.
const MAX_SPARE_BUFFERS: usize = 64;
const MAX_SPARE_BYTES: usize = 32 * 1024;

/// Settings of a [`Client`].
#[derive(Clone)]
pub struct ClientOptions {
    /// Whom to trust.
    pub tls: Tls,
    /// Largest content that can be kept, in bytes, before and after decoding. A larger one is received and counted to
    /// its end, and then the exchange fails.
    pub max_body_kept: usize,
    /// Who connections are made to instead of the network.
    pub dial: Option<Arc<dyn Dial>>,
}

/// Runs what hyper spawns on this thread.
#[derive(Clone, Copy)]
pub(super) struct LocalTasks;

impl<F: Future + 'static> Executor<F> for LocalTasks {
    fn execute(&self, task: F) {
        tokio::task::spawn_local(async move { drop(task.await) });
    }
}

/// The client of one worker. Its users reach it by `Rc`; it must live where tasks can be local, for HTTP/2
/// connections run as such.
pub struct Client {
    /// Opens its connections.
    pub connector: Connector,
    pub(super) max_body_kept: usize,
    pub(super) http2: http2::Builder<LocalTasks>,
    read_buffer: RefCell<Box<[u8]>>,
    spare_buffers: RefCell<Vec<Vec<u8>>>,
}

impl Client {
    /// A client that has resolved nothing yet.
    pub fn new(options: ClientOptions, clock: Clock) -> Self {
        let mut http2 = http2::Builder::new(LocalTasks);
        http2.max_header_list_size(MAX_HEADER_BYTES);
        let ClientOptions { tls, max_body_kept, dial } = options;
        let read_buffer = RefCell::new(vec![0; READ_BUFFER_BYTES].into());
        let connector = Connector::new(clock, tls, dial);
        Self { connector, max_body_kept, http2, read_buffer, spare_buffers: RefCell::default() }
    }

    /// What is read goes through here; free between two polls.
    pub(super) fn read_buffer(&self) -> RefMut<'_, Box<[u8]>> {
        self.read_buffer.borrow_mut()
    }

    /// The same for what is not HTTP.
    pub fn with_read_buffer<T>(&self, read: impl FnOnce(&mut [u8]) -> T) -> T {
        read(&mut self.read_buffer())
    }

    /// An empty buffer for a request.
    pub(super) fn spare_buffer(&self) -> Vec<u8> {
        self.spare_buffers.borrow_mut().pop().unwrap_or_default()
    }

    /// Takes a buffer back for the next request. A large one, or one of many, goes.
    pub(super) fn return_buffer(&self, mut buffer: Vec<u8>) {
        let mut spare = self.spare_buffers.borrow_mut();
        if buffer.capacity() <= MAX_SPARE_BYTES && spare.len() < MAX_SPARE_BUFFERS {
            buffer.clear();
            spare.push(buffer);
        }
    }

    /// The time.
    pub(super) fn now(&self) -> Nanos {
        self.connector.now()
    }
}
