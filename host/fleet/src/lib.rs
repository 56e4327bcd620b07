//! The protocol by which many machines are one run.

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
pub use node::{Fetched, LoadOrder, Node, NodeCommand, NodeEvent, NodeExit, NodePhase, NodeSettings, Record};
pub use plan::{
    BarrierRule, ClockRule, FleetPlan, LEASE_LAPSE, LEASE_RENEWAL, LatePolicy, LossPolicy, MAX_PLAN, MAX_SEGMENTS,
    MILLION, PlanError, PlanObject,
};
pub use subjects::{Channel, FIN_STREAM, FIN_SUBJECTS, LEASE_BUCKET, OBJECT_STORE, PLAN_BUCKET, Subjects};
pub use time::{MILLISECOND, SECOND, Time};
