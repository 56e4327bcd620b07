//! The delivery directives of RFC 8216bis, section 6.2.5: the part of the query with which a viewer asks for the next
//! playlist instead of polling for it.

use super::micros::{Micros, SECOND};
use super::refusal::Refusal;
use super::track::Track;
use super::window::LiveEdge;
use crate::page_request::PageRequest;

/// Number of segments after the last complete one up to which a viewer may ask.
const MOST_SEGMENTS_AHEAD: u64 = 2;

/// The directives of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Directives {
    /// The segment that the playlist must have.
    msn: Option<u64>,
    /// The part of that segment, if it need not be complete.
    part: Option<u64>,
    /// Segments that the viewer knows may be left out.
    pub skip: bool,
}

impl Directives {
    /// Reads the query.
    ///
    /// # Errors
    /// A directive has no number, or a part is asked for without its segment.
    pub(crate) fn parse(page: &PageRequest<'_>) -> Result<Self, Refusal> {
        let mut directives = Self::default();
        for (name, value) in page.query_pairs() {
            let number = || value.parse().map_err(|_| Refusal::bad_request(format!("`{name}` is not a number")));
            match &*name {
                "_HLS_msn" => directives.msn = Some(number()?),
                "_HLS_part" => directives.part = Some(number()?),
                "_HLS_skip" => directives.skip = matches!(&*value, "YES" | "v2"),
                _ => {}
            }
        }
        if directives.part.is_some() && directives.msn.is_none() {
            return Err(Refusal::bad_request("`_HLS_part` needs `_HLS_msn`"));
        }
        Ok(directives)
    }

    /// Returns the time at which the playlist has what is asked for; `None` if nothing is.
    ///
    /// # Errors
    /// The request is too far ahead of the stream.
    pub(crate) fn due(&self, track: &Track, edge: LiveEdge) -> Result<Option<Micros>, Refusal> {
        let Some(number) = self.msn else { return Ok(None) };
        // The segment in progress follows the last complete one.
        let is_ahead = number >= edge.number + MOST_SEGMENTS_AHEAD;
        let most_parts = edge.parts.saturating_add(parts_ahead(track.part_target()));
        if is_ahead || number == edge.number && self.part.is_some_and(|part| part >= most_parts) {
            return Err(Refusal::bad_request("the playlist will not have that for long"));
        }
        Ok(Some(match self.part {
            None => track.segment(number).end(),
            // A part after the last one of a segment is the first of the next.
            Some(part) => match track.part(number, part).or_else(|| track.part(number.saturating_add(1), 0)) {
                Some(part) => part.end(),
                None => track.segment(number).end(),
            },
        }))
    }
}

/// Returns the number of parts after the last one up to which a viewer may ask: those of three seconds, three if a part
/// lasts a second or longer.
const fn parts_ahead(target: Micros) -> u64 {
    if target < SECOND { (3 * SECOND).div_ceil(target) } else { 3 }
}
