//! The events that the driver of a node reports, and the commands that it carries out.

use crate::frame::CountedSecond;
use crate::lease::LeaseAnswer;
use crate::message::{NodeHealth, Refused};
use crate::names::{NodeName, RunId};
use crate::plan::{FleetPlan, PlanError};
use crate::subjects::Channel;
use crate::time::Time;

/// The settings of a process that wants to be a node.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    /// The run.
    pub run: RunId,
    /// The name of the process.
    pub name: NodeName,
    /// The segment to carry out; `None` to take a free one.
    pub segment: Option<u32>,
    /// The version of the program.
    pub version: String,
    /// The longest wait for the plan, a segment and a coordinator.
    pub patience: Time,
}

/// A record that is read once, without a watcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// The plan of the run.
    Plan,
    /// The state of the run.
    State,
    /// The lease of the coordinator.
    CoordinatorLease,
}

/// The answer to reading a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// It is there.
    Found {
        /// Its revision.
        revision: u64,
        /// Its value.
        value: Vec<u8>,
    },
    /// It is not there.
    Absent,
    /// It is not known.
    Failed,
}

/// An event that [`FleetNode::step`](crate::FleetNode::step) takes.
#[derive(Clone, Debug)]
pub enum NodeEvent<C> {
    /// The process begins. Given once, first.
    Start,
    /// The answer to [`NodeCommand::Get`].
    Got(Record, Fetched),
    /// The answer to [`NodeCommand::Claim`] or [`NodeCommand::Renew`].
    Lease(LeaseAnswer),
    /// The end of [`NodeCommand::Prepare`]: everything is loaded, and has this digest.
    Prepared {
        /// The digest of script, plugins and data.
        digest: String,
    },
    /// The other end of [`NodeCommand::Prepare`]: something cannot be loaded.
    Unprepared {
        /// The reason.
        reason: String,
    },
    /// A message on the subject of all nodes, or on that of this node.
    Message(Vec<u8>),
    /// The counts of a second, in the order of seconds; empty ones too.
    Counted(CountedSecond<C>),
    /// The load is over: all requests have ended or were given up, and all counts were reported.
    Ended,
    /// The state of the machine, every second or so.
    Health(NodeHealth),
    /// The answer to [`NodeCommand::Store`]: it is on disk.
    Stored,
    /// The other answer to [`NodeCommand::Store`]: that is not known.
    NotStored,
    /// The connection to the bus is back.
    Reconnected,
    /// The machine asks the process to end, with SIGTERM for instance.
    Interrupted,
    /// The instant of the last [`NodeCommand::WakeAt`] has come.
    Timer,
}

/// A command to the driver of a node, carried out in order. Each `Get`, `Claim`, `Renew` and `Store` is answered once,
/// within two seconds.
#[derive(Clone, Debug)]
pub enum NodeCommand {
    /// Read a record directly, from the server that has the newest.
    Get(Record),
    /// Create the lease of a segment if there is none. If there is, answer with that one.
    Claim {
        /// The segment.
        segment: u32,
        /// The value.
        value: Vec<u8>,
    },
    /// Write the lease of a segment if it has this revision. If it has another, answer with that one.
    Renew {
        /// The segment.
        segment: u32,
        /// The revision.
        revision: u64,
        /// The value.
        value: Vec<u8>,
    },
    /// Delete the lease of a segment if it has this revision. Not answered.
    Release {
        /// The segment.
        segment: u32,
        /// The revision.
        revision: u64,
    },
    /// Fetch the objects of the plan, check and load them for a segment, and connect nothing to the target yet.
    Prepare {
        /// The plan.
        plan: Box<FleetPlan>,
        /// The segment.
        segment: u32,
    },
    /// Publish a message, without waiting.
    Publish(Channel, Vec<u8>),
    /// Put a message into the stream of final counts, with an identifier by which a second copy is recognized.
    Store {
        /// The identifier.
        id: String,
        /// The message.
        payload: Vec<u8>,
    },
    /// Change the load.
    Load(LoadOrder),
    /// Report [`NodeEvent::Timer`] at this instant. It replaces the instant before.
    WakeAt(Time),
    /// The process ends. Always the last command.
    Finish(NodeExit),
}

/// An order to the load generator of a node. Instants are those of the node's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadOrder {
    /// Carry the segment out, on the schedule that begins at `start`, from this second on; what was due before is left
    /// out.
    Begin {
        /// The instant at which the schedule begins.
        start: Time,
        /// The first second.
        from_second: u32,
    },
    /// Multiply the load, or pause it.
    Steer {
        /// The instant from which it holds, perhaps a past one.
        at: Time,
        /// The factor in thousandths.
        scale_permille: u32,
        /// `true` if nothing begins.
        is_paused: bool,
    },
    /// Begin nothing from this instant on, perhaps a past one, and let open requests end within their grace.
    End {
        /// The instant.
        at: Time,
    },
    /// Begin nothing and give open requests up.
    Abort,
}

/// The ends of a node's process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeExit {
    /// Its load is over, and its counts are stored.
    Done,
    /// The run was over or called off before its load began.
    NotNeeded,
    /// The coordinator does not want it.
    Refused(Refused),
    /// Another process carries its segment out.
    Fenced,
    /// There is no plan, no free segment or no coordinator.
    Waited,
    /// The plan cannot be used.
    BadPlan(PlanError),
    /// Something of the plan cannot be loaded.
    Unprepared(String),
    /// The coordinator was gone before the load began.
    Orphaned,
    /// The machine asked for the end before the load began.
    Interrupted,
    /// Its counts could not be stored.
    Unreported,
}
