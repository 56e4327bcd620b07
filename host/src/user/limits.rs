//! Limits per user, whichever plugin acts for it. A well-behaved plugin comes near none of them.

/// Header fields of one request; one user's header store holds as many again. The map they go into panics beyond
/// 24,576.
pub(crate) const HEADERS: usize = 256;
/// Bytes of replies, of bodies made at run time, and of reads and writes of sockets that one task may hold at once.
pub(crate) const HELD: usize = 64 << 20;
/// Sockets that one plugin may have open, or be opening, for one user.
pub(crate) const SOCKETS: usize = 64;
