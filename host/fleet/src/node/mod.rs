//! A node: the process that carries out one segment of a run.
//!
//! ```text
//!            plan         lease          loaded        admitted, start
//!  Joining ───────▶ Claiming ───▶ Preparing ───▶ Waiting ──────────────▶ Running
//!                                                 │                        │ load over
//!                             refused, called off │                        ▼
//!                                                 ├──────── fenced ◀── Flushing
//!                                                 │                        │ all acknowledged, or 10 s later
//!                                                 ▼                        ▼
//!                                                Done ◀───── stored ──── Storing
//! ```
//!
//! The load ends in one of these ways, whichever comes first: by the plan; by an order to stop, in every pulse; when
//! there was no sign of a coordinator for `orphan_after`; at the plan's hard end; by the machine's own signal; or when
//! the lease lapses and another node may carry out the segment. A node with a lease that lapsed goes on where no other
//! may take its place, claims it again, and delivers its frames: nothing is lost by a partition.

mod claiming;
mod ending;
mod event;
mod orders;
mod running;
mod waiting;

pub use event::{Fetched, LoadOrder, NodeCommand, NodeEvent, NodeExit, NodeSettings, Record};

use std::collections::VecDeque;

use crate::clock::NodeClock;
use crate::counts::Counts;
use crate::frame::FrameQueue;
use crate::lease::LeaseKeeper;
use crate::message::{EndCause, NodeHealth, Sender};
use crate::plan::FleetPlan;
use crate::time::Time;

/// A process that carries out a segment.
#[derive(Clone, Debug)]
pub struct FleetNode<C> {
    settings: NodeSettings,
    now: Time,
    /// The instant at which it began.
    born: Time,
    phase: NodePhase,
    plan: Option<Box<FleetPlan>>,
    segment: u32,
    /// The segments that were found taken in this round.
    tried: u32,
    lease: LeaseKeeper,
    clock: NodeClock,
    coordinator: CoordinatorView,
    digest: String,
    load: NodeLoad,
    queue: FrameQueue<C>,
    /// Everything that was counted.
    cumulative: C,
    snapshot: Option<PendingSnapshot>,
    /// The term of the coordinator for which the last snapshot was made.
    snapshot_term: u64,
    /// Messages for the stream of final counts, the next one first.
    stores: VecDeque<Vec<u8>>,
    stored: u32,
    is_storing: bool,
    health: NodeHealth,
    due: NodeDeadlines,
    armed: Option<Time>,
}

/// The phases of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodePhase {
    /// It waits for the plan.
    Joining,
    /// It wants a segment.
    Claiming,
    /// It loads script, plugins and data.
    Preparing,
    /// It waits for the start.
    Waiting,
    /// The load goes on, or its start is near.
    Running,
    /// The load is over, and frames wait for acknowledgement.
    Flushing,
    /// The final counts are being stored.
    Storing,
    /// The process has ended.
    Done,
}

/// The view that a node has of the coordinator.
#[derive(Clone, Copy, Debug, Default)]
struct CoordinatorView {
    /// The greatest term that was heard of.
    term: u64,
    /// The instant of the last sign of life.
    heard: Option<Time>,
    /// `true` while a record is read.
    is_asking: bool,
    /// The instant from which its lease may be looked at again.
    look_at: Time,
}

/// The load of a node.
#[derive(Clone, Copy, Debug, Default)]
struct NodeLoad {
    /// The first second that the coordinator admitted it for.
    admitted: Option<u32>,
    /// The instant at which the schedule begins.
    start: Option<Time>,
    from_second: u32,
    /// The second after the last one that was counted.
    second_end: u32,
    /// The instant, from the start, before which everything that was due is counted.
    until: Time,
    /// The reason for which the load was ordered to end.
    end: Option<EndCause>,
    /// The instant of that order.
    ordered: Time,
    is_aborted: bool,
    /// The number of the last change of the load.
    steered: u32,
}

/// All counts of a node on their way to a new coordinator.
#[derive(Clone, Debug)]
struct PendingSnapshot {
    seq: u64,
    body: Vec<u8>,
    second_end: u32,
    until: Time,
    send_at: Time,
}

/// Instants at which a node does something by itself.
#[derive(Clone, Copy, Debug, Default)]
struct NodeDeadlines {
    /// The next try of what the phase is about.
    retry: Time,
    heartbeat: Time,
    /// The end of the phase.
    phase_end: Time,
}

impl<C: Counts> FleetNode<C> {
    /// Creates a node. `empty` gives the shape of its counts.
    pub fn new(settings: NodeSettings, empty: C) -> Self {
        Self {
            lease: LeaseKeeper::new(settings.name.clone()),
            settings,
            now: 0,
            born: 0,
            phase: NodePhase::Joining,
            plan: None,
            segment: 0,
            tried: 0,
            clock: NodeClock::default(),
            coordinator: CoordinatorView::default(),
            digest: String::new(),
            load: NodeLoad::default(),
            queue: FrameQueue::default(),
            cumulative: empty,
            snapshot: None,
            snapshot_term: 0,
            stores: VecDeque::new(),
            stored: 0,
            is_storing: false,
            health: NodeHealth::default(),
            due: NodeDeadlines::default(),
            armed: None,
        }
    }

    /// Takes an event at an instant of the node's monotonic clock, and appends the commands that follow from it. After
    /// [`NodeCommand::Finish`] it takes none.
    pub fn step(&mut self, now: Time, event: NodeEvent<C>, out: &mut Vec<NodeCommand>) {
        if self.phase == NodePhase::Done {
            return;
        }
        self.now = self.now.max(now);
        match event {
            NodeEvent::Start => self.begin(out),
            NodeEvent::Got(record, fetched) => self.got(record, fetched, out),
            NodeEvent::Lease(answer) => self.lease_answered(&answer, out),
            NodeEvent::Prepared { digest } => self.prepared(digest),
            NodeEvent::Unprepared { reason } => self.finish(NodeExit::Unprepared(reason), out),
            NodeEvent::Message(bytes) => self.message(&bytes, out),
            NodeEvent::Counted(counted) => self.counted(counted),
            NodeEvent::Ended => self.load_ended(),
            NodeEvent::Health(health) => self.health = health,
            NodeEvent::Stored => self.store_answered(true),
            NodeEvent::NotStored => self.store_answered(false),
            NodeEvent::Reconnected => self.reconnected(out),
            NodeEvent::Interrupted => self.interrupted(out),
            NodeEvent::Timer => self.armed = None,
        }
        self.progress(out);
        self.arm(out);
    }

    /// Does everything that is due.
    fn progress(&mut self, out: &mut Vec<NodeCommand>) {
        self.keep_lease(out);
        self.probe(out);
        match self.phase {
            NodePhase::Joining => self.join(out),
            NodePhase::Claiming => self.claim(out),
            NodePhase::Preparing => self.give_up_late(out),
            NodePhase::Waiting => self.wait(out),
            NodePhase::Running => self.run(out),
            NodePhase::Flushing => self.flush(out),
            NodePhase::Storing | NodePhase::Done => {}
        }
        if self.phase == NodePhase::Storing {
            self.store(out);
        }
    }

    /// Sets the one timer.
    fn arm(&mut self, out: &mut Vec<NodeCommand>) {
        if self.phase == NodePhase::Done {
            return;
        }
        let holds = self.holds_segment().then(|| self.lease.next_due()).flatten();
        let silence = self.silence_due();
        let phase = [Some(self.due.retry), Some(self.due.heartbeat), Some(self.due.phase_end)];
        let counts = [self.queue.next_due(), self.snapshot.as_ref().map(|snapshot| snapshot.send_at)];
        let probe = self.probes().then(|| self.clock.next_due()).flatten();
        let ends = [self.hard_end(), self.lapse_end(), self.generator_end()];
        let all = phase.into_iter().chain(counts).chain(ends).chain([holds, silence, probe]);
        let Some(next) = all.flatten().filter(|at| *at > self.now).min() else { return };
        if self.armed.is_none_or(|armed| armed != next) {
            self.armed = Some(next);
            out.push(NodeCommand::WakeAt(next));
        }
    }

    fn finish(&mut self, exit: NodeExit, out: &mut Vec<NodeCommand>) {
        if self.phase == NodePhase::Done {
            return;
        }
        if let Some(revision) = self.lease.revision().filter(|_| self.holds_segment()) {
            out.push(NodeCommand::Release { segment: self.segment, revision });
        }
        self.phase = NodePhase::Done;
        out.push(NodeCommand::Finish(exit));
    }

    fn sender(&self) -> Sender {
        Sender { node: self.settings.name.clone(), segment: self.segment, epoch: self.lease.epoch() }
    }

    /// Returns `true` in the phases in which the lease of the segment is kept.
    fn holds_segment(&self) -> bool {
        !matches!(self.phase, NodePhase::Joining | NodePhase::Claiming | NodePhase::Done)
    }

    /// Returns a moment within a second that differs from node to node.
    fn stagger(&self) -> Time {
        self.settings.name.spread() % 900 * crate::time::MILLISECOND
    }

    /// Returns the phase.
    pub fn phase(&self) -> NodePhase {
        self.phase
    }

    /// Returns the segment that it has claimed.
    pub fn segment(&self) -> Option<u32> {
        self.holds_segment().then_some(self.segment)
    }

    /// Returns the instant of the node's clock at which the schedule of the load begins, once that is known.
    pub fn load_start(&self) -> Option<Time> {
        self.load.start
    }

    /// Returns the measured difference to the coordinator's clock.
    pub fn clock(&self) -> &NodeClock {
        &self.clock
    }

    /// Returns the frames that are not acknowledged.
    pub fn queue(&self) -> &FrameQueue<C> {
        &self.queue
    }

    /// Returns the greatest term of a coordinator that it has heard of.
    pub fn term(&self) -> u64 {
        self.coordinator.term
    }
}
