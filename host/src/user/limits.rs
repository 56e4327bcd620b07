//! Limits per user, whichever plugin acts for it. A well-behaved plugin comes near none of them.

/// Header fields of one request; one user's header store holds as many again. The map they go into panics beyond
/// 24,576.
pub const HEADERS: usize = 256;
/// Bytes of replies, of bodies made at run time, and of reads and writes of sockets that one task may hold at once.
pub const HELD: usize = 64 << 20;
/// Sockets that one plugin may have open, or be opening, for one user.
pub const SOCKETS: usize = 64;
