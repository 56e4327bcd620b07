//! The load of a node while it goes on: frames and heartbeats to the coordinator, and the ends that need no order.

use super::{FleetNode, LoadOrder, NodeCommand, NodePhase, PendingSnapshot};
use crate::counts::Counts;
use crate::frame::{CountedSecond, ParcelHead, ParcelKind, QueuedFrame, encode};
use crate::message::{EndCause, FromNode, Heartbeat, Sender, write_message};
use crate::names::RunId;
use crate::plan::{LatePolicy, LossPolicy};
use crate::subjects::Channel;
use crate::time::{SECOND, Time};

/// The time between two heartbeats.
const BEAT_EVERY: Time = SECOND;

/// The time between two copies of a snapshot.
const SNAPSHOT_EVERY: Time = 2 * SECOND;

/// The time beyond a grace after which a load generator is no longer waited for.
const GENERATOR_MARGIN: Time = 10 * SECOND;

impl<C: Counts> FleetNode<C> {
    pub(super) fn counted(&mut self, counted: CountedSecond<C>) {
        if !matches!(self.phase, NodePhase::Running | NodePhase::Flushing) {
            return;
        }
        let load = &mut self.load;
        load.second_end = load.second_end.max(counted.second.saturating_add(1));
        load.until = load.until.max(counted.until);
        self.cumulative.add(&counted.counts);
        let wait = if self.phase == NodePhase::Running { self.stagger() } else { 0 };
        self.queue.push(counted, self.now + wait);
    }

    pub(super) fn run(&mut self, out: &mut Vec<NodeCommand>) {
        if self.load.end.is_none() && self.is_orphan() {
            self.order_end(EndCause::Orphaned, LoadOrder::End { at: self.now }, out);
        }
        if self.hard_end().is_some_and(|end| self.now >= end) {
            self.end_load(EndCause::HardEnd, out);
        }
        if self.lapse_end().is_some_and(|end| self.now >= end) {
            self.end_load(EndCause::Lapsed, out);
        }
        if self.generator_end().is_some_and(|end| self.now >= end) {
            self.give_generator_up();
            return self.flush(out);
        }
        self.look_for_coordinator(out);
        if self.now >= self.due.heartbeat {
            self.beat(out);
        }
        self.send_counts(out);
    }

    /// Sends a heartbeat.
    pub(super) fn beat(&mut self, out: &mut Vec<NodeCommand>) {
        self.due.heartbeat = self.now + BEAT_EVERY;
        let heartbeat = FromNode::Heartbeat(Heartbeat {
            sender: self.sender(),
            is_running: matches!(self.phase, NodePhase::Running | NodePhase::Flushing),
            steered: self.load.steered,
            drift: self.clock.drift(),
            queued: u32::try_from(self.queue.len()).unwrap_or(u32::MAX),
            health: self.health,
        });
        out.push(NodeCommand::Publish(Channel::Heartbeat, write_message(&heartbeat)));
    }

    /// Sends the snapshot, if one is wanted, and the frames that are due.
    pub(super) fn send_counts(&mut self, out: &mut Vec<NodeCommand>) {
        let mut publish = |head: &ParcelHead, body: &[u8]| {
            let messages = encode(head, body).into_iter().flatten();
            out.extend(messages.map(|message| NodeCommand::Publish(Channel::Counts, message)));
        };
        let (sender, Some(run)) = (self.sender(), self.plan.as_ref().map(|plan| plan.run.clone())) else { return };
        if let Some(snapshot) = &mut self.snapshot {
            if snapshot.send_at <= self.now {
                snapshot.send_at = self.now + SNAPSHOT_EVERY;
                let start = self.load.start.unwrap_or(self.now);
                let head = ParcelHead {
                    kind: ParcelKind::Snapshot,
                    run,
                    sender,
                    term: self.coordinator.term,
                    seq_from: 1,
                    seq_to: snapshot.seq,
                    second_from: self.load.from_second,
                    second_end: snapshot.second_end,
                    until: snapshot.until,
                    age: self.now.saturating_sub(start),
                    end: EndCause::Planned,
                };
                publish(&head, &snapshot.body);
            }
            // Frames follow on the snapshot.
            return;
        }
        let mut body = Vec::new();
        self.queue.send_due(self.now, |frame| {
            body.clear();
            frame.counts.write(&mut body);
            publish(&frame_head(frame, &run, &sender), &body);
        });
    }

    pub(super) fn acknowledged(&mut self, seq: u64) {
        if self.snapshot.as_ref().is_some_and(|snapshot| seq >= snapshot.seq) {
            self.snapshot = None;
        }
        self.queue.acknowledge(seq);
    }

    /// Sums up everything for a coordinator that is new, once: its frames go on after that. The frames inside are no
    /// longer needed one by one, and one that was merged with a later frame would be half known.
    pub(super) fn want_snapshot(&mut self, term: u64) {
        if !matches!(self.phase, NodePhase::Running | NodePhase::Flushing) {
            return;
        }
        if self.snapshot_term == term {
            if let Some(snapshot) = &mut self.snapshot {
                snapshot.send_at = self.now;
            }
            return;
        }
        self.snapshot_term = term;
        let mut body = Vec::new();
        self.cumulative.write(&mut body);
        self.queue.give_way();
        let seq = self.queue.last_seq();
        let (second_end, until) = (self.load.second_end, self.load.until);
        self.snapshot = Some(PendingSnapshot { seq, body, second_end, until, send_at: self.now });
    }

    /// Orders the load to end, if it was not ordered before.
    pub(super) fn order_end(&mut self, cause: EndCause, order: LoadOrder, out: &mut Vec<NodeCommand>) {
        if self.load.end.is_none() {
            (self.load.end, self.load.ordered) = (Some(cause), self.now);
            if let LoadOrder::End { at } = order {
                self.load.ordered = self.now.max(at);
            }
            out.push(NodeCommand::Load(order));
        }
    }

    /// Orders the load to end at once, whatever was ordered before.
    pub(super) fn end_load(&mut self, cause: EndCause, out: &mut Vec<NodeCommand>) {
        if !self.load.is_aborted {
            self.load.is_aborted = true;
            (self.load.end, self.load.ordered) = (Some(cause), self.now);
            out.push(NodeCommand::Load(LoadOrder::Abort));
        }
    }

    /// Returns the instant at which the load ends, whatever is heard.
    pub(super) fn hard_end(&self) -> Option<Time> {
        let end = self.load.start?.saturating_add(self.plan.as_ref()?.hard_end());
        (self.phase == NodePhase::Running && !self.load.is_aborted).then_some(end)
    }

    /// Returns the instant at which another node may carry the segment out, if the plan lets it.
    pub(super) fn lapse_end(&self) -> Option<Time> {
        let plan = self.plan.as_ref()?;
        let has_rivals = plan.loss == LossPolicy::Respawn || plan.late == LatePolicy::Join;
        (has_rivals && self.phase == NodePhase::Running && !self.load.is_aborted).then(|| self.lease.lapse())
    }

    /// Returns the instant at which a load generator that was ordered to end is no longer waited for.
    pub(super) fn generator_end(&self) -> Option<Time> {
        self.load.end.filter(|_| self.phase == NodePhase::Running)?;
        let grace =
            if self.load.is_aborted { 0 } else { self.plan.as_ref()?.hard_end() - self.plan.as_ref()?.length() };
        Some(self.load.ordered.saturating_add(grace).saturating_add(GENERATOR_MARGIN))
    }
}

/// Returns the head of a frame's parcel.
pub(super) fn frame_head<C>(frame: &QueuedFrame<C>, run: &RunId, sender: &Sender) -> ParcelHead {
    ParcelHead {
        kind: ParcelKind::Frame,
        run: run.clone(),
        sender: sender.clone(),
        term: 0,
        seq_from: frame.seq_from,
        seq_to: frame.seq_to,
        second_from: frame.second_from,
        second_end: frame.second_end,
        until: frame.until,
        age: 0,
        end: EndCause::Planned,
    }
}
