//! The course of a run after its start, and its end: seconds are closed, losses judged, and when every node has ended
//! or its time is over, the accounts are settled and reported.

use super::event::{CoordinatorCommand, CoordinatorExit};
use super::report::{Account, FleetReport, RefusedNode, SegmentReport};
use super::slot::{HolderState, SegmentSlot};
use super::windows::Deliveries;
use super::{Coordinator, CoordinatorPhase, LOST_PATIENCE};
use crate::counts::{Counts, FleetSchedule};
use crate::message::RunStage;
use crate::plan::{FLUSH, MILLION, STORE};
use crate::time::{SECOND, Time, second_of, whole_seconds_up};

/// The wait for the state to be written after the report.
const CLOSE_PATIENCE: Time = 10 * SECOND;

impl<C: Counts, S: FleetSchedule> Coordinator<C, S> {
    /// Closes seconds, judges losses, and reports when the run is over.
    pub(super) fn collect(&mut self, out: &mut Vec<CoordinatorCommand<C>>) {
        if let Some(cause) = self.wanted_stop.take() {
            self.order_stop(cause, out);
        }
        self.look_for_silent(out);
        let Some(age) = self.age() else { return };
        let delivered = self.delivered();
        let deliveries = self.deliveries(&delivered);
        while let Some(window) = self.windows.close(age, deliveries) {
            out.push(CoordinatorCommand::Window(window));
        }
        self.judge_losses(out);
        if self.is_over(age) {
            self.report(out);
        }
    }

    /// Returns the second after the last one that each segment has delivered.
    fn delivered(&self) -> Vec<u32> {
        self.slots.iter().map(|slot| slot.holder.as_ref().map_or(0, |holder| holder.second_end())).collect()
    }

    fn deliveries<'a>(&self, delivered: &'a [u32]) -> Deliveries<'a> {
        let last = second_of(whole_seconds_up(self.load_end()));
        let live = self.slots.iter().filter_map(|slot| slot.holder.as_ref()).filter(|holder| holder.is_live());
        let awaited = live.map(|holder| holder.second_end()).min().unwrap_or(u32::MAX);
        Deliveries { delivered, awaited, last }
    }

    /// Returns `true` if no node is awaited any more.
    fn is_over(&self, age: Time) -> bool {
        let Some(after) = age.checked_sub(self.load_end()) else {
            // Before the end of the load, the run is over if every node has left.
            let has_left = |slot: &SegmentSlot<C>| {
                slot.holder.as_ref().map_or(!slot.is_present, |holder| holder.state == HolderState::Ended)
            };
            return !self.may_be_joined() && self.slots.iter().all(has_left);
        };
        let grace = self.plan.hard_end() - self.plan.length();
        let longest = grace.saturating_add(FLUSH + STORE + 2 * LOST_PATIENCE);
        let is_late = after >= LOST_PATIENCE && self.now >= self.due.patience;
        let is_settled = |slot: &SegmentSlot<C>| match slot.holder.as_ref().map(|holder| holder.state) {
            Some(HolderState::Ended) => true,
            Some(HolderState::Running) => false,
            Some(HolderState::Ready | HolderState::Lost) => is_late,
            None => !slot.is_present || is_late,
        };
        after >= longest || self.slots.iter().all(is_settled)
    }

    fn may_be_joined(&self) -> bool {
        use crate::plan::{LatePolicy, LossPolicy};
        self.plan.late == LatePolicy::Join || self.plan.loss == LossPolicy::Respawn
    }

    /// Reports the run and has its end written.
    pub(super) fn report(&mut self, out: &mut Vec<CoordinatorCommand<C>>) {
        let delivered = self.delivered();
        let deliveries = self.deliveries(&delivered);
        while let Some(window) = self.windows.close_remaining(deliveries) {
            out.push(CoordinatorCommand::Window(window));
        }
        out.push(CoordinatorCommand::Report(Box::new(self.settled())));
        self.phase = CoordinatorPhase::Closing;
        self.state.state.stage = RunStage::Finished;
        self.due.phase_end = self.now + CLOSE_PATIENCE;
        self.keep_state(out);
    }

    pub(super) fn close(&mut self, out: &mut Vec<CoordinatorCommand<C>>) {
        if self.state.is_written() || self.now >= self.due.phase_end {
            self.pulse(out);
            self.finish(CoordinatorExit::Reported, out);
        }
    }

    /// Settles the accounts.
    fn settled(&self) -> FleetReport {
        let state = &self.state.state;
        let end = self.load_end();
        let has_started = self.start.is_some() && end > 0;
        let account = Account { plan: &self.plan, schedule: &self.schedule, steering: &state.steering, end };
        let settle = |(segment, slot): (u32, &SegmentSlot<C>)| account.segment(segment, slot.shares());
        let segments: Vec<SegmentReport> = (0..).zip(&self.slots).map(settle).collect();
        let absent = self.absent();
        let gone =
            |report: &&SegmentReport| report.is_lost || report.shares.is_empty() && !absent.contains(&report.segment);
        let lost: Vec<u32> = segments.iter().filter(gone).map(|report| report.segment).collect();
        let refused = self.refused.iter();
        FleetReport {
            run: self.plan.run.clone(),
            has_started,
            end,
            stop: state.stop,
            accounting: account.total(&segments),
            coverage: account.coverage(&segments),
            required_coverage: MILLION - self.plan.coverage_tolerance_ppm.min(MILLION),
            absent,
            is_loss_tolerated: self.plan.tolerates(u32::try_from(lost.len()).unwrap_or(u32::MAX)),
            lost,
            refused: refused.map(|(node, why)| RefusedNode { node: node.clone(), reason: why.clone() }).collect(),
            is_steered: !state.steering.is_empty(),
            is_resumed: self.is_resumed,
            segments,
        }
    }
}
