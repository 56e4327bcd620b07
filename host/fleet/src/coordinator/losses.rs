//! Nodes that are gone, and the end of the load before its time. A node is lost when it is silent and its lease has
//! lapsed; silence alone may be the coordinator's own.

use super::event::{CoordinatorCommand, FleetNote};
use super::slot::{HolderState, SegmentSlot};
use super::{Coordinator, CoordinatorPhase, LOST_PATIENCE};
use crate::counts::{Counts, FleetSchedule};
use crate::message::{EndCause, LeaseValue, MAX_MESSAGE, StopCause, StopOrder, ToNode, read_message};
use crate::names::NodeName;
use crate::node::Fetched;
use crate::plan::LEASE_LAPSE;
use crate::time::{SECOND, whole_seconds_up};

impl<C: Counts, S: FleetSchedule> Coordinator<C, S> {
    /// Looks at the leases of silent nodes.
    pub(super) fn look_for_silent(&mut self, out: &mut Vec<CoordinatorCommand<C>>) {
        let silent = |slot: &SegmentSlot<C>| {
            let holder = slot.holder.as_ref().filter(|holder| holder.is_live());
            holder.is_some_and(|holder| self.now >= holder.heard.saturating_add(LEASE_LAPSE))
        };
        let segments: Vec<u32> = (0..).zip(&self.slots).filter(|(_, slot)| silent(slot)).map(|(at, _)| at).collect();
        for segment in segments {
            self.look_at(segment, out);
        }
    }

    /// Takes the lease of a segment, which decides who holds it.
    pub(super) fn segment_lease(&mut self, segment: u32, lease: &Fetched, out: &mut Vec<CoordinatorCommand<C>>) {
        let is_starting = matches!(self.phase, CoordinatorPhase::Gathering | CoordinatorPhase::Starting);
        let Some(slot) = self.slots.get_mut(segment as usize) else { return };
        slot.is_looking = false;
        let owner: Option<NodeName> = match lease {
            Fetched::Failed => return,
            Fetched::Absent => None,
            Fetched::Found { value, .. } => match read_message::<LeaseValue>(value, MAX_MESSAGE) {
                Ok(value) => Some(value.holder),
                Err(_) => None,
            },
        };
        let challenger = slot.challenger.take();
        let Some(holder) = &mut slot.holder else { return };
        if owner.as_ref() == Some(&holder.sender.node) {
            let fenced = challenger.filter(|node| *node != holder.sender.node);
            if let Some(node) = fenced {
                self.send(&node, &ToNode::Fenced { term: self.term() }, out);
            }
            return;
        }
        let is_replaced = owner.is_some() && owner == challenger;
        let is_silent = self.now >= holder.heard.saturating_add(LEASE_LAPSE);
        if !is_replaced && !is_silent {
            return;
        }
        if is_starting {
            slot.holder = None;
            return;
        }
        if is_replaced {
            holder.superseded_by = owner;
        }
        if holder.is_live() {
            holder.state = HolderState::Lost;
            self.due.patience = self.now + LOST_PATIENCE;
            let (node, second_end) = (holder.sender.node.clone(), holder.second_end());
            out.push(CoordinatorCommand::Note(FleetNote::Lost { segment, node, second_end }));
        }
    }

    /// Returns the number of segments whose node is lost or has left before the end.
    pub(super) fn lost_segments(&self) -> u32 {
        let end = self.load_end();
        let is_lost = |slot: &&SegmentSlot<C>| match &slot.holder {
            None => slot.is_present && self.now >= self.due.phase_end,
            Some(holder) => {
                let is_gone = matches!(holder.state, HolderState::Lost | HolderState::Ended);
                is_gone && holder.end != Some(EndCause::Stopped) && holder.share().until < end
            }
        };
        u32::try_from(self.slots.iter().filter(is_lost).count()).unwrap_or(u32::MAX)
    }

    /// Stops the run if it has lost more than the policy allows.
    pub(super) fn judge_losses(&mut self, out: &mut Vec<CoordinatorCommand<C>>) {
        if self.state.state.stop.is_none()
            && self.age().is_some_and(|age| age < self.load_end())
            && !self.plan.tolerates(self.lost_segments())
        {
            self.order_stop(StopCause::Loss, out);
        }
    }

    /// Ends the load of all nodes in the same second, which is far enough away for the order to arrive.
    pub(super) fn order_stop(&mut self, cause: StopCause, out: &mut Vec<CoordinatorCommand<C>>) {
        if self.state.state.stop.is_some() || !self.is_active() || self.phase == CoordinatorPhase::Closing {
            return;
        }
        if self.phase == CoordinatorPhase::Resuming {
            self.wanted_stop = Some(cause);
            return;
        }
        let at = self.age().map_or(0, |age| whole_seconds_up(age.saturating_add(SECOND)));
        self.state.state.stop = Some(StopOrder { at, cause });
        out.push(CoordinatorCommand::Note(FleetNote::Stopping(cause)));
        self.keep_state(out);
    }
}
