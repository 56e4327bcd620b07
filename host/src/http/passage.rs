//! The passage of bytes over a user's link: what is on its way, and the waits until it has arrived.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use stampede_time::{Clock, Nanos, TimerGuard, Timers};

use super::body_channel::BodyChannel;
use super::client::Client;
use crate::net::{ActiveOnLink, Link, Meter, PassageSchedule};

/// A user's link, and the timers with which its exchanges and sockets wait.
pub(crate) struct TimedLink {
    link: Link,
    timers: Rc<Timers>,
}

/// The passage of one reply.
pub(super) struct Passage<'a> {
    client: &'a Client,
    link: &'a TimedLink,
    schedule: PassageSchedule,
    /// Content on its way, the first to arrive at the front.
    on_link: VecDeque<LinkPiece>,
    /// The time at which all of it has arrived.
    ends_at: Nanos,
    #[allow(dead_code, reason = "it counts until it is dropped")]
    active: Option<ActiveOnLink<'a>>,
    /// The time for which the timer is set, and the timer.
    timer: Option<(Nanos, TimerGuard<'a>)>,
}

/// Content on its way over a link.
struct LinkPiece {
    arrives_at: Nanos,
    size: u64,
    /// The content, if the exchange is streamed.
    content: Vec<Bytes>,
}

impl TimedLink {
    /// Returns a link whose exchanges wait with these timers.
    pub(super) const fn new(link: Link, timers: Rc<Timers>) -> Self {
        Self { link, timers }
    }

    /// Returns the link.
    pub(crate) const fn link(&self) -> &Link {
        &self.link
    }

    /// Waits until a time.
    pub(crate) async fn wait_until(&self, at: Nanos, clock: Clock) {
        let mut timer = None;
        poll_fn(|cx| {
            let now = clock.now();
            if at <= now {
                return Poll::Ready(());
            }
            timer.get_or_insert_with(|| self.timers.add(at, now, cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    /// Waits for a number of round trips.
    pub(crate) async fn wait_round_trips(&self, trips: u32, clock: Clock) {
        self.wait_until(clock.now().saturating_add(self.link.round_trips(trips)), clock).await;
    }
}

impl<'a> Passage<'a> {
    /// Begins the passage of the reply to a request.
    pub(super) fn new(client: &'a Client, link: &'a TimedLink) -> Self {
        link.link.begin(client.now());
        let schedule = PassageSchedule::new();
        Self { client, link, schedule, on_link: VecDeque::new(), ends_at: 0, active: None, timer: None }
    }

    /// Notes in the meter that the head of the reply has been taken from the connection. From now on the exchange has a
    /// share of the link.
    pub(super) fn begin_content(&mut self, now: Nanos, meter: &Meter) {
        self.active = Some(self.link.link.activate());
        self.put(now, 0, Vec::new());
        meter.update(|measured| measured.link_delay = self.link.link.round_trips(1));
    }

    /// Returns how many bytes may be taken from the connection at once.
    pub(super) fn piece(&self) -> usize {
        self.link.link.piece(self.client.now())
    }

    /// Notes that nothing can be taken from the connection yet.
    pub(super) const fn note_wait(&mut self) {
        self.schedule.note_wait();
    }

    /// Puts content on the link that was taken from the connection at `now`.
    pub(super) fn put(&mut self, now: Nanos, size: u64, content: Vec<Bytes>) {
        self.ends_at = self.ends_at.max(self.schedule.put(&self.link.link, now, size));
        self.on_link.push_back(LinkPiece { arrives_at: self.ends_at, size, content });
    }

    /// Returns when everything that was put on the link has arrived.
    pub(super) const fn ends_at(&self) -> Nanos {
        self.ends_at
    }

    /// Counts what has arrived by now, and gives it to the channel. Returns `false` while anything is on its way.
    pub(super) fn deliver(&mut self, now: Nanos, meter: &Meter, channel: Option<&BodyChannel>) -> bool {
        while let Some(piece) = self.on_link.pop_front_if(|piece| piece.arrives_at <= now) {
            meter.update(|measured| measured.body_bytes_in += piece.size);
            if let Some(channel) = channel {
                piece.content.into_iter().for_each(|content| channel.push(content));
            }
        }
        self.on_link.is_empty()
    }

    /// Ready when the next piece may be taken from the connection. The task is woken then, and when more arrives.
    pub(super) fn poll_free(&mut self, cx: &Context<'_>) -> Poll<()> {
        let (now, free_at) = (self.client.now(), self.schedule.free_at());
        let is_free = free_at <= now;
        self.wake_at((!is_free).then_some(free_at), now, cx);
        if is_free { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Wakes the task when more arrives.
    pub(super) fn wake_when_more_arrives(&mut self, cx: &Context<'_>) {
        self.wake_at(None, self.client.now(), cx);
    }

    /// Wakes the task when more arrives, or at a time.
    fn wake_at(&mut self, at: Option<Nanos>, now: Nanos, cx: &Context<'_>) {
        let arrives_at = self.on_link.front().map(|piece| piece.arrives_at);
        let Some(at) = at.into_iter().chain(arrives_at).min() else { return };
        if self.timer.as_ref().is_none_or(|(set_for, _)| *set_for != at) {
            self.timer = Some((at, self.link.timers.add(at, now, cx.waker().clone())));
        }
    }
}
