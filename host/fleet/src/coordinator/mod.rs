//! The coordinator: it waits for the nodes, announces the start, collects what they count, closes the seconds, and
//! settles the accounts.
//!
//! ```text
//!            lease         state read, term written       all are ready, or a quorum       state written
//!  Claiming ───────▶ Loading ─────────┬────────────▶ Gathering ─────────────────▶ Starting ─────────────▶ Running
//!                                     │ the run had started                                                ▲   │
//!                                     └───────────▶ Resuming ── a snapshot tells when it started ──────────┘   │
//!                                                                       all nodes have ended, or time is over  │
//!                                                        Done ◀── reported, state written ◀── Closing ◀────────┘
//! ```
//!
//! A coordinator that is started again reads the state, takes the next term, and asks every node for a snapshot of all
//! its counts. Nodes that have ended are in the stream of final counts.

mod admission;
mod barrier;
mod collector;
mod event;
mod finishing;
mod losses;
mod operator;
mod report;
mod slot;
mod state_keeper;
mod windows;

pub use event::{CoordinatorCommand, CoordinatorEvent, CoordinatorExit, FleetNote, PutAnswer};
pub use operator::{FleetStatus, OperatorAnswer};
pub use report::{
    Accounting, Coverage, Doubt, FleetReport, FleetVerdict, NodeShare, RefusedNode, RunFailure, SegmentReport,
};
pub use windows::{Window, WindowPart};

use std::collections::BTreeMap;

use crate::counts::{Counts, FleetSchedule};
use crate::lease::{LeaseAction, LeaseAnswer, LeaseChange, LeaseKeeper};
use crate::message::{LeaseValue, Pulse, Refused, StopCause, ToNode, write_message};
use crate::names::NodeName;
use crate::node::Fetched;
use crate::plan::FleetPlan;
use crate::subjects::Channel;
use crate::time::{MILLISECOND, SECOND, Time};
use slot::SegmentSlot;
use state_keeper::{StateAction, StateChange, StateKeeper};
use windows::Windows;

/// The time between two looks over all segments.
const SCAN_EVERY: Time = 250 * MILLISECOND;

/// The time between two pulses.
const PULSE_EVERY: Time = SECOND;

/// The wait for nodes that are gone: they may come back, or have stored final counts that are on their way.
const LOST_PATIENCE: Time = 10 * SECOND;

/// The longest wait for the lease of a coordinator that is gone.
const LEASE_PATIENCE: Time = 30 * SECOND;

/// The coordinator of a run.
#[derive(Clone, Debug)]
pub struct Coordinator<C, S> {
    plan: FleetPlan,
    schedule: S,
    empty: C,
    now: Time,
    phase: CoordinatorPhase,
    lease: LeaseKeeper,
    state: StateKeeper,
    name: NodeName,
    slots: Vec<SegmentSlot<C>>,
    refused: BTreeMap<NodeName, Refused>,
    /// The start of the load on this clock.
    start: Option<Time>,
    windows: Windows<C>,
    is_resumed: bool,
    /// A stop that was asked for while the age of the load was not known.
    wanted_stop: Option<StopCause>,
    due: CoordinatorDeadlines,
    armed: Option<Time>,
}

/// The phases of a coordinator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoordinatorPhase {
    /// It wants the lease.
    Claiming,
    /// It reads the state of the run and writes its term.
    Loading,
    /// It waits for nodes.
    Gathering,
    /// The start is decided, and being written.
    Starting,
    /// The run had started before, and it is not known yet when.
    Resuming,
    /// The load goes on, or nodes are awaited after it.
    Running,
    /// The run is reported, and being written.
    Closing,
    /// The process has ended.
    Done,
}

/// Instants at which a coordinator does something by itself.
#[derive(Clone, Copy, Debug, Default)]
struct CoordinatorDeadlines {
    scan: Time,
    pulse: Time,
    /// The end of the phase.
    phase_end: Time,
    /// The instant until which final counts of nodes that are gone may still be in the stream.
    patience: Time,
}

impl<C: Counts, S: FleetSchedule> Coordinator<C, S> {
    /// Creates the coordinator of a run, or one that carries a run on. `empty` gives the shape of counts, and the name
    /// is that of this process.
    pub fn new(plan: FleetPlan, name: NodeName, schedule: S, empty: C) -> Self {
        Self {
            slots: (0..plan.segments).map(|_| SegmentSlot::new()).collect(),
            lease: LeaseKeeper::new(name.clone()),
            state: StateKeeper::new(name.clone()),
            plan,
            schedule,
            empty,
            now: 0,
            phase: CoordinatorPhase::Claiming,
            name,
            refused: BTreeMap::new(),
            start: None,
            windows: Windows::new(),
            is_resumed: false,
            wanted_stop: None,
            due: CoordinatorDeadlines::default(),
            armed: None,
        }
    }

    /// Takes an event at an instant of this process's monotonic clock, and appends the commands that follow from it.
    /// After [`CoordinatorCommand::Finish`] it takes none.
    pub fn step(&mut self, now: Time, event: CoordinatorEvent, out: &mut Vec<CoordinatorCommand<C>>) {
        if self.phase == CoordinatorPhase::Done {
            return;
        }
        self.now = self.now.max(now);
        match event {
            CoordinatorEvent::Start => self.due.phase_end = self.now + LEASE_PATIENCE,
            CoordinatorEvent::Lease(answer) => self.lease_answered(&answer, out),
            CoordinatorEvent::GotState(fetched) => self.got_state(&fetched, out),
            CoordinatorEvent::StatePut(answer) => {
                self.state.put(answer, self.now);
                (self.due.pulse, self.due.scan) = (self.now, self.now);
            }
            CoordinatorEvent::SegmentLease { segment, lease } => self.segment_lease(segment, &lease, out),
            CoordinatorEvent::Message { channel, from, payload } => self.message(channel, &from, &payload, out),
            CoordinatorEvent::Stop(cause) => self.order_stop(cause, out),
            CoordinatorEvent::Reconnected => self.reconnected(),
            CoordinatorEvent::Timer => self.armed = None,
        }
        self.progress(out);
        self.arm(out);
    }

    /// Does everything that is due.
    fn progress(&mut self, out: &mut Vec<CoordinatorCommand<C>>) {
        if self.phase == CoordinatorPhase::Done {
            return;
        }
        self.keep_lease(out);
        if self.phase != CoordinatorPhase::Claiming {
            self.keep_state(out);
        }
        if self.phase == CoordinatorPhase::Loading && self.state.has_term() {
            self.begin_term(out);
        }
        if self.is_active() && self.now >= self.due.scan {
            self.due.scan = self.now + SCAN_EVERY;
            self.scan(out);
        }
        if self.is_active() && self.now >= self.due.pulse {
            self.pulse(out);
        }
    }

    fn scan(&mut self, out: &mut Vec<CoordinatorCommand<C>>) {
        match self.phase {
            CoordinatorPhase::Gathering | CoordinatorPhase::Starting => self.gather(out),
            CoordinatorPhase::Resuming => self.resume(out),
            CoordinatorPhase::Running => self.collect(out),
            CoordinatorPhase::Closing => self.close(out),
            CoordinatorPhase::Claiming | CoordinatorPhase::Loading | CoordinatorPhase::Done => {}
        }
    }

    /// Sets the one timer.
    fn arm(&mut self, out: &mut Vec<CoordinatorCommand<C>>) {
        let state = (self.phase != CoordinatorPhase::Claiming).then(|| self.state.next_due()).flatten();
        let active = self.is_active().then(|| self.due.scan.min(self.due.pulse));
        let wait = (!self.is_active()).then_some(self.due.phase_end);
        let all = [self.lease.next_due(), state, active, wait];
        let Some(next) = all.into_iter().flatten().filter(|at| *at > self.now).min() else { return };
        if self.phase != CoordinatorPhase::Done && self.armed.is_none_or(|armed| armed != next) {
            self.armed = Some(next);
            out.push(CoordinatorCommand::WakeAt(next));
        }
    }

    fn keep_lease(&mut self, out: &mut Vec<CoordinatorCommand<C>>) {
        let value = write_message(&LeaseValue { holder: self.name.clone() });
        match self.lease.action(self.now) {
            Some(LeaseAction::Claim) => out.push(CoordinatorCommand::ClaimLease { value }),
            Some(LeaseAction::Renew { revision }) => out.push(CoordinatorCommand::RenewLease { revision, value }),
            None => {}
        }
    }

    fn lease_answered(&mut self, answer: &LeaseAnswer, out: &mut Vec<CoordinatorCommand<C>>) {
        let change = self.lease.answer(answer, self.now);
        match (self.phase, change) {
            (CoordinatorPhase::Claiming, LeaseChange::Held) => self.phase = CoordinatorPhase::Loading,
            (CoordinatorPhase::Claiming, LeaseChange::Lost) if self.now >= self.due.phase_end => {
                self.finish(CoordinatorExit::Occupied, out);
            }
            (CoordinatorPhase::Claiming, _) => {}
            (_, LeaseChange::Lost) => self.finish(CoordinatorExit::Superseded, out),
            _ => {}
        }
    }

    fn keep_state(&mut self, out: &mut Vec<CoordinatorCommand<C>>) {
        match self.state.action(self.now) {
            Some(StateAction::Get) => out.push(CoordinatorCommand::GetState),
            Some(StateAction::Put { revision, value }) => out.push(CoordinatorCommand::PutState { revision, value }),
            None => {}
        }
    }

    fn got_state(&mut self, fetched: &Fetched, out: &mut Vec<CoordinatorCommand<C>>) {
        match self.state.got(fetched, self.now) {
            StateChange::Pending => {}
            StateChange::Superseded => self.finish(CoordinatorExit::Superseded, out),
            StateChange::Finished => self.finish(CoordinatorExit::AlreadyFinished, out),
            StateChange::Unreadable => self.finish(CoordinatorExit::UnreadableState, out),
        }
    }

    fn reconnected(&mut self) {
        self.lease.hurry(self.now);
        self.state.check();
        self.due.patience = self.now + LOST_PATIENCE;
        self.due.pulse = self.now;
    }

    /// Broadcasts the state of the run, as it is on disk: nodes do nothing that the next coordinator does not know of.
    fn pulse(&mut self, out: &mut Vec<CoordinatorCommand<C>>) {
        self.due.pulse = self.now + PULSE_EVERY;
        let Some(state) = self.state.written() else { return };
        let pulse = Pulse {
            term: state.term,
            stage: state.stage,
            start: self.start,
            stop: state.stop,
            steering: state.steering.last().copied(),
        };
        out.push(CoordinatorCommand::Broadcast(write_message(&ToNode::Pulse(pulse))));
    }

    fn send(&self, node: &NodeName, message: &ToNode, out: &mut Vec<CoordinatorCommand<C>>) {
        out.push(CoordinatorCommand::Send(node.clone(), write_message(message)));
    }

    fn finish(&mut self, exit: CoordinatorExit, out: &mut Vec<CoordinatorCommand<C>>) {
        if let Some(revision) = self.lease.revision() {
            out.push(CoordinatorCommand::ReleaseLease { revision });
        }
        self.phase = CoordinatorPhase::Done;
        out.push(CoordinatorCommand::Finish(exit));
    }

    /// Returns `true` in the phases in which it speaks for the run.
    fn is_active(&self) -> bool {
        use CoordinatorPhase::{Claiming, Done, Loading};
        !matches!(self.phase, Claiming | Loading | Done)
    }

    fn term(&self) -> u64 {
        self.state.state.term
    }

    /// Returns the time since the start of the load; `None` if it is not known or in the future.
    fn age(&self) -> Option<Time> {
        self.start.and_then(|start| self.now.checked_sub(start))
    }

    /// Returns the end of the load, from its start.
    fn load_end(&self) -> Time {
        let length = self.plan.length();
        self.state.state.stop.map_or(length, |stop| stop.at.min(length))
    }

    /// Returns the phase.
    pub fn phase(&self) -> CoordinatorPhase {
        self.phase
    }

    /// Returns the instant of this clock at which the load starts or has started, once that is known.
    pub fn load_start(&self) -> Option<Time> {
        self.start
    }

    fn message(&mut self, channel: Channel, from: &NodeName, payload: &[u8], out: &mut Vec<CoordinatorCommand<C>>) {
        // Once the run is reported nothing is counted, so nothing is acknowledged either.
        let is_reported = self.phase == CoordinatorPhase::Closing && channel != Channel::Ask;
        if !self.is_active() || is_reported {
            return;
        }
        match channel {
            Channel::Probe | Channel::Ready | Channel::Heartbeat => self.node_message(from, payload, out),
            Channel::Counts | Channel::Final => self.parcel(from, payload, out),
            Channel::Ask => self.asked(from, payload, out),
        }
    }
}
