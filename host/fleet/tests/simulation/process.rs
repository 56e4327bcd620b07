//! A process of the simulation: a machine's clock, and a node or a coordinator with what its host does for it.

use std::collections::BTreeMap;

use stampede_fleet::{
    Coordinator, CoordinatorExit, FleetNode, FleetReport, NodeExit, NodeName, OperatorAnswer, SECOND, Time,
};

use crate::counts::{SimCounts, SimSchedule};
use crate::generator::Generator;

/// The clock of a machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalClock {
    pub(crate) offset: i64,
    /// Parts in a million by which it runs fast.
    pub(crate) drift: i64,
}

impl LocalClock {
    pub(crate) fn local(&self, now: Time) -> Time {
        let drift = i128::from(now) * i128::from(self.drift) / 1_000_000;
        (i128::from(now) + drift + i128::from(self.offset)).max(0) as Time
    }

    /// Returns the instant at which this clock shows `local`, or the next one.
    pub(crate) fn global(&self, local: Time) -> Time {
        let shifted = i128::from(local) - i128::from(self.offset);
        let guess = shifted * 1_000_000 / (1_000_000 + i128::from(self.drift));
        let mut now = guess.max(0) as Time;
        while self.local(now) < local {
            now += 1;
        }
        now
    }
}

/// A process.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) name: NodeName,
    pub(crate) clock: LocalClock,
    /// The greatest time that the process has seen.
    pub(crate) seen: Time,
    pub(crate) is_alive: bool,
    /// The instant until which it stands still.
    pub(crate) paused_until: Time,
    /// The instant until which it has no connection.
    pub(crate) parted_until: Time,
    pub(crate) timer: u64,
    pub(crate) role: Role,
}

/// The part that a process plays.
#[derive(Debug)]
pub(crate) enum Role {
    Node(Box<NodeRole>),
    Coordinator(Box<CoordinatorRole>),
}

#[derive(Debug)]
pub(crate) struct NodeRole {
    pub(crate) node: FleetNode<SimCounts>,
    pub(crate) index: Option<u32>,
    pub(crate) generator: Generator,
    /// Everything that was handed over: frame k+1 has the counts at k.
    pub(crate) handed: Vec<(u32, SimCounts)>,
    pub(crate) exit: Option<NodeExit>,
    /// The last acknowledgement that it took: the term of the coordinator, and the number.
    pub(crate) acknowledged: (u64, u64),
    /// The start of its load, in true time, and the bound of its clock.
    pub(crate) started: Option<(Time, Time)>,
}

#[derive(Debug)]
pub(crate) struct CoordinatorRole {
    pub(crate) coordinator: Coordinator<SimCounts, SimSchedule>,
    /// The sums of windows and baselines, by segment.
    pub(crate) shown: BTreeMap<u32, SimCounts>,
    pub(crate) last_window: Option<u32>,
    pub(crate) is_subscribed: bool,
    /// The final counts that it was given.
    pub(crate) finals_read: usize,
    pub(crate) report: Option<FleetReport>,
    pub(crate) exit: Option<CoordinatorExit>,
    pub(crate) answers: Vec<OperatorAnswer>,
    pub(crate) notes: usize,
}

impl Process {
    pub(crate) fn is_parted(&self, now: Time) -> bool {
        now < self.parted_until
    }

    /// Reads the clock, which never goes back for a process.
    pub(crate) fn read_clock(&mut self, now: Time) -> Time {
        self.seen = self.seen.max(self.clock.local(now));
        self.seen
    }

    pub(crate) fn node(&self) -> Option<&NodeRole> {
        match &self.role {
            Role::Node(node) => Some(node),
            Role::Coordinator(_) => None,
        }
    }

    pub(crate) fn coordinator(&self) -> Option<&CoordinatorRole> {
        match &self.role {
            Role::Coordinator(coordinator) => Some(coordinator),
            Role::Node(_) => None,
        }
    }
}

impl NodeRole {
    /// Returns the sum of the first frames.
    pub(crate) fn prefix(&self, seq: u64) -> SimCounts {
        use stampede_fleet::Counts;
        let mut sum = SimCounts::default();
        self.handed.iter().take(seq as usize).for_each(|(_, counts)| sum.add(counts));
        sum
    }
}

/// The longest answer that a driver waits for.
pub(crate) const ANSWER_WITHIN: Time = 2 * SECOND;
