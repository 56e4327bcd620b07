//! The bytes that a socket of a user with a link has received, and that have not arrived over the link yet. They stay
//! with the socket when the read that took them is given up.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Context, Poll};

use stampede_time::{Clock, Nanos};

use crate::http::TimedLink;
use crate::net::{Failure, PassageSchedule};

/// The reads of one socket; empty without a link.
pub struct LinkedReads {
    schedule: Cell<PassageSchedule>,
    on_link: RefCell<Option<BytesOnLink>>,
}

/// Received bytes on their way over a link.
struct BytesOnLink {
    bytes: Vec<u8>,
    arrives_at: Nanos,
}

impl Default for LinkedReads {
    fn default() -> Self {
        Self { schedule: Cell::new(PassageSchedule::new()), on_link: RefCell::default() }
    }
}

impl LinkedReads {
    /// Notes that the user has sent something on the socket.
    pub(super) fn note_sent(&self, now: Nanos) {
        self.update(|schedule| schedule.note_sent(now));
    }

    /// Returns `true` if bytes are on the link.
    pub(super) fn has_bytes_on_link(&self) -> bool {
        self.on_link.borrow().is_some()
    }

    /// Reads at most `max_bytes`, when they have passed over the link. `poll_read` takes bytes from the connection, at
    /// most as many as it is told.
    pub(super) async fn read(
        &self,
        link: &TimedLink,
        clock: Clock,
        max_bytes: usize,
        poll_read: impl Fn(&mut Context<'_>, usize) -> Poll<Result<Vec<u8>, Failure>>,
    ) -> Result<Vec<u8>, Failure> {
        if !self.has_bytes_on_link() {
            let piece = max_bytes.min(link.link().piece(clock.now()));
            link.wait_until(self.schedule.get().free_at(), clock).await;
            let bytes = poll_fn(|cx| {
                let polled = poll_read(cx, piece);
                if polled.is_pending() {
                    self.update(PassageSchedule::note_wait);
                }
                polled
            })
            .await?;
            let mut schedule = self.schedule.get();
            let arrives_at = schedule.put(link.link(), clock.now(), bytes.len() as u64);
            self.schedule.set(schedule);
            self.on_link.replace(Some(BytesOnLink { bytes, arrives_at }));
        }
        let arrives_at = self.on_link.borrow().as_ref().map_or(0, |on_link| on_link.arrives_at);
        link.wait_until(arrives_at, clock).await;
        let Some(BytesOnLink { mut bytes, arrives_at }) = self.on_link.take() else { return Ok(Vec::new()) };
        if bytes.len() > max_bytes {
            let rest = bytes.split_off(max_bytes);
            self.on_link.replace(Some(BytesOnLink { bytes: rest, arrives_at }));
        }
        Ok(bytes)
    }

    fn update(&self, change: impl FnOnce(&mut PassageSchedule)) {
        let mut schedule = self.schedule.get();
        change(&mut schedule);
        self.schedule.set(schedule);
    }
}
