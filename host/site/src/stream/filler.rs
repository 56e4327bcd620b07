//! Bytes that take the place of media where only their number matters. They are shared by all replies. Transport
//! streams are valid; fragmented MP4 has the boxes that tell its form, and zeros.

use std::ops::Range;

use bytes::Bytes;

use super::choices::Container;
use crate::body::{Filler, LengthPolicy};
use crate::transport_stream::{NULL_PACKETS, PACKET_BYTES, PROGRAM_TABLES};

/// Size of an initialization section in bytes, about that of a real one.
pub(crate) const INIT_BYTES: u64 = 800;

/// `ftyp`, then the head of a `free` box that takes the rest of [`INIT_BYTES`].
const INIT_HEAD: &[u8] = b"\0\0\0\x18ftypiso6\0\0\0\0iso6dash\0\0\x03\x08free";

/// `styp`, then the head of an `mdat` box whose size 0 means: to the end of the file.
const SEGMENT_HEAD: &[u8] = b"\0\0\0\x18stypmsdh\0\0\0\0msdhmsix\0\0\0\0mdat";

/// Zeros, 64 KiB.
static ZEROS: [u8; 1 << 16] = [0; 1 << 16];

/// Returns the size of a segment, the nearest one to `bytes` that its container can have from below.
pub(crate) const fn segment_bytes(container: Container, bytes: u64) -> u64 {
    let (head, unit) = match container {
        Container::Fmp4 => (SEGMENT_HEAD.len() as u64, 1),
        Container::TransportStream => (PROGRAM_TABLES.len() as u64, PACKET_BYTES as u64),
    };
    let whole = bytes / unit * unit;
    if whole < head { head } else { whole }
}

/// Size of a block of AES-128.
const BLOCK_BYTES: u64 = 16;

/// Returns the size of a segment once it is encrypted: padded to whole blocks by at least one byte.
pub(crate) const fn encrypted_bytes(bytes: u64) -> u64 {
    bytes / BLOCK_BYTES * BLOCK_BYTES + BLOCK_BYTES
}

/// Returns some bytes of an initialization section.
pub(crate) fn init_slice(range: &Range<u64>) -> Filler {
    slice_of(INIT_HEAD, range)
}

/// Returns a segment of a size that [`segment_bytes`] gave.
pub(crate) fn segment(container: Container, bytes: u64) -> Filler {
    match container {
        Container::Fmp4 => segment_slice(&(0..bytes)),
        Container::TransportStream => with_head(PROGRAM_TABLES, NULL_PACKETS, bytes - PROGRAM_TABLES.len() as u64),
    }
}

/// Returns some bytes of a segment of fragmented MP4.
pub(crate) fn segment_slice(range: &Range<u64>) -> Filler {
    slice_of(SEGMENT_HEAD, range)
}

/// Returns some bytes of a file that begins with `head`, followed by zeros.
fn slice_of(head: &'static [u8], range: &Range<u64>) -> Filler {
    let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(head.len());
    let head = &head[within(range.start)..within(range.end)];
    with_head(head, &ZEROS, range.end.saturating_sub(range.start) - head.len() as u64)
}

fn with_head(head: &'static [u8], pattern: &'static [u8], remaining: u64) -> Filler {
    Filler { head: Bytes::from_static(head), pattern, remaining, length_policy: LengthPolicy::Announced }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boxes_of_the_heads_fill_their_files() {
        let size = |at: &[u8]| u64::from(u32::from_be_bytes([at[0], at[1], at[2], at[3]]));
        assert_eq!(size(INIT_HEAD) + size(&INIT_HEAD[24..]), INIT_BYTES);
        assert_eq!((size(SEGMENT_HEAD), &SEGMENT_HEAD[24..]), (24, &b"\0\0\0\0mdat"[..]));
    }

    #[test]
    fn a_transport_stream_is_made_of_whole_packets() {
        assert_eq!(segment_bytes(Container::TransportStream, 1_000), 5 * 188);
        assert_eq!(segment_bytes(Container::TransportStream, 1), 2 * 188);
        assert_eq!(segment_bytes(Container::Fmp4, 1_000), 1_000);
    }
}
