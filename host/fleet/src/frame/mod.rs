//! Frames: the counts of a node on their way to the coordinator, so that none is lost and none is counted twice.
//!
//! A node numbers its frames from 1. The coordinator takes the frame that follows on those it has, and no other; it
//! answers with the greatest number that it has counted. What is not acknowledged is sent again. A frame that has been
//! sent may have been counted, so it stays as it is; of those that wait behind, two become one when there are too many.
//!
//! ```text
//!  push ──▶ [ 4 │ 5 │ 6 ║ 7 │ 8 │ 9 … ]        ║ sent, at most 8 │ waiting
//!             │              └─┬─┘
//!    send ◀───┘                └─▶ [7..=8] when there are more than 30
//!    ack 5 ─▶ forget 4 and 5
//! ```

mod assembly;
mod inbox;
mod parcel;
mod queue;

pub use assembly::Assembly;
pub use inbox::{FrameInbox, Taken};
pub use parcel::{MAX_BODY, MAX_PAYLOAD, ParcelError, ParcelHead, ParcelKind, ParcelPart, encode};
pub use queue::{CountedSecond, FrameQueue, MAX_QUEUED, QueuedFrame};
