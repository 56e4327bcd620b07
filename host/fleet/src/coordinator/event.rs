//! The events that the driver of a coordinator reports, and the commands that it carries out.

use serde::{Deserialize, Serialize};

use super::report::FleetReport;
use super::windows::{Window, WindowPart};
use crate::lease::LeaseAnswer;
use crate::message::{EndCause, Refused, StopCause};
use crate::names::NodeName;
use crate::node::Fetched;
use crate::subjects::Channel;
use crate::time::Time;

/// An event that [`Coordinator::step`](crate::Coordinator::step) takes.
#[derive(Clone, Debug)]
pub enum CoordinatorEvent {
    /// The process begins. Given once, first; the plan has been put on the bus before.
    Start,
    /// The answer to [`CoordinatorCommand::ClaimLease`] or [`CoordinatorCommand::RenewLease`].
    Lease(LeaseAnswer),
    /// The answer to [`CoordinatorCommand::GetState`].
    GotState(Fetched),
    /// The answer to [`CoordinatorCommand::PutState`].
    StatePut(PutAnswer),
    /// The answer to [`CoordinatorCommand::GetSegmentLease`].
    SegmentLease {
        /// The segment.
        segment: u32,
        /// Its lease.
        lease: Fetched,
    },
    /// A message came. Its sender is the last token of the subject, which the bus lets no other sender use.
    Message {
        /// The channel.
        channel: Channel,
        /// The sender.
        from: NodeName,
        /// The content.
        payload: Vec<u8>,
    },
    /// This process wants the load to end: a threshold failed, or its own machine asks for it.
    Stop(StopCause),
    /// The connection to the bus is back.
    Reconnected,
    /// The instant of the last [`CoordinatorCommand::WakeAt`] has come.
    Timer,
}

/// The answer to a write of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutAnswer {
    /// It was written, and has this revision now.
    Written {
        /// The revision.
        revision: u64,
    },
    /// It was not written: it has another revision.
    Conflict,
    /// It is not known if it was written.
    Failed,
}

/// A command to the driver of a coordinator, carried out in order. Each claim, renewal, `Get` and `Put` is answered
/// once, within two seconds.
#[derive(Clone, Debug)]
pub enum CoordinatorCommand<C> {
    /// Create the coordinator's lease if there is none. If there is, answer with that one.
    ClaimLease {
        /// The value.
        value: Vec<u8>,
    },
    /// Write the coordinator's lease if it has this revision. If it has another, answer with that one.
    RenewLease {
        /// The revision.
        revision: u64,
        /// The value.
        value: Vec<u8>,
    },
    /// Delete the coordinator's lease if it has this revision. Not answered.
    ReleaseLease {
        /// The revision.
        revision: u64,
    },
    /// Read the state of the run.
    GetState,
    /// Write the state of the run if it has this revision; `None` if there must be none.
    PutState {
        /// The revision.
        revision: Option<u64>,
        /// The value.
        value: Vec<u8>,
    },
    /// Read the lease of a segment directly, from the server that has the newest.
    GetSegmentLease(u32),
    /// Deliver the messages of all channels from now on, and those of the stream of final counts from its beginning.
    Subscribe,
    /// Publish a message to all nodes, without waiting.
    Broadcast(Vec<u8>),
    /// Publish a message to one node or operator, without waiting.
    Send(NodeName, Vec<u8>),
    /// A second is closed: show it to thresholds, sinks and page. All windows and baselines add up to what was counted,
    /// and nothing is in two of them.
    Window(Window<C>),
    /// Counts from before this coordinator, of which the seconds are not known.
    Baseline(WindowPart<C>),
    /// Something happened that people should know.
    Note(FleetNote),
    /// The run is over. Always after the last window.
    Report(Box<FleetReport>),
    /// Report [`CoordinatorEvent::Timer`] at this instant. It replaces the instant before.
    WakeAt(Time),
    /// The process ends. Always the last command.
    Finish(CoordinatorExit),
}

/// The ends of a coordinator's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoordinatorExit {
    /// It has reported the run.
    Reported,
    /// Another coordinator has taken its place.
    Superseded,
    /// Another coordinator is at work.
    Occupied,
    /// The run was reported before.
    AlreadyFinished,
    /// The state of the run is of another version, or damaged.
    UnreadableState,
}

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FleetNote {
    /// A node takes part.
    Admitted {
        /// The segment.
        segment: u32,
        /// The node.
        node: NodeName,
        /// The first second that it carries out.
        from_second: u32,
    },
    /// A node does not take part.
    Refused {
        /// The segment.
        segment: u32,
        /// The node.
        node: NodeName,
        /// The reason.
        reason: Refused,
    },
    /// A node's clock is more uncertain than the plan wants.
    UncertainClock {
        /// The node.
        node: NodeName,
        /// The bound in nanoseconds.
        bound: Time,
    },
    /// The load begins at an instant of the coordinator's clock.
    Starting {
        /// The instant.
        at: Time,
        /// The segments without a node.
        absent: Vec<u32>,
    },
    /// A run that another coordinator began is carried on.
    Resumed {
        /// The term of this coordinator.
        term: u64,
    },
    /// A node is lost: what it counted after this second is missing.
    Lost {
        /// The segment.
        segment: u32,
        /// The node.
        node: NodeName,
        /// The second after the last one that was counted.
        second_end: u32,
    },
    /// A node that was lost is back.
    Returned {
        /// The segment.
        segment: u32,
        /// The node.
        node: NodeName,
    },
    /// The load of a node has ended, and its final counts have come.
    Ended {
        /// The segment.
        segment: u32,
        /// The node.
        node: NodeName,
        /// The reason.
        end: EndCause,
    },
    /// The load ends before its time.
    Stopping(StopCause),
    /// Counts of a node cannot be read.
    Unreadable {
        /// The node.
        node: NodeName,
        /// The reason.
        reason: String,
    },
}
