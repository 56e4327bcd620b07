//! A track: one rendition of a stream, as a list without end of segments that are found by number or by time. Playlists
//! and manifests are written from tracks alone and do not know where the bytes come from.

use std::ops::Range;
use std::sync::Arc;

use super::choices::Container;
use super::filler_track::FillerTrack;
use super::ladder::FrameSize;
use super::media::MediaTrack;
use super::micros::Micros;
use super::track_info::{PartInfo, SegmentInfo, TrackKind};
use crate::body::{BodySource, Filler, Pieces};

/// One rendition of a stream.
#[derive(Clone)]
pub(crate) enum Track {
    /// Filler of the size of media.
    Filler(FillerTrack),
    /// Media of a folder, over and over.
    Media(Arc<MediaTrack>),
}

impl Track {
    /// Returns the name, which is a part of its URIs.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Filler(track) => track.name(),
            Self::Media(track) => track.name().to_owned(),
        }
    }

    /// Returns the media that it carries.
    pub(crate) fn kind(&self) -> TrackKind {
        match self {
            Self::Filler(track) => track.kind(),
            Self::Media(track) => track.kind(),
        }
    }

    /// Returns `true` if it carries audio alone.
    pub(crate) fn is_audio(&self) -> bool {
        self.kind() == TrackKind::Audio
    }

    /// Returns the form of its segments.
    pub(crate) fn container(&self) -> Container {
        match self {
            Self::Filler(track) => track.container(),
            Self::Media(_) => Container::Fmp4,
        }
    }

    /// Returns the bit rate in bits per second, never exceeded by a segment.
    pub(crate) fn bandwidth(&self) -> u64 {
        match self {
            Self::Filler(track) => track.bandwidth(),
            Self::Media(track) => track.bandwidth(),
        }
    }

    /// Returns the size of the picture; `None` for audio.
    pub(crate) fn frame_size(&self) -> Option<FrameSize> {
        match self {
            Self::Filler(track) => track.frame_size(),
            Self::Media(track) => track.frame_size(),
        }
    }

    /// Returns the codecs as in RFC 6381.
    pub(crate) fn codecs(&self) -> String {
        match self {
            Self::Filler(track) => track.codecs(),
            Self::Media(track) => track.codecs().to_owned(),
        }
    }

    /// Returns the longest duration of a segment.
    pub(crate) fn longest_segment(&self) -> Micros {
        match self {
            Self::Filler(track) => track.segment_duration(),
            Self::Media(track) => track.longest_segment(),
        }
    }

    /// Returns the mean duration of a segment.
    pub(crate) fn mean_segment(&self) -> Micros {
        match self {
            Self::Filler(track) => track.segment_duration(),
            Self::Media(track) => track.mean_segment(),
        }
    }

    /// Returns the longest duration of a part.
    pub(crate) fn part_target(&self) -> Micros {
        match self {
            Self::Filler(track) => track.part_target(),
            Self::Media(track) => track.longest_part(),
        }
    }

    /// Returns place and size of a segment.
    pub(crate) fn segment(&self, number: u64) -> SegmentInfo {
        match self {
            Self::Filler(track) => track.segment(number),
            Self::Media(track) => track.segment(number),
        }
    }

    /// Returns the number of the segment that holds a time.
    pub(crate) fn number_at(&self, position: Micros) -> u64 {
        match self {
            Self::Filler(track) => track.number_at(position),
            Self::Media(track) => track.number_at(position),
        }
    }

    /// Returns the number of the first segment that begins at a time or later.
    pub(crate) fn number_from(&self, position: Micros) -> u64 {
        let number = self.number_at(position);
        if self.segment(number).start < position { number + 1 } else { number }
    }

    /// Returns the number of parts of a segment, at least one.
    pub(crate) fn part_count(&self, number: u64) -> u64 {
        match self {
            Self::Filler(track) => track.part_count(),
            Self::Media(track) => track.part_count(number),
        }
    }

    /// Returns place and bytes of a part of a segment, numbered from 0.
    pub(crate) fn part(&self, number: u64, index: u64) -> Option<PartInfo> {
        match self {
            Self::Filler(track) => track.part(number, index),
            Self::Media(track) => track.part(number, index),
        }
    }

    /// Returns the number of parts of a segment that are complete at a position within it.
    pub(crate) fn parts_until(&self, number: u64, position: Micros) -> u64 {
        match self {
            Self::Filler(track) => track.parts_until(number, position),
            Self::Media(track) => track.parts_until(number, position),
        }
    }

    /// Returns the size of the initialization section.
    pub(crate) fn init_bytes(&self) -> u64 {
        match self {
            Self::Filler(_) => FillerTrack::INIT_BYTES,
            Self::Media(track) => track.init().len() as u64,
        }
    }

    /// Returns some bytes of the initialization section.
    pub(crate) fn init_slice(&self, range: &Range<u64>) -> Filler {
        match self {
            Self::Filler(_) => FillerTrack::init_slice(range),
            Self::Media(track) => Filler::of(track.init_slice(range)),
        }
    }

    /// Returns the bytes of the initialization section.
    pub(crate) fn init_body(&self) -> BodySource {
        BodySource::Filler(self.init_slice(&(0..self.init_bytes())))
    }

    /// Returns some bytes of a segment of fragmented MP4.
    pub(crate) fn segment_slice(&self, number: u64, range: &Range<u64>) -> Vec<Filler> {
        match self {
            Self::Filler(_) => vec![FillerTrack::segment_slice(range)],
            Self::Media(track) => track.segment_slice(number, range).into_iter().map(Filler::of).collect(),
        }
    }

    /// Returns the bytes of a segment.
    pub(crate) fn segment_body(&self, number: u64) -> BodySource {
        match self {
            Self::Filler(track) => BodySource::Filler(track.whole_segment(number)),
            Self::Media(track) => self.slice_body(number, &(0..track.segment(number).bytes)),
        }
    }

    /// Returns some bytes of a segment of fragmented MP4 as a body.
    pub(crate) fn slice_body(&self, number: u64, range: &Range<u64>) -> BodySource {
        match self {
            Self::Filler(_) => BodySource::Filler(FillerTrack::segment_slice(range)),
            Self::Media(track) => {
                let pieces = track.segment_slice(number, range).into_iter().map(Filler::of);
                BodySource::Pieces(Pieces::new(range.end.saturating_sub(range.start), pieces))
            }
        }
    }
}
