//! Small messages between nodes, coordinator and operators, and the records that leases and states are. All of them are
//! JSON, so that people can read what goes over the bus. Counts travel in [parcels](crate::frame) instead.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::counts::Steering;
use crate::names::NodeName;
use crate::time::Time;

/// The longest message of a node or an operator, in bytes.
pub const MAX_MESSAGE: usize = 16 << 10;

/// The longest message or record of a coordinator, in bytes.
pub const MAX_ANSWER: usize = 512 << 10;

/// The sender of a node's message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sender {
    /// The process.
    pub node: NodeName,
    /// The segment that it has claimed, from 0.
    pub segment: u32,
    /// The revision of the lease by which it claimed the segment. It orders the claims of a segment while the bucket of
    /// leases lives; that is in memory, so after a loss of the server revisions begin again.
    pub epoch: u64,
}

/// A message of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromNode {
    /// A clock probe, answered at once.
    Probe {
        /// The sender.
        node: NodeName,
        /// Its number.
        number: u32,
    },
    /// Everything is loaded: the load can start.
    Ready(Readiness),
    /// A sign of life, every second.
    Heartbeat(Heartbeat),
}

/// The readiness of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// The sender.
    pub sender: Sender,
    /// The version of its program.
    pub version: String,
    /// The digest of script, plugins and data, as it loaded them.
    pub digest: String,
    /// The uncertainty of its clock relative to that of the coordinator with this term.
    pub clock_bound: Time,
    /// The term of the coordinator that it measured its clock against.
    pub term: u64,
}

/// A sign of life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The sender.
    pub sender: Sender,
    /// `true` from the start of its load to its end.
    pub is_running: bool,
    /// The last number of a change of the load that it has carried out.
    pub steered: u32,
    /// Nanoseconds by which its clock has drifted from the coordinator's since the start.
    pub drift: i64,
    /// Frames that are not acknowledged.
    pub queued: u32,
    /// The state of its machine.
    pub health: NodeHealth,
}

/// The state of a node's machine and load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeHealth {
    /// Processor time in use, in thousandths of one core.
    pub cpu_permille: u32,
    /// Resident memory, in bytes.
    pub memory: u64,
    /// The greatest delay of the load generator in the last second.
    pub lag: Time,
    /// Requests without a reply so far.
    pub in_flight: u64,
}

/// A message of the coordinator. Its term tells nodes to ignore a coordinator that another one has replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToNode {
    /// The answer to a clock probe.
    ProbeReply {
        /// The term of the coordinator.
        term: u64,
        /// The number of the probe.
        number: u32,
        /// The coordinator's clock when the probe came.
        time: Time,
    },
    /// The node takes part.
    Admitted {
        /// The term of the coordinator.
        term: u64,
        /// The first second of the load that it carries out.
        from_second: u32,
    },
    /// The node does not take part, and ends.
    Refused {
        /// The term of the coordinator.
        term: u64,
        /// The reason.
        reason: Refused,
    },
    /// The segment belongs to another node, and nothing is taken from this one.
    Fenced {
        /// The term of the coordinator.
        term: u64,
    },
    /// All frames up to this number are counted.
    Ack {
        /// The term of the coordinator.
        term: u64,
        /// The greatest number.
        seq: u64,
    },
    /// The coordinator is new and wants all counts of the node so far.
    WantSnapshot {
        /// The term of the coordinator.
        term: u64,
    },
    /// The state of the run: broadcast every second and at every change, so that a lost message is made up for.
    Pulse(Pulse),
}

/// The state of the run, as the coordinator broadcasts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulse {
    /// The term of the coordinator.
    pub term: u64,
    /// The stage.
    pub stage: RunStage,
    /// The start of the load, on the coordinator's clock.
    pub start: Option<Time>,
    /// The end of the load before its time.
    pub stop: Option<StopOrder>,
    /// The last change of the load.
    pub steering: Option<Steering>,
}

/// The stages of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunStage {
    /// Nodes are awaited.
    Gathering,
    /// The start has been announced.
    Started,
    /// The report is made.
    Finished,
}

/// The end of the load before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopOrder {
    /// The instant, from the start of the load. A node that learns it later stops at once.
    pub at: Time,
    /// The reason.
    pub cause: StopCause,
}

/// Reasons to stop all nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopCause {
    /// A person asked for it.
    Operator,
    /// A threshold that ends a run failed.
    Threshold,
    /// More nodes were lost than the policy allows.
    Loss,
    /// Nodes were missing after the longest wait.
    Barrier,
}

/// Reasons why a node does not take part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refused {
    /// The program has another version.
    Version(String),
    /// Script, plugins or data are others.
    Digest(String),
    /// The clock is too uncertain: the bound in nanoseconds.
    Clock(Time),
    /// The run has started, and the policy lets no node join.
    Late,
    /// The plan has no such segment.
    Segment(u32),
}

/// Reasons why a node's load ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndCause {
    /// The load was over, by the plan.
    Planned,
    /// The coordinator said so.
    Stopped,
    /// No coordinator was there for too long.
    Orphaned,
    /// The plan's hard end had come.
    HardEnd,
    /// The node was told to end by its own machine.
    Interrupted,
    /// Its lease lapsed, and another node may carry out its segment.
    Lapsed,
    /// Another node has its segment.
    Fenced,
}

impl EndCause {
    /// All causes, in the order of their numbers on the wire.
    pub(crate) const ALL: [Self; 7] =
        [Self::Planned, Self::Stopped, Self::Orphaned, Self::HardEnd, Self::Interrupted, Self::Lapsed, Self::Fenced];
}

/// The request of an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The name that the answer is sent to.
    pub from: NodeName,
    /// The wish.
    pub request: OperatorRequest,
}

/// The wishes of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperatorRequest {
    /// Tell the state of the run.
    Status,
    /// End the load.
    Stop,
    /// Multiply the load by a factor in thousandths, 10,000 at most.
    Scale(u32),
    /// Begin nothing.
    Pause,
    /// Begin again.
    Resume,
}

/// The value of a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseValue {
    /// The process that holds it.
    pub holder: NodeName,
}

/// The state of a run as the coordinator keeps it on disk, so that another one can go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunState {
    /// The term of the coordinator that wrote it. Each coordinator writes a greater one before it does anything.
    pub term: u64,
    /// That coordinator.
    pub coordinator: NodeName,
    /// The stage.
    pub stage: RunStage,
    /// The segments that took part in the start.
    pub present: Vec<u32>,
    /// The end of the load before its time.
    pub stop: Option<StopOrder>,
    /// All changes of the load.
    pub steering: Vec<Steering>,
}

/// The reason why bytes are not a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageError(String);

/// Reads a message or record of at most this many bytes.
///
/// # Errors
/// There are more bytes, or they are not such a message.
pub fn read_message<M: DeserializeOwned>(bytes: &[u8], most: usize) -> Result<M, MessageError> {
    if bytes.len() > most {
        return Err(MessageError(format!("a message of {} bytes, expected {most} at most", bytes.len())));
    }
    serde_json::from_slice(bytes).map_err(|error| MessageError(format!("not a message: {error}")))
}

/// Writes a message or record.
pub fn write_message<M: Serialize>(message: &M) -> Vec<u8> {
    // Names and numbers can always be written.
    serde_json::to_vec(message).unwrap_or_default()
}

impl ToNode {
    /// Returns the term of the coordinator that sent it.
    pub const fn term(&self) -> u64 {
        match self {
            Self::ProbeReply { term, .. }
            | Self::Admitted { term, .. }
            | Self::Refused { term, .. }
            | Self::Fenced { term }
            | Self::Ack { term, .. }
            | Self::WantSnapshot { term }
            | Self::Pulse(Pulse { term, .. }) => *term,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(f, "it has version {version}"),
            Self::Digest(digest) => write!(f, "it has loaded another script, plugin or data file: {digest}"),
            Self::Clock(bound) => write!(f, "its clock is known to {} µs only", bound / 1_000),
            Self::Late => f.write_str("the run has started"),
            Self::Segment(segment) => write!(f, "the plan has no segment {}", u64::from(*segment) + 1),
        }
    }
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for MessageError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_as_they_were_written() {
        let pulse = ToNode::Pulse(Pulse {
            term: 3,
            stage: RunStage::Started,
            start: Some(5),
            stop: Some(StopOrder { at: 9, cause: StopCause::Loss }),
            steering: Some(Steering { number: 1, at: 2, scale_permille: 500, is_paused: true }),
        });
        assert_eq!(read_message(&write_message(&pulse), MAX_ANSWER), Ok(pulse));
        let text = write_message(&ToNode::Ack { term: 1, seq: 7 });
        assert_eq!(text, b"{\"Ack\":{\"term\":1,\"seq\":7}}");
    }

    #[test]
    fn what_is_too_long_or_no_message_is_an_error() {
        for bytes in [&b"null"[..], b"{\"Ready\":1}", b"\xff", &vec![b' '; MAX_MESSAGE + 1]] {
            assert!(read_message::<FromNode>(bytes, MAX_MESSAGE).is_err());
        }
    }
}
