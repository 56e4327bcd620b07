//! The wait for the start: the node measures its clock, says that it is ready until it is admitted, and begins when the
//! pulse announces the start.

use super::{FleetNode, LoadOrder, NodeCommand, NodeExit, NodePhase, Record};
use crate::counts::Counts;
use crate::message::{FromNode, Pulse, Readiness, RunStage, ToNode, write_message};
use crate::subjects::Channel;
use crate::time::{SECOND, Time};

/// The time between two messages of readiness.
const READY_EVERY: Time = SECOND;

/// The time between two looks at the lease of a silent coordinator.
const LOOK_EVERY: Time = 5 * SECOND;

impl<C: Counts> FleetNode<C> {
    /// Returns `true` in the phases in which clocks are compared.
    pub(super) fn probes(&self) -> bool {
        matches!(self.phase, NodePhase::Waiting | NodePhase::Running)
    }

    pub(super) fn probe(&mut self, out: &mut Vec<NodeCommand>) {
        if !self.probes() {
            return;
        }
        while let Some(number) = self.clock.probe(self.now) {
            let probe = FromNode::Probe { node: self.settings.name.clone(), number };
            out.push(NodeCommand::Publish(Channel::Probe, write_message(&probe)));
        }
    }

    pub(super) fn wait(&mut self, out: &mut Vec<NodeCommand>) {
        if self.is_orphan() {
            return self.finish(NodeExit::Orphaned, out);
        }
        self.look_for_coordinator(out);
        let reading = self.clock.reading();
        if let (None, Some(reading)) = (self.load.admitted, reading)
            && self.now >= self.due.retry
            && self.lease.revision().is_some()
        {
            self.due.retry = self.now + READY_EVERY;
            let ready = FromNode::Ready(Readiness {
                sender: self.sender(),
                version: self.settings.version.clone(),
                digest: self.digest.clone(),
                clock_bound: reading.bound,
                term: self.coordinator.term,
            });
            out.push(NodeCommand::Publish(Channel::Ready, write_message(&ready)));
        }
        if self.now >= self.due.heartbeat && self.load.admitted.is_some() {
            self.beat(out);
        }
        self.give_up_late(out);
    }

    /// Begins the load, if the pulse has its start and the coordinator has admitted this node.
    pub(super) fn start_by(&mut self, pulse: &Pulse, out: &mut Vec<NodeCommand>) {
        if pulse.stage == RunStage::Finished || pulse.stop.is_some() {
            return self.finish(NodeExit::NotNeeded, out);
        }
        let (Some(admitted), Some(remote), Some(reading)) = (self.load.admitted, pulse.start, self.clock.reading())
        else {
            return;
        };
        let start = reading.local(remote);
        if self.lease.revision().is_none() || self.lease.may_have_lapsed(self.now) {
            return;
        }
        // A node that learns of the start too late leaves out what has passed.
        let age = self.now.saturating_sub(start).div_ceil(SECOND);
        let from_second = admitted.max(u32::try_from(age).unwrap_or(u32::MAX));
        self.clock.fix();
        let load = &mut self.load;
        (load.start, load.from_second, load.second_end) = (Some(start), from_second, from_second);
        load.until = Time::from(from_second) * SECOND;
        self.phase = NodePhase::Running;
        self.due.heartbeat = self.now;
        self.due.phase_end = Time::MAX;
        out.push(NodeCommand::Load(LoadOrder::Begin { start, from_second }));
        if let Some(steering) = pulse.steering {
            self.steer(&steering, out);
        }
    }

    /// Notes the coordinator that a message comes from. Returns `false` if another one has replaced it.
    pub(super) fn hear(&mut self, message: &ToNode) -> bool {
        let term = message.term();
        if term < self.coordinator.term {
            return false;
        }
        self.coordinator.heard = Some(self.now);
        self.meet(term);
        true
    }

    /// Follows a coordinator of a greater term.
    pub(super) fn meet(&mut self, term: u64) {
        if term > self.coordinator.term {
            self.coordinator.term = term;
            self.due.heartbeat = self.now;
            if self.phase != NodePhase::Running {
                self.load.admitted = None;
            }
        }
        if self.probes() {
            self.clock.follow(self.coordinator.term, self.now);
        }
    }

    fn orphan_after(&self) -> Time {
        self.plan.as_ref().map_or(Time::MAX, |plan| plan.orphan_after())
    }

    /// Returns `true` if there was no sign of a coordinator for too long.
    pub(super) fn is_orphan(&self) -> bool {
        self.coordinator.heard.is_some_and(|heard| self.now >= heard.saturating_add(self.orphan_after()))
    }

    /// Returns the next instant at which a silence has a consequence.
    pub(super) fn silence_due(&self) -> Option<Time> {
        let heard = self.coordinator.heard.filter(|_| self.probes())?;
        let look = heard.saturating_add(self.orphan_after() / 3).max(self.coordinator.look_at);
        let end = heard.saturating_add(self.orphan_after());
        Some(if self.coordinator.is_asking { end } else { look.min(end) })
    }

    /// Looks at the lease of a coordinator that is silent: it may be there, and unable to reach this node.
    pub(super) fn look_for_coordinator(&mut self, out: &mut Vec<NodeCommand>) {
        let view = &self.coordinator;
        let Some(heard) = view.heard else { return };
        let is_silent = self.now >= heard.saturating_add(self.orphan_after() / 3);
        if is_silent && !view.is_asking && self.now >= view.look_at {
            self.coordinator.is_asking = true;
            self.coordinator.look_at = self.now + LOOK_EVERY;
            out.push(NodeCommand::Get(Record::CoordinatorLease));
        }
    }
}
