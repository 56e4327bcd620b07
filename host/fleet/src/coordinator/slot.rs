//! The place of one segment: the node that holds it, and those that held it before.

use super::report::NodeShare;
use crate::counts::{Counts, PromisedStarts};
use crate::frame::{Assembly, FrameInbox, ParcelHead};
use crate::message::{EndCause, Heartbeat, Sender};
use crate::names::NodeName;
use crate::time::{SECOND, Time};

/// The states of a node that holds a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HolderState {
    /// It waits for the start.
    Ready,
    /// Its load goes on.
    Running,
    /// It is silent, and its lease has lapsed. It may come back.
    Lost,
    /// Its final counts have come.
    Ended,
}

/// A node that holds a segment.
#[derive(Clone, Debug)]
pub(crate) struct Holder<C> {
    pub(crate) sender: Sender,
    pub(crate) state: HolderState,
    /// The instant of its last message.
    pub(crate) heard: Time,
    /// The first second that it carries out.
    pub(crate) from_second: u32,
    /// The frames that were taken; `None` until a snapshot tells where they begin.
    pub(crate) inbox: Option<FrameInbox>,
    /// The sum of what was taken.
    pub(crate) counts: C,
    pub(crate) frames: Assembly,
    /// Final counts that wait for frames before them.
    pub(crate) pending: Option<FinalCounts<C>>,
    pub(crate) end: Option<EndCause>,
    pub(crate) difference: Option<String>,
    pub(crate) last: Option<Heartbeat>,
    pub(crate) clock_bound: Time,
    /// The node that has the lease in its place.
    pub(crate) superseded_by: Option<NodeName>,
    /// The instant from which a snapshot may be asked for again.
    pub(crate) ask_at: Time,
}

/// The final counts of a node.
#[derive(Clone, Debug)]
pub(crate) struct FinalCounts<C> {
    pub(crate) head: ParcelHead,
    pub(crate) counts: C,
}

impl<C: Counts> Holder<C> {
    /// Returns a node that is ready or running, of which nothing was taken.
    pub(crate) fn new(sender: Sender, state: HolderState, empty: &C, now: Time) -> Self {
        Self {
            sender,
            state,
            heard: now,
            from_second: 0,
            inbox: None,
            counts: empty.clone(),
            frames: Assembly::default(),
            pending: None,
            end: None,
            difference: None,
            last: None,
            clock_bound: 0,
            superseded_by: None,
            ask_at: now,
        }
    }

    /// Returns `true` if seconds wait for it.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.state, HolderState::Ready | HolderState::Running)
    }

    /// Returns the second after the last one that was taken.
    pub(crate) fn second_end(&self) -> u32 {
        self.inbox.as_ref().map_or(0, FrameInbox::second_end)
    }

    /// Takes the snapshot or the final counts of a node of which nothing was taken.
    pub(crate) fn begin_after(&mut self, head: &ParcelHead, counts: C) {
        self.inbox = Some(FrameInbox::begin_after(head));
        self.from_second = head.second_from;
        self.counts = counts;
    }

    /// Settles the final counts, once all frames before them were taken. Returns `true` if it did.
    pub(crate) fn settle(&mut self) -> bool {
        let seq = self.inbox.as_ref().map(FrameInbox::seq);
        let Some(pending) = self.pending.take_if(|pending| seq == Some(pending.head.seq_to)) else { return false };
        self.difference = pending.counts.difference(&self.counts);
        self.end = Some(pending.head.end);
        self.state = HolderState::Ended;
        if let Some(inbox) = &mut self.inbox {
            inbox.take(&pending.head);
        }
        true
    }

    /// Returns its part in the segment.
    pub(crate) fn share(&self) -> NodeShare {
        let from = Time::from(self.from_second) * SECOND;
        let is_known = self.end.is_some() || self.state == HolderState::Ready;
        NodeShare {
            node: self.sender.node.clone(),
            from,
            until: self.inbox.as_ref().map_or(from, FrameInbox::until).max(from),
            starts: if self.inbox.is_some() { self.counts.starts() } else { PromisedStarts::default() },
            seq: self.inbox.as_ref().map_or(0, FrameInbox::seq),
            end: self.end,
            difference: self.difference.clone(),
            unknown: if is_known { 0 } else { self.last.as_ref().map_or(0, |last| last.health.in_flight) },
            clock_bound: self.clock_bound,
            drift: self.last.as_ref().map_or(0, |last| last.drift),
        }
    }
}

/// The place of one segment.
#[derive(Clone, Debug)]
pub(crate) struct SegmentSlot<C> {
    pub(crate) holder: Option<Holder<C>>,
    /// The parts of nodes that held it before.
    pub(crate) past: Vec<NodeShare>,
    /// Parts of final counts.
    pub(crate) finals: Assembly,
    /// `true` if a node took part in it at the start.
    pub(crate) is_present: bool,
    /// A node that says it holds the segment, too: the lease decides.
    pub(crate) challenger: Option<NodeName>,
    pub(crate) is_looking: bool,
    /// The instant from which the lease may be looked at again.
    pub(crate) look_at: Time,
}

impl<C: Counts> SegmentSlot<C> {
    pub(crate) fn new() -> Self {
        let (past, finals) = (Vec::new(), Assembly::default());
        Self { holder: None, past, finals, is_present: false, challenger: None, is_looking: false, look_at: 0 }
    }

    /// Returns the node with this name, if it holds the segment.
    pub(crate) fn held_by(&mut self, node: &NodeName) -> Option<&mut Holder<C>> {
        self.holder.as_mut().filter(|holder| holder.sender.node == *node)
    }

    /// Returns `true` if another node has taken the place of this one.
    pub(crate) fn is_past(&self, node: &NodeName) -> bool {
        self.past.iter().any(|share| share.node == *node)
    }

    /// Lets the holder's part end, for another node. Returns the second from which that may carry the segment on.
    pub(crate) fn retire(&mut self) -> u32 {
        let Some(holder) = self.holder.take() else { return 0 };
        let second = holder.second_end();
        self.past.push(holder.share());
        second
    }

    /// Returns all parts.
    pub(crate) fn shares(&self) -> Vec<NodeShare> {
        self.past.iter().cloned().chain(self.holder.as_ref().map(Holder::share)).collect()
    }
}
