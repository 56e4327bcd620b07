//! A server of event streams, built on axum. The path of the URL says what it sends.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Sse;
use axum::response::sse::Event;
use axum::routing::any;
use futures_util::{Stream, stream};

use crate::wait_for;

/// A server of event streams that runs until the tests end.
pub struct EventStreams {
    addr: SocketAddr,
    open: Arc<AtomicU64>,
}

impl EventStreams {
    /// Listens on a free port. `/events/COUNT/MILLISECONDS` sends `COUNT` events, the first of them `event 1`, that
    /// many milliseconds apart; `/status` sends no event, and `/page` is a reply of another kind.
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a listener that does not block");
        let addr = listener.local_addr().expect("a bound listener has an address");
        let open = Arc::new(AtomicU64::new(0));
        let counting = Arc::clone(&open);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                let events = move |Path((count, every))| async move { Sse::new(events(count, every, counting)) };
                let router = Router::new()
                    .route("/events/{count}/{every}", any(events))
                    .route("/status", any(|| async { StatusCode::SERVICE_UNAVAILABLE }))
                    .route("/page", any(|| async { "data: a\n\n" }));
                axum::serve(listener, router).await.expect("a server");
            });
        });
        Self { addr, open }
    }

    /// Returns `http://host:port`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Waits until no stream is open.
    ///
    /// # Panics
    /// A stream stays open.
    #[track_caller]
    pub fn settle(&self) {
        wait_for("every stream to be closed", || self.open.load(Ordering::Relaxed) == 0);
    }
}

/// Counts a stream as open until it is dropped.
struct Open(Arc<AtomicU64>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn events(count: u64, every: u64, open: Arc<AtomicU64>) -> impl Stream<Item = Result<Event, Infallible>> {
    open.fetch_add(1, Ordering::Relaxed);
    stream::unfold((1, Open(open)), move |(number, open)| async move {
        if number > count {
            return None;
        }
        if number > 1 {
            tokio::time::sleep(Duration::from_millis(every)).await;
        }
        Some((Ok(Event::default().event("tick").data(format!("event {number}"))), (number + 1, open)))
    })
}
