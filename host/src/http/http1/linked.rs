//! A reply that comes over its user's link: what has been taken from the connection and has not arrived yet.

use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::StatusCode;
use stampede_time::Nanos;

use super::super::body_channel::BodyChannel;
use super::super::header_section::HeaderSection;
use super::super::passage::Passage;
use super::reply::ReplyHead;
use crate::net::Meter;

/// A reply that comes over a link.
pub(super) struct LinkedReply<'a> {
    /// Its passage.
    pub passage: Passage<'a>,
    /// Content for the channel of the exchange that is not on the link yet.
    pub pieces: Vec<Bytes>,
    /// The head for the channel of the exchange, and the time at which it arrives.
    head: Option<(Nanos, StatusCode, HeaderSection)>,
    finished: Option<FinishedReply>,
}

/// A reply of which everything has been taken from the connection.
pub(super) struct FinishedReply {
    /// The head.
    pub head: ReplyHead,
    /// True if nothing came after it.
    pub is_clean: bool,
}

impl<'a> LinkedReply<'a> {
    /// Returns a reply of which nothing has been taken from the connection.
    pub(super) const fn new(passage: Passage<'a>) -> Self {
        Self { passage, pieces: Vec::new(), head: None, finished: None }
    }

    /// Puts a head on the link that was taken from the connection at `now`.
    pub(super) fn put_head(&mut self, now: Nanos, head: &ReplyHead, meter: &Meter) {
        self.passage.begin_content(now, meter);
        self.head = Some((self.passage.ends_at(), head.status, head.section.clone()));
    }

    /// Puts `size` bytes of content on the link, which were taken at `now`; they are the last if it has `finished`.
    pub(super) fn put(&mut self, now: Nanos, size: u64, finished: Option<FinishedReply>) {
        let content = std::mem::take(&mut self.pieces);
        self.passage.put(now, size, content);
        self.finished = finished;
    }

    /// Counts what has arrived, and gives it to the channel. Ready when more may be taken from the connection, or with
    /// the reply if it has arrived to its end.
    pub(super) fn poll(
        &mut self,
        cx: &Context<'_>,
        now: Nanos,
        meter: &Meter,
        channel: Option<&BodyChannel>,
    ) -> Poll<Option<FinishedReply>> {
        if let Some((_, status, section)) = self.head.take_if(|(arrives_at, ..)| *arrives_at <= now)
            && let Some(channel) = channel
        {
            channel.push_head(status, section);
        }
        let has_arrived = self.passage.deliver(now, meter, channel);
        match &self.finished {
            None => self.passage.poll_free(cx).map(|()| None),
            Some(_) if has_arrived => Poll::Ready(self.finished.take()),
            Some(_) => {
                self.passage.wake_when_more_arrives(cx);
                Poll::Pending
            }
        }
    }
}
