//! One virtual user, below the plugins that act for it. A plugin reaches a user only through a [`Session`], so the
//! state that must never mix between users (connections, cookies, sockets, variables, the task under way) has one
//! owner, and the rules on it hold for every kind of plugin.
//!
//! | file | contents |
//! |---|---|
//! | `session` | a user as the capabilities see it, and what all users of a worker share |
//! | `start` | when a user may start something, and when a request should have started |
//! | `active_time` | the time of a task without its waits for a turn |
//! | `task` | the task that a user has under way |
//! | `operations` | the operations of a task: in flight, or completed and kept for the guest |
//! | `request_memory` | memory for the rendered parts of a request |
//! | `operation` | an operation's number and its completion |
//! | `exchange` | operations: an HTTP exchange with its redirects, a sleep |
//! | `socket_operations` | operations: connect, upgrade, read and write on a socket |
//! | `linked_reads` | received bytes of a socket that are on its user's link |
//! | `sockets` | sockets that a user keeps open from task to task |
//! | `open_sample` | the verdict on the last exchange, which the guest may still change, and on the task |
//! | `recording` | the samples and examples that a session records |
//! | `judged` | the last exchange itself, until it is judged |
//! | `showing` | exchanges that are kept to be shown |
//! | `task_trace` | the trace of a task: its numbers and its attempts |
//! | `tracing` | the traces that a session makes, and their export |
//! | `limits` | limits per user, for any plugin |

mod active_time;
pub(crate) mod exchange;
mod judged;
pub(crate) mod limits;
mod linked_reads;
mod open_sample;
mod operation;
mod operations;
mod recording;
mod request_memory;
mod session;
mod showing;
pub(crate) mod socket_operations;
mod sockets;
mod start;
mod task;
mod task_trace;
mod tracing;

pub use open_sample::{Conclusion, TaskOutcome, TaskSample};
pub use operation::{CompletedExchange, Completion, OperationId, OperationKind, sample};
pub use operations::{CutOffExchange, Operations};
pub use request_memory::RequestScratch;
pub use session::{RowShortage, Session, User, WorkerShared};
pub use sockets::{
    InstanceId, ReceivedBytes, Reservation, Socket, SocketActivity, SocketId, SocketUpgrade, Sockets, plugin_fault,
};
pub use start::{ActiveWindow, PromisedStart, RequestStart};
pub use task::{BodyNeed, Task, TaskStart};
pub use task_trace::Tracer;
