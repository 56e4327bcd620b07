//! The way of a node to a segment: it reads the plan, looks if the run still takes nodes, claims a segment, and loads
//! what the segment needs.

use super::{Fetched, FleetNode, NodeCommand, NodeExit, NodePhase, Record};
use crate::counts::Counts;
use crate::lease::{LeaseAction, LeaseAnswer, LeaseChange};
use crate::message::{EndCause, LeaseValue, MAX_ANSWER, Refused, RunStage, RunState, read_message, write_message};
use crate::plan::{FleetPlan, LEASE_RENEWAL, LatePolicy, LossPolicy};
use crate::time::{MILLISECOND, SECOND};

impl<C: Counts> FleetNode<C> {
    pub(super) fn begin(&mut self, out: &mut Vec<NodeCommand>) {
        self.born = self.now;
        self.due.phase_end = self.now.saturating_add(self.settings.patience);
        out.push(NodeCommand::Get(Record::Plan));
    }

    /// Ends a wait that has taken too long.
    pub(super) fn give_up_late(&mut self, out: &mut Vec<NodeCommand>) {
        if self.now >= self.due.phase_end {
            self.finish(NodeExit::Waited, out);
        }
    }

    pub(super) fn join(&mut self, out: &mut Vec<NodeCommand>) {
        if self.due.retry != 0 && self.now >= self.due.retry {
            self.due.retry = 0;
            out.push(NodeCommand::Get(Record::Plan));
        }
        self.give_up_late(out);
    }

    pub(super) fn got(&mut self, record: Record, fetched: Fetched, out: &mut Vec<NodeCommand>) {
        match record {
            Record::Plan if self.phase == NodePhase::Joining => self.got_plan(&fetched, out),
            Record::Plan => {}
            Record::State => self.got_state(&fetched, out),
            Record::CoordinatorLease => {
                self.coordinator.is_asking = false;
                if matches!(fetched, Fetched::Found { .. }) {
                    self.coordinator.heard = Some(self.now);
                }
            }
        }
    }

    fn got_plan(&mut self, fetched: &Fetched, out: &mut Vec<NodeCommand>) {
        let Fetched::Found { value, .. } = fetched else {
            // Nodes that wait for a plan do not all ask at once.
            self.due.retry = self.now + SECOND + self.stagger();
            return;
        };
        let plan = match FleetPlan::from_bytes(value) {
            Ok(plan) => plan,
            Err(error) => return self.finish(NodeExit::BadPlan(error), out),
        };
        let wanted = self.settings.segment;
        if let Some(segment) = wanted.filter(|segment| *segment >= plan.segments) {
            return self.finish(NodeExit::Refused(Refused::Segment(segment)), out);
        }
        let spread = self.settings.name.spread() % u64::from(plan.segments);
        self.segment = wanted.unwrap_or_else(|| u32::try_from(spread).unwrap_or(0));
        let longest = plan.barrier_timeout().saturating_add(plan.hard_end()).saturating_add(self.settings.patience);
        self.due.phase_end = self.born.saturating_add(longest);
        self.plan = Some(Box::new(plan));
        self.start_claiming(self.now);
    }

    pub(super) fn start_claiming(&mut self, at: u64) {
        self.phase = NodePhase::Claiming;
        self.load.admitted = None;
        self.lease.restart(at);
        self.due.retry = at.max(1);
    }

    /// Asks for the state of the run before each round of claims: a node that would be refused claims nothing.
    pub(super) fn claim(&mut self, out: &mut Vec<NodeCommand>) {
        if self.due.retry != 0 && self.now >= self.due.retry {
            self.due.retry = 0;
            out.push(NodeCommand::Get(Record::State));
        }
        self.give_up_late(out);
    }

    fn got_state(&mut self, fetched: &Fetched, out: &mut Vec<NodeCommand>) {
        let state = match fetched {
            Fetched::Found { value, .. } => read_message::<RunState>(value, MAX_ANSWER).ok(),
            Fetched::Absent | Fetched::Failed => None,
        };
        if self.phase == NodePhase::Claiming {
            self.answer_claim_state(fetched, state.as_ref(), out);
        } else if let Some(state) = state.filter(|state| state.term >= self.coordinator.term) {
            self.catch_up(&state, out);
        }
    }

    fn answer_claim_state(&mut self, fetched: &Fetched, state: Option<&RunState>, out: &mut Vec<NodeCommand>) {
        if *fetched == Fetched::Failed {
            self.due.retry = self.now + SECOND;
            return;
        }
        if let Some(state) = state {
            if state.stage == RunStage::Finished || state.stop.is_some() {
                return self.finish(NodeExit::NotNeeded, out);
            }
            if state.stage == RunStage::Started && !self.may_come_late() {
                return self.finish(NodeExit::Refused(Refused::Late), out);
            }
        }
        self.try_segment(out);
    }

    fn may_come_late(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.late == LatePolicy::Join || plan.loss == LossPolicy::Respawn)
    }

    fn try_segment(&mut self, out: &mut Vec<NodeCommand>) {
        self.lease.restart(self.now);
        if self.lease.action(self.now) == Some(LeaseAction::Claim) {
            out.push(NodeCommand::Claim { segment: self.segment, value: self.lease_value() });
        }
    }

    fn lease_value(&self) -> Vec<u8> {
        write_message(&LeaseValue { holder: self.settings.name.clone() })
    }

    /// Renews the lease when that is due, or claims it again.
    pub(super) fn keep_lease(&mut self, out: &mut Vec<NodeCommand>) {
        if !self.holds_segment() {
            return;
        }
        let (segment, value) = (self.segment, self.lease_value());
        match self.lease.action(self.now) {
            Some(LeaseAction::Claim) => out.push(NodeCommand::Claim { segment, value }),
            Some(LeaseAction::Renew { revision }) => out.push(NodeCommand::Renew { segment, revision, value }),
            None => {}
        }
    }

    pub(super) fn lease_answered(&mut self, answer: &LeaseAnswer, out: &mut Vec<NodeCommand>) {
        let change = self.lease.answer(answer, self.now);
        match (self.phase, change) {
            (NodePhase::Claiming, LeaseChange::Held) => {
                self.phase = NodePhase::Preparing;
                if let Some(plan) = self.plan.clone() {
                    out.push(NodeCommand::Prepare { plan, segment: self.segment });
                }
            }
            (NodePhase::Claiming, LeaseChange::Lost) => self.try_another(out),
            (NodePhase::Claiming, LeaseChange::Unknown) => self.due.retry = self.now + SECOND,
            // The load was prepared for this segment, so the node waits for it.
            (NodePhase::Waiting | NodePhase::Preparing, LeaseChange::Lost) => self.load.admitted = None,
            (NodePhase::Running, LeaseChange::Lost) => self.end_load(EndCause::Fenced, out),
            (NodePhase::Flushing | NodePhase::Storing, LeaseChange::Lost)
                if self.load.end != Some(EndCause::Lapsed) =>
            {
                self.finish(NodeExit::Fenced, out);
            }
            _ => {}
        }
    }

    /// Goes on to the next segment, or waits where all are taken or one alone will do.
    fn try_another(&mut self, out: &mut Vec<NodeCommand>) {
        let segments = self.plan.as_ref().map_or(1, |plan| plan.segments);
        self.tried += 1;
        if self.settings.segment.is_none() && self.tried < segments {
            self.segment = (self.segment + 1) % segments;
            return self.try_segment(out);
        }
        self.tried = 0;
        self.due.retry = self.now + LEASE_RENEWAL + self.stagger() / 2 + MILLISECOND;
    }

    pub(super) fn prepared(&mut self, digest: String) {
        if self.phase == NodePhase::Preparing {
            self.digest = digest;
            self.phase = NodePhase::Waiting;
            self.due.retry = self.now;
        }
    }
}
