//! The frames of a node that the coordinator has not acknowledged.

use std::collections::VecDeque;

use crate::counts::Counts;
use crate::time::{SECOND, Time};

/// The number of frames that wait at most. One more, and the oldest two that were never sent become one.
pub const MAX_QUEUED: usize = 30;

/// The number of frames that are sent and not acknowledged at most.
const MAX_SENT: usize = 8;

/// The longest wait before a frame is sent again.
const MAX_RESEND: Time = 5 * SECOND;

/// The counts of one second of a node.
#[derive(Clone, Debug)]
pub struct CountedSecond<C> {
    /// The second, from the start of the load.
    pub second: u32,
    /// The instant, from the start of the load, before which everything that was due is counted: the end of the second,
    /// or the end of the load if that came before.
    pub until: Time,
    /// The counts.
    pub counts: C,
}

/// A frame that waits.
#[derive(Clone, Debug)]
pub struct QueuedFrame<C> {
    /// Its first number.
    pub seq_from: u64,
    /// Its last number: greater if frames were merged.
    pub seq_to: u64,
    /// Its first second.
    pub second_from: u32,
    /// The second after its last one.
    pub second_end: u32,
    /// The instant, from the start of the load, before which everything that was due is counted.
    pub until: Time,
    /// The counts.
    pub counts: C,
    /// The instant at which it is sent, for the first time or again.
    send_at: Time,
    /// The times that it was sent.
    sent: u32,
}

/// The frames of a node that are not acknowledged, oldest first.
#[derive(Clone, Debug)]
pub struct FrameQueue<C> {
    frames: VecDeque<QueuedFrame<C>>,
    next_seq: u64,
    acknowledged: u64,
}

impl<C: Counts> Default for FrameQueue<C> {
    fn default() -> Self {
        Self { frames: VecDeque::new(), next_seq: 1, acknowledged: 0 }
    }
}

impl<C: Counts> FrameQueue<C> {
    /// Adds the counts of a second as the next frame, to be sent at an instant.
    pub fn push(&mut self, counted: CountedSecond<C>, send_at: Time) {
        let seq = self.next_seq;
        self.next_seq += 1;
        let CountedSecond { second, until, counts } = counted;
        let (second_from, second_end) = (second, second.saturating_add(1));
        let frame =
            QueuedFrame { seq_from: seq, seq_to: seq, second_from, second_end, until, counts, send_at, sent: 0 };
        self.frames.push_back(frame);
        if self.frames.len() > MAX_QUEUED {
            self.merge_oldest();
        }
    }

    /// Merges the oldest two frames that were never sent: those that were sent may have been counted.
    fn merge_oldest(&mut self) {
        let Some(first) = self.frames.iter().position(|frame| frame.sent == 0) else { return };
        if first + 1 >= self.frames.len() {
            return;
        }
        if let Some(second) = self.frames.remove(first + 1)
            && let Some(into) = self.frames.get_mut(first)
        {
            into.seq_to = second.seq_to;
            into.until = second.until.max(into.until);
            into.second_end = second.second_end.max(into.second_end);
            into.counts.add(&second.counts);
        }
    }

    /// Calls `send` with each frame that is due, in order, and sets when it is due again.
    pub fn send_due(&mut self, now: Time, mut send: impl FnMut(&QueuedFrame<C>)) {
        for frame in self.frames.iter_mut().take(MAX_SENT).filter(|frame| frame.send_at <= now) {
            send(frame);
            frame.send_at = now.saturating_add((SECOND << frame.sent.min(3)).min(MAX_RESEND));
            frame.sent += 1;
        }
    }

    /// Makes all frames due at an instant: the connection is back, or nothing else is to come.
    pub fn hurry(&mut self, at: Time) {
        self.frames.iter_mut().for_each(|frame| frame.send_at = frame.send_at.min(at));
    }

    /// Forgets all frames, since a snapshot of everything up to the [last number](Self::last_seq) takes their place.
    pub fn give_way(&mut self) {
        self.frames.clear();
    }

    /// Forgets the frames up to a number that the coordinator has counted.
    pub fn acknowledge(&mut self, seq: u64) {
        if seq < self.next_seq && seq > self.acknowledged {
            self.acknowledged = seq;
            while self.frames.front().is_some_and(|frame| frame.seq_to <= seq) {
                self.frames.pop_front();
            }
        }
    }

    /// Returns the instant at which a frame is due.
    pub fn next_due(&self) -> Option<Time> {
        self.frames.iter().take(MAX_SENT).map(|frame| frame.send_at).min()
    }

    /// Returns the frames that are not acknowledged.
    pub fn frames(&self) -> impl Iterator<Item = &QueuedFrame<C>> {
        self.frames.iter()
    }

    /// Returns the number of frames that are not acknowledged.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Returns `true` if everything is acknowledged.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Returns the greatest number given to a frame, 0 before the first.
    pub const fn last_seq(&self) -> u64 {
        self.next_seq - 1
    }

    /// Returns the greatest number that was acknowledged.
    pub const fn acknowledged(&self) -> u64 {
        self.acknowledged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counts::{CountsError, PromisedStarts};

    #[derive(Clone, Debug, Default, PartialEq)]
    struct Seconds(Vec<u32>);

    impl Counts for Seconds {
        fn add(&mut self, other: &Self) {
            self.0.extend(&other.0);
        }
        fn write(&self, _: &mut Vec<u8>) {}
        fn read(&self, _: &[u8]) -> Result<Self, CountsError> {
            Ok(self.clone())
        }
        fn is_empty(&self) -> bool {
            self.0.is_empty()
        }
        fn starts(&self) -> PromisedStarts {
            PromisedStarts::default()
        }
        fn difference(&self, _: &Self) -> Option<String> {
            None
        }
    }

    fn counted(second: u32) -> CountedSecond<Seconds> {
        CountedSecond { second, until: 0, counts: Seconds(vec![second]) }
    }

    fn queue(seconds: std::ops::Range<u32>) -> FrameQueue<Seconds> {
        let mut queue = FrameQueue::default();
        for second in seconds {
            queue.push(counted(second), 0);
        }
        queue
    }

    fn sent(queue: &mut FrameQueue<Seconds>, now: Time) -> Vec<(u64, u64)> {
        let mut sent = Vec::new();
        queue.send_due(now, |frame| sent.push((frame.seq_from, frame.seq_to)));
        sent
    }

    #[test]
    fn what_is_not_acknowledged_is_sent_again_later_and_later() {
        let mut queue = queue(0..2);
        assert_eq!(sent(&mut queue, 0), [(1, 1), (2, 2)]);
        assert_eq!(sent(&mut queue, SECOND - 1), []);
        assert_eq!(sent(&mut queue, SECOND), [(1, 1), (2, 2)]);
        queue.acknowledge(1);
        assert_eq!((sent(&mut queue, 2 * SECOND), queue.next_due()), (vec![], Some(3 * SECOND)));
        queue.hurry(2 * SECOND);
        assert_eq!(sent(&mut queue, 2 * SECOND), [(2, 2)]);
        queue.acknowledge(2);
        assert!(queue.is_empty() && queue.next_due().is_none());
    }

    #[test]
    fn frames_that_were_sent_are_never_merged() {
        let mut queue = queue(0..10);
        assert_eq!(sent(&mut queue, 0).len(), MAX_SENT);
        for second in 10..200 {
            queue.push(counted(second), 0);
        }
        assert_eq!(queue.len(), MAX_QUEUED);
        let frames: Vec<_> = queue.frames().map(|frame| (frame.seq_from, frame.seq_to)).collect();
        assert_eq!(frames[..8], (1..=8).map(|seq| (seq, seq)).collect::<Vec<_>>());
        assert!(frames.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0), "no number is missing");
        let all: Vec<_> = queue.frames().flat_map(|frame| frame.counts.0.clone()).collect();
        assert_eq!(all, (0..200).collect::<Vec<_>>(), "nothing is dropped");
    }

    #[test]
    fn an_acknowledgement_of_what_was_never_sent_means_nothing() {
        let mut queue = queue(0..3);
        queue.acknowledge(4);
        assert_eq!((queue.len(), queue.acknowledged()), (3, 0));
        queue.acknowledge(2);
        queue.acknowledge(1);
        assert_eq!((queue.len(), queue.acknowledged()), (1, 2));
    }
}
