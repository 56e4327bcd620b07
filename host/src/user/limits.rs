//! What one user may use, whatever plugin acts for it: each limit is a number with a name, and what no honest plugin comes
//! near.

/// Header fields of one request, and as many again that one user's header store holds. The map they go into panics
/// beyond 24,576.
pub const HEADERS: usize = 256;
/// Bytes of replies, of bodies made at run time, and of reads and writes of sockets that one task may hold at once.
pub const HELD: usize = 64 << 20;
/// Sockets that one plugin may have open, or be opening, for one user.
pub const SOCKETS: usize = 64;
