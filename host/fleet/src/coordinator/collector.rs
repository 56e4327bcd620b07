//! The collection of counts: frames in the order of their numbers, each once; snapshots after a restart; final counts,
//! with which the sum of a node's frames must be equal.

use super::Coordinator;
use super::event::{CoordinatorCommand, FleetNote};
use super::slot::{FinalCounts, Holder, HolderState};
use super::windows::WindowPart;
use crate::counts::{Counts, FleetSchedule};
use crate::frame::{FrameInbox, ParcelHead, ParcelKind, ParcelPart, Taken};
use crate::message::{RunStage, ToNode};
use crate::names::NodeName;
use crate::time::second_of;

impl<C: Counts, S: FleetSchedule> Coordinator<C, S> {
    pub(super) fn parcel(&mut self, from: &NodeName, payload: &[u8], out: &mut Vec<CoordinatorCommand<C>>) {
        // The node sends a damaged frame again.
        let Ok(part) = ParcelPart::decode(payload) else { return };
        if part.head.run != self.plan.run || part.head.sender.node != *from {
            return;
        }
        match part.head.kind {
            ParcelKind::Frame => self.frame(&part, out),
            ParcelKind::Snapshot => self.snapshot(&part, out),
            ParcelKind::Final => self.final_counts(&part, out),
        }
    }

    fn frame(&mut self, part: &ParcelPart<'_>, out: &mut Vec<CoordinatorCommand<C>>) {
        let (head, now) = (&part.head, self.now);
        if !self.recognize(&head.sender, true, out) {
            return;
        }
        let current = second_of(self.age().unwrap_or(0));
        let Some(slot) = self.slots.get_mut(head.sender.segment as usize) else { return };
        let Some(holder) = slot.held_by(&head.sender.node) else { return };
        // Frames of a node that is not known yet come again when its snapshot was taken.
        let Some(inbox) = &holder.inbox else { return self.ask_snapshot(&head.sender, out) };
        match inbox.examine(head) {
            Taken::Early => return,
            Taken::Known => {}
            Taken::Next => {
                let Some(body) = holder.frames.take(part) else { return };
                let counts = match self.empty.read(&body) {
                    Ok(counts) => counts,
                    Err(error) => {
                        let (node, reason) = (head.sender.node.clone(), error.to_string());
                        return out.push(CoordinatorCommand::Note(FleetNote::Unreadable { node, reason }));
                    }
                };
                holder.take_frame(head, &counts);
                holder.heard = now;
                let (segment, second_from, second_end) = (head.sender.segment, head.second_from, head.second_end);
                self.windows.add(WindowPart { segment, second_from, second_end, counts }, current);
                self.settle(segment, out);
            }
        }
        self.acknowledge(&head.sender.node, head.sender.segment, out);
    }

    fn acknowledge(&self, node: &NodeName, segment: u32, out: &mut Vec<CoordinatorCommand<C>>) {
        let holder = self.slots.get(segment as usize).and_then(|slot| slot.holder.as_ref());
        if let Some(inbox) = holder.and_then(|holder| holder.inbox.as_ref()) {
            self.send(node, &ToNode::Ack { term: self.term(), seq: inbox.seq() }, out);
        }
    }

    fn snapshot(&mut self, part: &ParcelPart<'_>, out: &mut Vec<CoordinatorCommand<C>>) {
        let head = &part.head;
        if head.term != self.term() || !self.recognize(&head.sender, true, out) {
            return;
        }
        let Some(slot) = self.slots.get_mut(head.sender.segment as usize) else { return };
        let Some(holder) = slot.held_by(&head.sender.node) else { return };
        if holder.inbox.is_none() {
            let Some(body) = holder.frames.take(part) else { return };
            match self.empty.read(&body) {
                Ok(counts) => {
                    holder.begin_after(head, counts.clone());
                    self.learn_start(head.age);
                    self.baseline(head, counts, out);
                }
                Err(error) => {
                    let (node, reason) = (head.sender.node.clone(), error.to_string());
                    return out.push(CoordinatorCommand::Note(FleetNote::Unreadable { node, reason }));
                }
            }
        }
        self.acknowledge(&head.sender.node, head.sender.segment, out);
    }

    fn baseline(&self, head: &ParcelHead, counts: C, out: &mut Vec<CoordinatorCommand<C>>) {
        let (segment, second_from, second_end) = (head.sender.segment, head.second_from, head.second_end);
        out.push(CoordinatorCommand::Baseline(WindowPart { segment, second_from, second_end, counts }));
    }

    fn final_counts(&mut self, part: &ParcelPart<'_>, out: &mut Vec<CoordinatorCommand<C>>) {
        let head = &part.head;
        let has_started = self.state.state.stage != RunStage::Gathering;
        let Some(slot) = self.slots.get_mut(head.sender.segment as usize).filter(|_| has_started) else { return };
        let is_holder = slot.held_by(&head.sender.node).is_some();
        let is_known = is_holder || slot.is_past(&head.sender.node);
        if is_known != is_holder || !is_known && !self.is_resumed {
            return;
        }
        let Some(body) = slot.finals.take(part) else { return };
        let counts = match self.empty.read(&body) {
            Ok(counts) => counts,
            Err(error) => {
                let (node, reason) = (head.sender.node.clone(), error.to_string());
                return out.push(CoordinatorCommand::Note(FleetNote::Unreadable { node, reason }));
            }
        };
        let mut unknown = Holder::new(head.sender.clone(), HolderState::Running, &self.empty, self.now);
        let is_free = slot.holder.is_none();
        let holder = match &mut slot.holder {
            Some(holder) if is_holder => holder,
            // It ended before this coordinator began.
            _ => &mut unknown,
        };
        let is_new = holder.inbox.is_none();
        if is_new {
            holder.begin_after(head, counts.clone());
        }
        if holder.state != HolderState::Ended {
            holder.heard = self.now;
            holder.pending = Some(FinalCounts { head: head.clone(), counts: counts.clone() });
        }
        if is_free {
            slot.holder = Some(unknown);
        } else if !is_holder {
            unknown.settle();
            slot.past.push(unknown.share());
        }
        if is_new {
            self.baseline(head, counts, out);
        }
        self.settle(head.sender.segment, out);
    }

    /// Settles the final counts of a segment's node, if all of its frames were taken.
    fn settle(&mut self, segment: u32, out: &mut Vec<CoordinatorCommand<C>>) {
        let Some(holder) = self.slots.get_mut(segment as usize).and_then(|slot| slot.holder.as_mut()) else { return };
        if holder.settle()
            && let Some(end) = holder.end
        {
            let node = holder.sender.node.clone();
            out.push(CoordinatorCommand::Note(FleetNote::Ended { segment, node, end }));
            self.due.scan = self.now;
        }
    }
}

impl<C: Counts> Holder<C> {
    /// Adds a frame that is the next one.
    fn take_frame(&mut self, head: &ParcelHead, counts: &C) {
        self.counts.add(counts);
        if let Some(inbox) = &mut self.inbox {
            if inbox.seq() == 0 {
                // A node that learned late of the start has left out what had passed.
                self.from_second = self.from_second.max(head.second_from);
                *inbox = FrameInbox::new(self.from_second);
            }
            inbox.take(head);
        }
    }
}
