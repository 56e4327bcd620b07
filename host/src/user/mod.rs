//! One virtual user: its identity and variables, the task under way, its sockets, and the sample that is open.
//!
//! | file | contents |
//! |---|---|
//! | `session` | a user as the capabilities see it |
//! | `start` | when it may do something |
//! | `task` | what it has in flight |
//! | `operation` | one operation, and its result |
//! | `exchange`, `socket_operations` | the operations themselves |
//! | `sockets` | the sockets that it keeps open |
//! | `open_sample` | the sample of the last exchange, which may still turn into a failure |
//! | `limits` | what one user may use |

pub mod exchange;
pub mod limits;
mod open_sample;
mod operation;
mod session;
pub mod socket_operations;
mod sockets;
mod start;
mod task;

pub use operation::{CompletedExchange, Completion, OperationId, sample};
pub use session::{RowShortage, Session, User, WorkerShared};
pub use sockets::{
    InstanceId, ReceivedBytes, Reservation, Socket, SocketActivity, SocketId, SocketUpgrade, Sockets, plugin_fault,
};
pub use start::{ActiveWindow, PromisedStart, RequestStart};
pub use task::Task;
