//! The beginning of a term: a new run waits for its nodes and starts; a run that goes on is taken over.

use super::event::{CoordinatorCommand, CoordinatorExit, FleetNote};
use super::slot::{HolderState, SegmentSlot};
use super::{Coordinator, CoordinatorPhase};
use crate::counts::{Counts, FleetSchedule};
use crate::message::{RunStage, StopCause};
use crate::time::{SECOND, Time, second_of};

/// The time from the announcement of the start to the start: every node has to learn of it.
const START_IN: Time = 3 * SECOND;

/// The wait for a node that knows when the load started.
const RESUME_PATIENCE: Time = 10 * SECOND;

impl<C: Counts, S: FleetSchedule> Coordinator<C, S> {
    pub(super) fn begin_term(&mut self, out: &mut Vec<CoordinatorCommand<C>>) {
        out.push(CoordinatorCommand::Subscribe);
        let state = &self.state.state;
        for segment in &state.present {
            if let Some(slot) = self.slots.get_mut(*segment as usize) {
                slot.is_present = true;
            }
        }
        match state.stage {
            RunStage::Gathering => {
                self.phase = CoordinatorPhase::Gathering;
                self.due.phase_end = self.now.saturating_add(self.plan.barrier_timeout());
            }
            RunStage::Started => {
                (self.phase, self.is_resumed) = (CoordinatorPhase::Resuming, true);
                self.due.phase_end = self.now + RESUME_PATIENCE;
                out.push(CoordinatorCommand::Note(FleetNote::Resumed { term: state.term }));
            }
            RunStage::Finished => self.finish(CoordinatorExit::AlreadyFinished, out),
        }
        (self.due.scan, self.due.pulse) = (self.now, self.now);
    }

    /// Waits for nodes, and decides the start.
    pub(super) fn gather(&mut self, out: &mut Vec<CoordinatorCommand<C>>) {
        self.look_for_silent(out);
        if self.state.state.stop.is_some() {
            return self.report(out);
        }
        if self.phase == CoordinatorPhase::Starting {
            if self.state.is_written() {
                self.announce(out);
            }
            return;
        }
        let ready = self.slots.iter().filter(|slot| slot.holder.is_some()).count();
        let is_late = self.now >= self.due.phase_end;
        if ready < self.slots.len() && !is_late {
            return;
        }
        if ready < self.plan.barrier.quorum as usize {
            return self.order_stop(StopCause::Barrier, out);
        }
        self.phase = CoordinatorPhase::Starting;
        let present = (0..).zip(&self.slots).filter(|(_, slot)| slot.holder.is_some()).map(|(segment, _)| segment);
        self.state.state.present = present.collect();
        self.state.state.stage = RunStage::Started;
        self.keep_state(out);
    }

    fn announce(&mut self, out: &mut Vec<CoordinatorCommand<C>>) {
        (self.phase, self.due.phase_end) = (CoordinatorPhase::Running, self.now);
        let at = self.now + START_IN;
        self.start = Some(at);
        for (segment, slot) in (0..).zip(&mut self.slots) {
            // A node that was admitted and is gone again has a share: it is lost.
            slot.is_present = self.state.state.present.contains(&segment);
        }
        out.push(CoordinatorCommand::Note(FleetNote::Starting { at, absent: self.absent() }));
        self.due.pulse = self.now;
    }

    /// Waits until a node tells when the load started. If none runs, those that wait start.
    pub(super) fn resume(&mut self, out: &mut Vec<CoordinatorCommand<C>>) {
        self.look_for_silent(out);
        if self.now < self.due.phase_end || self.awaits_snapshots() && self.now < self.due.phase_end + RESUME_PATIENCE {
            return;
        }
        let waits = |state: HolderState| matches!(state, HolderState::Ready | HolderState::Running);
        let is_waiting = self.slots.iter().any(|slot| slot.holder.as_ref().is_some_and(|holder| waits(holder.state)));
        self.phase = CoordinatorPhase::Running;
        self.start = Some(if is_waiting { self.now + START_IN } else { self.now.saturating_sub(self.load_end()) });
        self.due.pulse = self.now;
    }

    fn awaits_snapshots(&self) -> bool {
        let awaits = |slot: &SegmentSlot<C>| {
            slot.holder.as_ref().is_some_and(|holder| holder.state == HolderState::Running && holder.inbox.is_none())
        };
        self.slots.iter().any(awaits)
    }

    /// Takes the age of the load that a node tells. A message takes time, so the earliest start is the truest.
    pub(super) fn learn_start(&mut self, age: Time) {
        if !self.is_resumed {
            return;
        }
        let start = self.now.saturating_sub(age);
        match self.phase {
            CoordinatorPhase::Resuming => {
                self.phase = CoordinatorPhase::Running;
                self.start = Some(start);
                self.windows.skip_to(second_of(age));
                self.due.pulse = self.now;
            }
            CoordinatorPhase::Running => self.start = self.start.map(|known| known.min(start)),
            _ => {}
        }
    }

    /// Returns the segments in which no node took part at the start.
    pub(super) fn absent(&self) -> Vec<u32> {
        let has_started = self.state.state.stage != RunStage::Gathering;
        let is_absent = |slot: &SegmentSlot<C>| {
            if has_started { !slot.is_present } else { slot.holder.is_none() }
        };
        (0..).zip(&self.slots).filter(|(_, slot)| is_absent(slot)).map(|(segment, _)| segment).collect()
    }
}
