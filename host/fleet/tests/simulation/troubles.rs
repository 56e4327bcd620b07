//! Everything that goes wrong, and its end.

use stampede_fleet::{
    Ask, Channel, CoordinatorEvent, NodeEvent, NodeName, OperatorRequest, SECOND, StopCause, Time, write_message,
};

use crate::scenario::TroubleKind;
use crate::world::{Happening, World};

impl World {
    fn any(&mut self, is_node: bool) -> Option<usize> {
        let alive = (0..self.processes.len()).filter(|place| self.processes[*place].is_alive);
        let fitting: Vec<_> = alive.filter(|place| self.processes[*place].node().is_some() == is_node).collect();
        (!fitting.is_empty()).then(|| fitting[self.random.range(0, fitting.len() as u64) as usize])
    }

    pub(crate) fn trouble(&mut self, kind: TroubleKind) {
        let (node, coordinator) = (self.any(true), self.any(false));
        self.trace.note(self.now, usize::MAX, &[], &kind);
        match kind {
            TroubleKind::CrashNode { restart } => {
                let Some(place) = node else { return };
                self.processes[place].is_alive = false;
                let index = self.processes[place].node().and_then(|role| role.index);
                if let Some(after) = restart {
                    self.at(self.now + after, Happening::StartNode { index, version: "1.0" });
                }
            }
            TroubleKind::CrashCoordinator { restart } => {
                let Some(place) = coordinator else { return };
                self.processes[place].is_alive = false;
                self.at(self.now + restart, Happening::StartCoordinator);
            }
            TroubleKind::DoubleCoordinator { pause } => {
                self.pause(coordinator, pause);
                self.at(self.now + SECOND, Happening::StartCoordinator);
            }
            TroubleKind::PauseNode { length } => self.pause(node, length),
            TroubleKind::PauseCoordinator { length } => self.pause(coordinator, length),
            TroubleKind::PartNode { length } => self.part(node, length),
            TroubleKind::PartCoordinator { length } => self.part(coordinator, length),
            TroubleKind::PartAll { length } => {
                for place in 0..self.processes.len() {
                    self.part(Some(place), length);
                }
            }
            TroubleKind::RestartServer => {
                self.bus.restart();
                for place in 0..self.processes.len() {
                    self.part(Some(place), SECOND);
                }
            }
            TroubleKind::StepClock { by } => {
                if let Some(place) = node {
                    self.processes[place].clock.offset += by;
                }
            }
            TroubleKind::InterruptNode => {
                if let Some(place) = node {
                    self.at(self.now, Happening::Node(place, NodeEvent::Interrupted));
                }
            }
            TroubleKind::Stop(StopCause::Operator) => self.ask(OperatorRequest::Stop),
            TroubleKind::Stop(cause) => {
                if let Some(place) = coordinator {
                    self.at(self.now, Happening::Coordinator(place, CoordinatorEvent::Stop(cause)));
                }
            }
            TroubleKind::Scale(permille) => self.ask(OperatorRequest::Scale(permille)),
            TroubleKind::Pause => self.ask(OperatorRequest::Pause),
            TroubleKind::Resume => self.ask(OperatorRequest::Resume),
            TroubleKind::Status => self.ask(OperatorRequest::Status),
        }
    }

    fn ask(&mut self, request: OperatorRequest) {
        let from = NodeName::new("operator").expect("a name");
        let payload = write_message(&Ask { from: from.clone(), request });
        self.send(None, Happening::ToCoordinators { channel: Channel::Ask, from, payload });
    }

    fn pause(&mut self, place: Option<usize>, length: Time) {
        let until = (self.now + length).min(self.scenario.healed);
        if let Some(place) = place {
            self.processes[place].paused_until = until;
        }
    }

    fn part(&mut self, place: Option<usize>, length: Time) {
        let until = (self.now + length).min(self.scenario.healed).max(self.now);
        if let Some(place) = place
            && self.processes[place].is_alive
        {
            self.processes[place].parted_until = self.processes[place].parted_until.max(until);
            self.at(until, Happening::Reconnected(place));
        }
    }

    pub(crate) fn reconnected(&mut self, place: usize) {
        if self.processes[place].is_parted(self.now) {
            return;
        }
        if self.processes[place].node().is_some() {
            self.node_event(place, NodeEvent::Reconnected);
        } else {
            self.coordinator_event(place, CoordinatorEvent::Reconnected);
            self.at(self.now, Happening::Finals(place));
        }
    }

    /// Ends everything that goes wrong.
    pub(crate) fn heal(&mut self) {
        self.scenario.healed = self.scenario.healed.min(self.now);
        for place in 0..self.processes.len() {
            let is_parted = self.processes[place].is_parted(self.now);
            self.processes[place].paused_until = 0;
            self.processes[place].parted_until = 0;
            if is_parted && self.processes[place].is_alive {
                self.at(self.now, Happening::Reconnected(place));
            }
        }
    }
}
