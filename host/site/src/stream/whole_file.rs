//! A recorded track as one file: initialization section, index (`sidx`, ISO/IEC 14496-12), segments one after another.
//! The file is never put together: only the pieces that a request asks for are made, when they are sent.

use std::ops::Range;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{ACCEPT_RANGES, CONTENT_RANGE, HeaderValue};

use super::byte_range::{RequestedBytes, overlap};
use super::choices::Container;
use super::hls;
use super::micros::SECOND;
use super::recording::Recording;
use super::refusal::Refusal;
use super::request::StreamRequest;
use crate::body::{BodySource, Filler, Pieces};
use crate::page_outcome::{PageReply, empty};

/// Size of an index without its references.
const INDEX_HEAD_BYTES: u64 = 40;

/// Size of a reference to a segment.
const REFERENCE_BYTES: u64 = 12;

/// A reference to a segment that begins with a point where a viewer can start, of type 1.
const STARTS_WITH_ACCESS_POINT: u32 = 0x9000_0000;

/// The places of the parts of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileSections {
    /// The initialization section.
    pub init: Range<u64>,
    /// The index.
    pub index: Range<u64>,
    /// Size of the file.
    pub size: u64,
}

impl FileSections {
    /// Returns the places for a recorded track.
    pub(crate) fn of(recording: &Recording) -> Self {
        let init = recording.track.init_bytes();
        let index = init + INDEX_HEAD_BYTES + REFERENCE_BYTES * recording.count;
        let segments = recording.numbers().map(|number| recording.track.segment(number).bytes);
        Self { init: 0..init, index: init..index, size: index + segments.sum::<u64>() }
    }
}

/// Serves the file or a part of it.
///
/// # Errors
/// The track does not exist, or is not fragmented MP4.
pub(crate) fn file(request: &StreamRequest<'_>) -> Result<PageReply, Refusal> {
    let recording = Recording::of(request)?;
    if recording.track.container() == Container::TransportStream {
        return Err(Refusal::not_found("transport streams are not served as one file"));
    }
    let layout = FileSections::of(&recording);
    let size = layout.size;
    let field = request.page.header("range").filter(|_| !request.spec.faults.ranges_ignored);
    let (status, range) = match RequestedBytes::of(field, size) {
        RequestedBytes::All => (StatusCode::OK, 0..size),
        RequestedBytes::Some(range) => (StatusCode::PARTIAL_CONTENT, range),
        RequestedBytes::None => {
            return Ok(with_content_range(empty(StatusCode::RANGE_NOT_SATISFIABLE), format!("bytes */{size}")));
        }
    };
    let content_range = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
    let mut reply = hls::media(&recording.track, body(recording.clone(), layout, range));
    *reply.status_mut() = status;
    reply.headers_mut().insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    Ok(if status == StatusCode::OK { reply } else { with_content_range(reply, content_range) })
}

fn with_content_range(mut reply: PageReply, value: String) -> PageReply {
    if let Ok(value) = HeaderValue::try_from(value) {
        reply.headers_mut().insert(CONTENT_RANGE, value);
    }
    reply
}

/// Returns some bytes of the file.
fn body(recording: Recording, layout: FileSections, range: Range<u64>) -> BodySource {
    let length = range.end - range.start;
    let init = overlap(&layout.init, &range).map(|part| vec![recording.track.init_slice(&part)]);
    let index = overlap(&layout.index, &range).map(|part| {
        let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        vec![Filler::of(index(&recording).slice(within(part.start)..within(part.end)))]
    });
    let mut offset = layout.index.end;
    let segments = recording.numbers().filter_map(move |number| {
        let place = offset..offset + recording.track.segment(number).bytes;
        offset = place.end;
        overlap(&place, &range).map(|part| recording.track.segment_slice(number, &part))
    });
    BodySource::Pieces(Pieces::new(length, init.into_iter().chain(index).chain(segments).flatten()))
}

/// Returns the index, of version 1, in which times are microseconds.
fn index(recording: &Recording) -> Bytes {
    let size = INDEX_HEAD_BYTES + REFERENCE_BYTES * recording.count;
    let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    bytes.extend(narrow(size));
    bytes.extend(b"sidx");
    // Version and flags, number of the track, time scale.
    bytes.extend([1_u32 << 24, 1].map(u32::to_be_bytes).concat());
    bytes.extend(narrow(SECOND));
    // Earliest time, and distance from the end of the index to the first segment.
    bytes.extend([0_u8; 16]);
    bytes.extend(narrow(recording.count));
    for segment in recording.numbers().map(|number| recording.track.segment(number)) {
        bytes.extend(narrow(segment.bytes));
        bytes.extend(narrow(segment.duration));
        bytes.extend(STARTS_WITH_ACCESS_POINT.to_be_bytes());
    }
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::filler_track::FillerTrack;
    use crate::stream::spec::StreamSpec;
    use crate::stream::track::Track;

    #[test]
    fn an_index_refers_to_every_segment() {
        let spec = StreamSpec::parse("a,length=10s", None).unwrap();
        let recording = Recording::new(Track::Filler(FillerTrack::find(&spec, "800k").unwrap()), &spec);
        let bytes = index(&recording);
        let layout = FileSections::of(&recording);
        assert_eq!(bytes.len() as u64, layout.index.end - layout.index.start);
        let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!((word(0) as usize, &bytes[4..8], word(16)), (bytes.len(), &b"sidx"[..], 1_000_000));
        assert_eq!((word(36), bytes.len()), (3, 40 + 3 * 12));
        assert_eq!((word(40), word(44), word(48)), (400_000, 4_000_000, 0x9000_0000));
        assert_eq!(layout.size, 800 + 76 + 3 * 400_000);
    }
}
