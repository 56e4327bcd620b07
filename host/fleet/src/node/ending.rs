//! The end of a node: its last frames are acknowledged or stored, and its cumulative counts are stored, with which the
//! coordinator compares the sum of the frames.

use super::running::frame_head;
use super::{FleetNode, NodeCommand, NodeExit, NodePhase};
use crate::counts::Counts;
use crate::frame::{ParcelHead, ParcelKind, encode};
use crate::message::EndCause;
use crate::plan::{FLUSH, STORE};
use crate::time::{SECOND, Time};

/// The wait for the last counts of a load generator that was given up.
const LAST_COUNTS: Time = 2 * SECOND;

/// The wait after a message that was not stored.
const RETRY: Time = SECOND;

impl<C: Counts> FleetNode<C> {
    pub(super) fn load_ended(&mut self) {
        if self.phase == NodePhase::Running {
            self.begin_flushing();
        }
        if self.phase == NodePhase::Flushing {
            self.due.retry = self.now;
        }
    }

    /// No longer waits for the end of the load. The process may have stood still: what was counted meanwhile is on its
    /// way.
    pub(super) fn give_generator_up(&mut self) {
        self.begin_flushing();
        self.due.retry = self.now + LAST_COUNTS;
    }

    fn begin_flushing(&mut self) {
        self.phase = NodePhase::Flushing;
        self.queue.hurry(self.now);
        self.due.phase_end = self.now + FLUSH;
    }

    /// Waits until everything is acknowledged, but not for long.
    pub(super) fn flush(&mut self, out: &mut Vec<NodeCommand>) {
        if self.load.end == Some(EndCause::Fenced) {
            return self.finish(NodeExit::Fenced, out);
        }
        let is_done = self.queue.is_empty() && self.snapshot.is_none() && self.now >= self.due.retry;
        if is_done || self.now >= self.due.phase_end {
            return self.begin_storing();
        }
        if self.now >= self.due.heartbeat {
            self.beat(out);
        }
        self.send_counts(out);
    }

    /// Lists the messages to store: the frames that may not have been counted, and everything that was.
    fn begin_storing(&mut self) {
        let (sender, Some(run)) = (self.sender(), self.plan.as_ref().map(|plan| plan.run.clone())) else { return };
        let mut body = Vec::new();
        for frame in self.queue.frames() {
            body.clear();
            frame.counts.write(&mut body);
            self.stores.extend(encode(&frame_head(frame, &run, &sender), &body).into_iter().flatten());
        }
        body.clear();
        self.cumulative.write(&mut body);
        let head = ParcelHead {
            kind: ParcelKind::Final,
            run,
            sender,
            term: 0,
            seq_from: 1,
            seq_to: self.queue.last_seq(),
            second_from: self.load.from_second,
            second_end: self.load.second_end,
            until: self.load.until,
            age: 0,
            end: self.load.end.unwrap_or(EndCause::Planned),
        };
        self.stores.extend(encode(&head, &body).into_iter().flatten());
        self.phase = NodePhase::Storing;
        (self.due.retry, self.due.phase_end) = (self.now, self.now + STORE);
    }

    /// Stores one message after the other: their order is that in which they are counted.
    pub(super) fn store(&mut self, out: &mut Vec<NodeCommand>) {
        if self.now >= self.due.phase_end {
            return self.finish(NodeExit::Unreported, out);
        }
        let Some(payload) = self.stores.front() else { return self.finish(NodeExit::Done, out) };
        if !self.is_storing && self.now >= self.due.retry {
            self.is_storing = true;
            let id = format!("{}-{}-{}", self.settings.run, self.settings.name, self.stored);
            out.push(NodeCommand::Store { id, payload: payload.clone() });
        }
    }

    pub(super) fn store_answered(&mut self, is_stored: bool) {
        if !std::mem::take(&mut self.is_storing) {
            return;
        }
        if is_stored {
            self.stores.pop_front();
            self.stored += 1;
        } else {
            self.due.retry = self.now + RETRY;
        }
    }
}
