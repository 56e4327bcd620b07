//! The orders that a node takes: messages of the coordinator, what it reads after a reconnection, and the signal of its
//! own machine.

use super::{FleetNode, LoadOrder, NodeCommand, NodeExit, NodePhase, Record};
use crate::counts::{Counts, Steering};
use crate::message::{EndCause, MAX_ANSWER, Pulse, RunStage, RunState, StopOrder, ToNode, read_message};

impl<C: Counts> FleetNode<C> {
    pub(super) fn message(&mut self, bytes: &[u8], out: &mut Vec<NodeCommand>) {
        // Ignores bytes that are not a message: their sender is not a coordinator of this version.
        let Ok(message) = read_message::<ToNode>(bytes, MAX_ANSWER) else { return };
        if !self.hear(&message) {
            return;
        }
        match message {
            ToNode::ProbeReply { number, time, .. } => self.clock.answer(number, time, self.now),
            ToNode::Admitted { from_second, .. } => {
                if self.phase == NodePhase::Waiting {
                    self.load.admitted = Some(from_second);
                }
            }
            ToNode::Refused { reason, .. } => {
                if matches!(self.phase, NodePhase::Waiting | NodePhase::Preparing) {
                    self.finish(NodeExit::Refused(reason), out);
                }
            }
            ToNode::Fenced { .. } => self.fenced(out),
            ToNode::Ack { seq, .. } => self.acknowledged(seq),
            ToNode::WantSnapshot { term } => self.want_snapshot(term),
            ToNode::Pulse(pulse) => self.pulse(&pulse, out),
        }
    }

    fn pulse(&mut self, pulse: &Pulse, out: &mut Vec<NodeCommand>) {
        match self.phase {
            NodePhase::Preparing if pulse.stop.is_some() || pulse.stage == RunStage::Finished => {
                self.finish(NodeExit::NotNeeded, out);
            }
            NodePhase::Waiting => self.start_by(pulse, out),
            NodePhase::Running => {
                if let Some(steering) = pulse.steering {
                    self.steer(&steering, out);
                }
                self.obey(pulse.stop, pulse.stage, out);
            }
            _ => {}
        }
    }

    /// Takes from the state of the run what was missed while the connection was lost.
    pub(super) fn catch_up(&mut self, state: &RunState, out: &mut Vec<NodeCommand>) {
        self.meet(state.term);
        match self.phase {
            NodePhase::Running => {
                if let Some(steering) = state.steering.last() {
                    self.steer(steering, out);
                }
                self.obey(state.stop, state.stage, out);
            }
            NodePhase::Preparing | NodePhase::Waiting if state.stop.is_some() || state.stage == RunStage::Finished => {
                self.finish(NodeExit::NotNeeded, out);
            }
            _ => {}
        }
    }

    fn obey(&mut self, stop: Option<StopOrder>, stage: RunStage, out: &mut Vec<NodeCommand>) {
        let (Some(start), None) = (self.load.start, self.load.end) else { return };
        if let Some(stop) = stop {
            self.order_end(EndCause::Stopped, LoadOrder::End { at: start.saturating_add(stop.at) }, out);
        } else if stage == RunStage::Finished {
            self.order_end(EndCause::Stopped, LoadOrder::End { at: self.now }, out);
        }
    }

    pub(super) fn steer(&mut self, steering: &Steering, out: &mut Vec<NodeCommand>) {
        let Some(start) = self.load.start.filter(|_| steering.number > self.load.steered) else { return };
        self.load.steered = steering.number;
        let (scale_permille, is_paused) = (steering.scale_permille, steering.is_paused);
        let at = start.saturating_add(steering.at);
        out.push(NodeCommand::Load(LoadOrder::Steer { at, scale_permille, is_paused }));
    }

    /// Another node has the segment: what this one counts is not wanted.
    fn fenced(&mut self, out: &mut Vec<NodeCommand>) {
        match self.phase {
            NodePhase::Preparing | NodePhase::Waiting | NodePhase::Flushing | NodePhase::Storing => {
                self.finish(NodeExit::Fenced, out);
            }
            NodePhase::Running => self.end_load(EndCause::Fenced, out),
            NodePhase::Joining | NodePhase::Claiming | NodePhase::Done => {}
        }
    }

    pub(super) fn interrupted(&mut self, out: &mut Vec<NodeCommand>) {
        match self.phase {
            NodePhase::Running if self.load.end.is_none() => {
                self.order_end(EndCause::Interrupted, LoadOrder::End { at: self.now }, out);
            }
            NodePhase::Running => self.end_load(EndCause::Interrupted, out),
            NodePhase::Flushing | NodePhase::Storing => {}
            _ => self.finish(NodeExit::Interrupted, out),
        }
    }

    /// Reads the state once, and sends at once what waits.
    pub(super) fn reconnected(&mut self, out: &mut Vec<NodeCommand>) {
        if self.phase == NodePhase::Joining || self.phase == NodePhase::Claiming {
            return;
        }
        out.push(NodeCommand::Get(Record::State));
        let spread = self.now + self.stagger() / 4;
        self.lease.hurry(self.now);
        self.queue.hurry(spread);
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.send_at = snapshot.send_at.min(spread);
        }
        self.due.heartbeat = self.now;
    }
}
