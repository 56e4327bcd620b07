//! The parts of the last reply that conditions may read.

/// A part of the last reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReplyPart {
    Status,
    Latency,
    Size,
    Body,
    Json,
    Headers,
}
