//! The frames of a node as the coordinator takes them: each number once, in order.

use super::parcel::ParcelHead;
use crate::time::{SECOND, Time};

/// The numbers and seconds that were taken from one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameInbox {
    /// The greatest number that was taken: all up to it were.
    seq: u64,
    /// The second after the last one that was taken.
    second_end: u32,
    /// The instant before which everything that was due was taken.
    until: Time,
}

/// The fate of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is the next one, and is counted.
    Next,
    /// It was counted before.
    Known,
    /// Frames before it are missing: it is sent again after those.
    Early,
}

impl FrameInbox {
    /// Returns an inbox for a node that begins in this second.
    pub const fn new(from_second: u32) -> Self {
        Self { seq: 0, second_end: from_second, until: from_second as Time * SECOND }
    }

    /// Returns the fate of a frame, and changes nothing.
    pub const fn examine(&self, head: &ParcelHead) -> Taken {
        // A merged frame has only numbers that were never sent before, so it is new as a whole or known as a whole.
        if head.seq_from == self.seq.saturating_add(1) && head.seq_from > self.seq {
            Taken::Next
        } else if head.seq_from <= self.seq {
            Taken::Known
        } else {
            Taken::Early
        }
    }

    /// Notes that a frame which is [`Taken::Next`] was counted.
    pub fn take(&mut self, head: &ParcelHead) {
        self.seq = head.seq_to;
        self.second_end = self.second_end.max(head.second_end);
        self.until = self.until.max(head.until);
    }

    /// Begins anew after everything that a snapshot or a final parcel sums up.
    pub const fn begin_after(head: &ParcelHead) -> Self {
        Self { seq: head.seq_to, second_end: head.second_end, until: head.until }
    }

    /// Returns the greatest number that was taken.
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// Returns the instant, from the start of the load, before which everything that was due was taken.
    pub const fn until(&self) -> Time {
        self.until
    }

    /// Returns the second after the last one that was taken.
    pub const fn second_end(&self) -> u32 {
        self.second_end
    }
}
