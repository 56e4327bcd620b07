//! The messages of nodes that are not counts: clock probes, readiness and heartbeats, and who takes part. Of two nodes
//! that say they hold a segment, the lease decides.

use super::event::{CoordinatorCommand, FleetNote};
use super::slot::{Holder, HolderState};
use super::{Coordinator, CoordinatorPhase};
use crate::counts::{Counts, FleetSchedule};
use crate::frame::FrameInbox;
use crate::message::{FromNode, Heartbeat, MAX_MESSAGE, Readiness, Refused, Sender, ToNode, read_message};
use crate::names::NodeName;
use crate::plan::{LatePolicy, LossPolicy};
use crate::time::{SECOND, Time, second_of};

/// The time between two requests for a snapshot.
const ASK_EVERY: Time = 2 * SECOND;

/// The time between two looks at the lease of a segment.
pub(super) const LOOK_EVERY: Time = SECOND;

/// The nodes that are remembered as refused.
const MAX_REFUSED: usize = 2_000;

impl<C: Counts, S: FleetSchedule> Coordinator<C, S> {
    pub(super) fn node_message(&mut self, from: &NodeName, payload: &[u8], out: &mut Vec<CoordinatorCommand<C>>) {
        match read_message(payload, MAX_MESSAGE) {
            Ok(FromNode::Probe { node, number }) if node == *from => {
                let reply = ToNode::ProbeReply { term: self.term(), number, time: self.now };
                self.send(from, &reply, out);
            }
            Ok(FromNode::Ready(ready)) if ready.sender.node == *from => self.ready(ready, out),
            Ok(FromNode::Heartbeat(beat)) if beat.sender.node == *from => self.heartbeat(beat, out),
            // Not a message, or one under another name.
            _ => {}
        }
    }

    fn ready(&mut self, ready: Readiness, out: &mut Vec<CoordinatorCommand<C>>) {
        let (sender, term) = (ready.sender.clone(), self.term());
        if ready.term != term {
            return;
        }
        if let Some(reason) = self.objection(&ready) {
            return self.refuse(&sender, reason, out);
        }
        let Some(slot) = self.slots.get_mut(sender.segment as usize) else { return };
        if slot.is_past(&sender.node) {
            return self.send(&sender.node, &ToNode::Fenced { term: self.term() }, out);
        }
        if let Some(holder) = slot.held_by(&sender.node) {
            (holder.heard, holder.sender) = (self.now, sender.clone());
            if holder.state == HolderState::Ready && self.phase != CoordinatorPhase::Resuming {
                let admitted = ToNode::Admitted { term, from_second: holder.from_second };
                self.send(&sender.node, &admitted, out);
            }
            return;
        }
        let challenges = slot.holder.as_ref().is_some_and(|it| it.superseded_by.as_ref() != Some(&sender.node));
        if challenges {
            return self.challenge(sender.segment, sender.node, out);
        }
        match self.phase {
            CoordinatorPhase::Gathering | CoordinatorPhase::Starting => self.admit(&ready, 0, out),
            CoordinatorPhase::Running => self.admit_late(&ready, out),
            // The node says it again in a second, when it is known from where it goes on.
            _ => {}
        }
    }

    /// Returns the reason for which a node cannot take part.
    fn objection(&self, ready: &Readiness) -> Option<Refused> {
        let bound = self.plan.clock.bound_us.saturating_mul(1_000);
        if ready.sender.segment >= self.plan.segments {
            Some(Refused::Segment(ready.sender.segment))
        } else if ready.version != self.plan.version {
            Some(Refused::Version(ready.version.clone()))
        } else if ready.digest != self.plan.digest {
            Some(Refused::Digest(ready.digest.clone()))
        } else if self.plan.clock.is_strict && ready.clock_bound > bound {
            Some(Refused::Clock(ready.clock_bound))
        } else {
            None
        }
    }

    fn refuse(&mut self, sender: &Sender, reason: Refused, out: &mut Vec<CoordinatorCommand<C>>) {
        let (segment, node) = (sender.segment, sender.node.clone());
        let refused = ToNode::Refused { term: self.term(), reason: reason.clone() };
        self.send(&node, &refused, out);
        if self.refused.len() < MAX_REFUSED && self.refused.insert(node.clone(), reason.clone()).is_none() {
            out.push(CoordinatorCommand::Note(FleetNote::Refused { segment, node, reason }));
        }
    }

    fn admit(&mut self, ready: &Readiness, from_second: u32, out: &mut Vec<CoordinatorCommand<C>>) {
        let sender = ready.sender.clone();
        let (segment, node) = (sender.segment, sender.node.clone());
        let mut holder = Holder::new(sender, HolderState::Ready, &self.empty, self.now);
        (holder.from_second, holder.clock_bound) = (from_second, ready.clock_bound);
        holder.inbox = Some(FrameInbox::new(from_second));
        if let Some(slot) = self.slots.get_mut(segment as usize) {
            slot.holder = Some(holder);
        }
        self.refused.remove(&node);
        self.send(&node, &ToNode::Admitted { term: self.term(), from_second }, out);
        if ready.clock_bound > self.plan.clock.bound_us.saturating_mul(1_000) {
            let (node, bound) = (node.clone(), ready.clock_bound);
            out.push(CoordinatorCommand::Note(FleetNote::UncertainClock { node, bound }));
        }
        out.push(CoordinatorCommand::Note(FleetNote::Admitted { segment, node, from_second }));
    }

    /// Admits a node that comes after the start, if the policy allows it.
    fn admit_late(&mut self, ready: &Readiness, out: &mut Vec<CoordinatorCommand<C>>) {
        let age = self.age().unwrap_or(0);
        let Some(slot) = self.slots.get_mut(ready.sender.segment as usize) else { return };
        let is_vacant = slot.holder.is_none() && slot.past.is_empty();
        let may_come = if is_vacant && !slot.is_present {
            self.plan.late == LatePolicy::Join
        } else if is_vacant && self.is_resumed {
            // It was admitted by the coordinator before and did not learn of the start.
            true
        } else {
            self.plan.loss == LossPolicy::Respawn
        };
        if !may_come || age >= self.plan.length() || self.state.state.stop.is_some() {
            return self.refuse(&ready.sender, Refused::Late, out);
        }
        let from_second = slot.retire().max(second_of(age).saturating_add(2));
        let from_second = if age == 0 && is_vacant { 0 } else { from_second };
        self.admit(ready, from_second, out);
    }

    fn heartbeat(&mut self, beat: Heartbeat, out: &mut Vec<CoordinatorCommand<C>>) {
        let (sender, is_running) = (beat.sender.clone(), beat.is_running);
        if !self.recognize(&sender, is_running, out) {
            return;
        }
        let slot = self.slots.get_mut(sender.segment as usize);
        if let Some(holder) = slot.and_then(|slot| slot.held_by(&sender.node)) {
            holder.last = Some(beat);
        }
        if is_running {
            self.ask_snapshot(&sender, out);
        }
    }

    /// Asks a running node for all of its counts, if nothing was taken from it and it was not asked just now.
    pub(super) fn ask_snapshot(&mut self, sender: &Sender, out: &mut Vec<CoordinatorCommand<C>>) {
        let (term, now) = (self.term(), self.now);
        let slot = self.slots.get_mut(sender.segment as usize);
        let holder = slot.and_then(|slot| slot.held_by(&sender.node));
        if let Some(holder) = holder.filter(|holder| holder.inbox.is_none() && now >= holder.ask_at) {
            holder.ask_at = now + ASK_EVERY;
            self.send(&sender.node, &ToNode::WantSnapshot { term }, out);
        }
    }

    /// Returns `true` if a message is from the node that holds its segment, and notes its sign of life. A running node
    /// that the coordinator before has admitted becomes the holder.
    pub(super) fn recognize(
        &mut self,
        sender: &Sender,
        is_running: bool,
        out: &mut Vec<CoordinatorCommand<C>>,
    ) -> bool {
        let Some(slot) = self.slots.get_mut(sender.segment as usize) else { return false };
        if slot.is_past(&sender.node) {
            self.send(&sender.node, &ToNode::Fenced { term: self.term() }, out);
            return false;
        }
        let is_superseded = slot.holder.as_ref().is_some_and(|it| it.superseded_by.as_ref() == Some(&sender.node));
        if is_superseded && self.is_resumed && is_running {
            slot.retire();
        }
        if slot.holder.is_none() && self.is_resumed && is_running {
            slot.holder = Some(Holder::new(sender.clone(), HolderState::Running, &self.empty, self.now));
        }
        let Some(holder) = slot.held_by(&sender.node) else {
            if slot.holder.is_some() {
                self.challenge(sender.segment, sender.node.clone(), out);
            }
            return false;
        };
        (holder.heard, holder.sender.epoch) = (self.now, sender.epoch);
        if holder.state == HolderState::Lost {
            holder.state = HolderState::Running;
            holder.superseded_by = None;
            let (segment, node) = (sender.segment, sender.node.clone());
            out.push(CoordinatorCommand::Note(FleetNote::Returned { segment, node }));
        } else if holder.state == HolderState::Ready && is_running {
            holder.state = HolderState::Running;
        }
        true
    }

    /// Looks at the lease, since a node says it holds a segment that another holds.
    fn challenge(&mut self, segment: u32, node: NodeName, out: &mut Vec<CoordinatorCommand<C>>) {
        let Some(slot) = self.slots.get_mut(segment as usize) else { return };
        slot.challenger = Some(node);
        self.look_at(segment, out);
    }

    pub(super) fn look_at(&mut self, segment: u32, out: &mut Vec<CoordinatorCommand<C>>) {
        let Some(slot) = self.slots.get_mut(segment as usize) else { return };
        if !slot.is_looking && self.now >= slot.look_at {
            slot.is_looking = true;
            slot.look_at = self.now + LOOK_EVERY;
            out.push(CoordinatorCommand::GetSegmentLease(segment));
        }
    }
}
