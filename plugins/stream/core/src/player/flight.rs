//! The fetches that are in flight, and the answer that each is for.

use crate::command::What;
use crate::event::FetchId;
use crate::micros::Micros;
use crate::playlist::{ByteRange, Resource};

/// A fetch that is in flight.
#[derive(Debug, Clone)]
pub(crate) struct Flight {
    pub(crate) id: FetchId,
    pub(crate) what: What,
    pub(crate) begun: Micros,
    /// The index of its lane; the manifest and clocks have none.
    pub(crate) lane: Option<usize>,
    pub(crate) rung: usize,
    /// The media that it brings.
    pub(crate) media: Option<FlightMedia>,
    /// The initialization segment or key that it brings.
    pub(crate) resource: Option<Resource>,
    pub(crate) range: Option<ByteRange>,
    /// Bytes of the same media that came in a reply before, which was short.
    pub(crate) came: u64,
    /// The instant at which its progress is asked for.
    pub(crate) look_at: Option<Micros>,
    /// The instant at which it is left for another rung.
    pub(crate) leave_at: Option<Micros>,
    /// The instant by which its head must have come.
    pub(crate) head_by: Option<Micros>,
}

/// The place of the media that a fetch brings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlightMedia {
    pub(crate) number: u64,
    /// The index of a part of it.
    pub(crate) part: Option<usize>,
    /// The session's time at which it ends.
    pub(crate) end: Micros,
    pub(crate) duration: Micros,
    /// `true` if it comes as it is made.
    pub(crate) is_chunked: bool,
}

impl Flight {
    /// Returns the next instant at which something about it is due.
    pub(crate) fn due(&self) -> Option<Micros> {
        [self.look_at, self.leave_at, self.head_by].into_iter().flatten().min()
    }
}
