//! The protocol by which many machines are one run: one schedule, one report, one verdict. It is a set of state
//! machines that read no clock, open no connection and know no host, so a fleet of a thousand nodes with all its
//! troubles is simulated in seconds.
//!
//! A *node* is a process that carries out one *segment* of the schedule. The *coordinator* is a process that waits for
//! the nodes, starts them, collects what they count, and reports. Between them is a bus with subjects, records and
//! leases ([`Subjects`] lists them all); no process connects to another.
//!
//! ```text
//!  node                              bus                                      coordinator
//!   │ get plan, look at state ─────▶ records: plan, state ◀──────── claim lease, write term │
//!   │ claim segment, renew it ─────▶ leases: segments, coordinator ◀────────────── renew it │
//!   │ load script, plugins, data                                                            │
//!   │ ◀───────────── ctl: pulse, every second and at every change ───────────────────────── │
//!   │ ── clk: 16 probes, each answered ───────────────────────────────────────────────────▶ │
//!   │ ── rdy: version, digest, bound of the clock ────────────────────────────────────────▶ │
//!   │ ◀───────────── to: admitted, or refused with the reason ───────────────────────────── │
//!   │ ◀───────────── ctl: start = now + 3 s, on the coordinator's clock ─────────────────── │
//!   │ load, by its own clock                                                                │
//!   │ ── iv: frames 1, 2, 3 …; hb: heartbeats ────────────────────────────────────────────▶ │ close seconds
//!   │ ◀───────────── to: everything up to a number is counted ───────────────────────────── │
//!   │ load over, everything acknowledged                                                    │
//!   │ ── fin: all counts ──────────▶ stream: final counts ────────────────────────────────▶ │ compare, report
//! ```
//!
//! # What holds
//!
//! - Counts are lost with their node only, and then they are `missing`: planned = fired + dropped + missing. What was
//!   acknowledged is counted, and no frame is counted twice ([`frame`]).
//! - The numbers of a node are compared with its own sum at the end, bin by bin.
//! - No verdict passes on less than the plan demands ([`FleetReport::verdict`]).
//! - Everything that the coordinator says is in the pulse, which is repeated, or is asked for again: no message has to
//!   arrive. Every process ends by itself when nothing is heard.
//! - Of two processes that claim one segment, or to be the coordinator, one is listened to. A segment belongs to the
//!   process that has its lease; a coordinator has a term, which is on disk and grows, and nodes ignore a lesser one.
//!
//! # Driving it
//!
//! A driver gives each machine the events of the world with the instant at which they happened, on one monotonic clock,
//! and carries its commands out in order: that of a node is about [`NodeEvent`] and [`NodeCommand`], that of a
//! coordinator about [`CoordinatorEvent`] and [`CoordinatorCommand`]. It has one timer a machine. Requests to the bus
//! are answered once and within two seconds, with `Failed` if it is not known what became of them. Payloads are opaque
//! to it.
//!
//! ```
//! use stampede_fleet::{
//!     Channel, Counts, CountsError, FleetPlan, LeaseAnswer, Fetched, FleetNode, NodeCommand, NodeEvent, NodeName,
//!     NodeSettings, PromisedStarts, Record, RunId, SECOND, Subjects,
//! };
//!
//! #[derive(Clone)]
//! struct Requests(u64);
//!
//! impl Counts for Requests {
//!     fn add(&mut self, other: &Self) {
//!         self.0 += other.0;
//!     }
//!     fn write(&self, out: &mut Vec<u8>) {
//!         out.extend(self.0.to_le_bytes());
//!     }
//!     fn read(&self, bytes: &[u8]) -> Result<Self, CountsError> {
//!         let bytes = bytes.try_into().map_err(|_| CountsError("expected 8 bytes".into()))?;
//!         Ok(Self(u64::from_le_bytes(bytes)))
//!     }
//!     fn is_empty(&self) -> bool {
//!         self.0 == 0
//!     }
//!     fn starts(&self) -> PromisedStarts {
//!         PromisedStarts::default()
//!     }
//!     fn difference(&self, sum: &Self) -> Option<String> {
//!         (self.0 != sum.0).then(|| format!("{} requests, and {} in frames", self.0, sum.0))
//!     }
//! }
//!
//! let run = RunId::new("match-1")?;
//! let name = NodeName::of_process("pod-7", 0x5eed);
//! let subjects = Subjects::new(run.clone());
//! assert_eq!(subjects.from(Channel::Heartbeat, &name), "stampede.match-1.hb.pod-7-0000000000005eed");
//!
//! let (version, patience) = ("1.0".into(), 60 * SECOND);
//! let settings = NodeSettings { run: run.clone(), name, segment: Some(7), version, patience };
//! let mut node = FleetNode::new(settings, Requests(0));
//! let mut commands = Vec::new();
//! node.step(0, NodeEvent::Start, &mut commands);
//! assert!(matches!(commands[0], NodeCommand::Get(Record::Plan)));
//!
//! // The driver reads the record `match-1.plan`, and reports what it has found.
//! let plan = FleetPlan::new(run, 40, 60_000).to_bytes();
//! node.step(1_000, NodeEvent::Got(Record::Plan, Fetched::Found { revision: 1, value: plan }), &mut commands);
//! node.step(2_000, NodeEvent::Got(Record::State, Fetched::Absent), &mut commands);
//! assert!(matches!(commands.last(), Some(NodeCommand::WakeAt(_)) | Some(NodeCommand::Claim { segment: 7, .. })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | file | contents |
//! |---|---|
//! | `plan`, `names`, `subjects` | what all machines agree on, and where it is found |
//! | `counts` | what the protocol has to know of the counts: [`Counts`], [`FleetSchedule`] |
//! | `message` | small messages and records |
//! | `frame` | counts on the wire: numbered, acknowledged, merged, in parts |
//! | `clock`, `lease` | the two measures of time between machines |
//! | `node`, `coordinator` | the state machines |

mod clock;
mod coordinator;
mod counts;
pub mod frame;
mod lease;
mod message;
mod names;
mod node;
mod plan;
mod subjects;
mod time;

pub use clock::{ClockReading, NodeClock};
pub use coordinator::{
    Accounting, Coordinator, CoordinatorCommand, CoordinatorEvent, CoordinatorExit, CoordinatorPhase, Coverage, Doubt,
    FleetNote, FleetReport, FleetStatus, FleetVerdict, NodeShare, OperatorAnswer, PutAnswer, RefusedNode, RunFailure,
    SegmentReport, Window, WindowPart,
};
pub use counts::{Counts, CountsError, FleetSchedule, PromisedStarts, Steering};
pub use lease::LeaseAnswer;
pub use message::{
    Ask, EndCause, FromNode, Heartbeat, LeaseValue, MAX_ANSWER, MAX_MESSAGE, MessageError, NodeHealth, OperatorRequest,
    Pulse, Readiness, Refused, RunStage, RunState, Sender, StopCause, StopOrder, ToNode, read_message, write_message,
};
pub use names::{MAX_NAME, NameError, NodeName, RunId};
pub use node::{Fetched, FleetNode, LoadOrder, NodeCommand, NodeEvent, NodeExit, NodePhase, NodeSettings, Record};
pub use plan::{
    BarrierRule, ClockRule, FleetPlan, LEASE_LAPSE, LEASE_RENEWAL, LatePolicy, LossPolicy, MAX_PLAN, MAX_SEGMENTS,
    MILLION, PlanError, PlanObject,
};
pub use subjects::{Channel, FIN_STREAM, FIN_SUBJECTS, LEASE_BUCKET, OBJECT_STORE, PLAN_BUCKET, Subjects};
pub use time::{MILLISECOND, SECOND, Time};
