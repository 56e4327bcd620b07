//! The requests of operators: the status of a run, and changes of its load.

use serde::{Deserialize, Serialize};

use super::event::CoordinatorCommand;
use super::report::RefusedNode;
use super::slot::HolderState;
use super::{Coordinator, CoordinatorPhase};
use crate::counts::{Counts, FleetSchedule, Steering};
use crate::message::{Ask, MAX_MESSAGE, OperatorRequest, RunStage, StopCause, StopOrder, read_message, write_message};
use crate::names::NodeName;
use crate::time::{SECOND, Time, whole_seconds_up};

/// The changes of the load that a run takes.
const MAX_CHANGES: usize = 1_000;

/// The greatest factor of the load, in thousandths.
const MAX_SCALE: u32 = 10_000;

/// The names in a status.
const MAX_NAMED: usize = 100;

/// The answer to an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperatorAnswer {
    /// The state of the run.
    Status(FleetStatus),
    /// It is done from this instant on, from the start of the load.
    Done {
        /// The instant.
        at: Time,
    },
    /// It is not done.
    Refused(String),
}

/// The state of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetStatus {
    /// The term of the coordinator.
    pub term: u64,
    /// The stage.
    pub stage: RunStage,
    /// The time since the start of the load; `None` before it.
    pub age: Option<Time>,
    /// The end of the load, from its start.
    pub end: Time,
    /// The order by which it ends before its time.
    pub stop: Option<StopOrder>,
    /// The number of segments.
    pub segments: u32,
    /// Nodes that wait for the start.
    pub ready: u32,
    /// Nodes whose load goes on.
    pub running: u32,
    /// Nodes that are lost.
    pub lost: u32,
    /// Nodes that have ended.
    pub ended: u32,
    /// Segments without a node, the first 100.
    pub missing: Vec<u32>,
    /// Nodes that were refused, the first 100.
    pub refused: Vec<RefusedNode>,
    /// The last change of the load.
    pub steering: Option<Steering>,
    /// Running nodes that have not carried it out.
    pub not_steered: u32,
    /// Open requests.
    pub in_flight: u64,
    /// The greatest drift of a clock, in nanoseconds.
    pub drift: u64,
}

impl<C: Counts, S: FleetSchedule> Coordinator<C, S> {
    pub(super) fn asked(&mut self, from: &NodeName, payload: &[u8], out: &mut Vec<CoordinatorCommand<C>>) {
        let Ok(ask) = read_message::<Ask>(payload, MAX_MESSAGE) else { return };
        if ask.from != *from {
            return;
        }
        let answer = match ask.request {
            OperatorRequest::Status => OperatorAnswer::Status(self.status()),
            OperatorRequest::Stop => self.stop_asked(out),
            OperatorRequest::Scale(permille) if permille > MAX_SCALE => {
                OperatorAnswer::Refused(format!("a factor of more than {}", MAX_SCALE / 1_000))
            }
            OperatorRequest::Scale(permille) => self.steer(|steering| steering.scale_permille = permille, out),
            OperatorRequest::Pause => self.steer(|steering| steering.is_paused = true, out),
            OperatorRequest::Resume => self.steer(|steering| steering.is_paused = false, out),
        };
        out.push(CoordinatorCommand::Send(from.clone(), write_message(&answer)));
    }

    fn stop_asked(&mut self, out: &mut Vec<CoordinatorCommand<C>>) -> OperatorAnswer {
        self.order_stop(StopCause::Operator, out);
        match self.state.state.stop {
            Some(stop) => OperatorAnswer::Done { at: stop.at },
            None => OperatorAnswer::Refused("the run is being taken over: ask again in ten seconds".into()),
        }
    }

    /// Changes the load of all nodes in the same second.
    fn steer(&mut self, change: impl Fn(&mut Steering), out: &mut Vec<CoordinatorCommand<C>>) -> OperatorAnswer {
        let refused = |reason: &str| OperatorAnswer::Refused(reason.into());
        if self.phase != CoordinatorPhase::Running || self.state.state.stop.is_some() {
            return refused("the load has not started, or ends");
        }
        let changes = &mut self.state.state.steering;
        if changes.len() >= MAX_CHANGES {
            return refused("the load was changed a thousand times");
        }
        let age = self.start.map_or(0, |start| self.now.saturating_sub(start));
        let mut next = Steering { number: 0, at: 0, scale_permille: 1_000, is_paused: false };
        if let Some(last) = changes.last() {
            next = *last;
        }
        change(&mut next);
        (next.number, next.at) = (next.number + 1, whole_seconds_up(age.saturating_add(SECOND)));
        changes.push(next);
        self.keep_state(out);
        OperatorAnswer::Done { at: next.at }
    }

    /// Returns the state of the run.
    pub fn status(&self) -> FleetStatus {
        let state = &self.state.state;
        let holders = || self.slots.iter().filter_map(|slot| slot.holder.as_ref());
        let count = |wanted: HolderState| {
            u32::try_from(holders().filter(|holder| holder.state == wanted).count()).unwrap_or(u32::MAX)
        };
        let beats = || holders().filter(|it| it.state == HolderState::Running).filter_map(|it| it.last.as_ref());
        let number = state.steering.last().map_or(0, |steering| steering.number);
        let missing = (0..).zip(&self.slots).filter(|(_, slot)| slot.holder.is_none()).map(|(segment, _)| segment);
        let refused = self.refused.iter().take(MAX_NAMED);
        FleetStatus {
            term: state.term,
            stage: state.stage,
            age: self.age(),
            end: self.load_end(),
            stop: state.stop,
            segments: self.plan.segments,
            ready: count(HolderState::Ready),
            running: count(HolderState::Running),
            lost: count(HolderState::Lost),
            ended: count(HolderState::Ended),
            missing: missing.take(MAX_NAMED).collect(),
            refused: refused.map(|(node, why)| RefusedNode { node: node.clone(), reason: why.clone() }).collect(),
            steering: state.steering.last().copied(),
            not_steered: u32::try_from(beats().filter(|beat| beat.steered < number).count()).unwrap_or(u32::MAX),
            in_flight: beats().map(|beat| beat.health.in_flight).fold(0, u64::saturating_add),
            drift: beats().map(|beat| beat.drift.unsigned_abs()).max().unwrap_or(0),
        }
    }
}
