//! A track of filler: segments of one duration, whose size is exactly that of the bit rate.

use std::ops::Range;

use super::choices::{AudioPlace, Container};
use super::filler;
use super::ladder::FrameSize;
use super::micros::Micros;
use super::spec::StreamSpec;
use super::track_info::{PartInfo, SegmentInfo, TrackKind};
use crate::body::Filler;

/// Bit rate of audio that has a track of its own, in kb/s.
const AUDIO_KBPS: u32 = 64;

/// Name of the audio track.
const AUDIO_NAME: &str = "audio";

/// One rendition of a stream of filler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FillerTrack {
    kind: TrackKind,
    kbps: u32,
    segment: Micros,
    part: Micros,
    container: Container,
    encrypted: bool,
}

impl FillerTrack {
    /// Size of an initialization section.
    pub(crate) const INIT_BYTES: u64 = filler::INIT_BYTES;

    /// Returns the tracks of a stream: qualities in ascending order, then audio if it is apart.
    pub(crate) fn all(spec: &StreamSpec) -> Vec<Self> {
        let videos = spec.ladder.rates().iter().map(|kbps| Self::video(spec, *kbps));
        videos.chain((spec.audio == AudioPlace::Apart).then(|| Self::audio(spec))).collect()
    }

    /// Returns the track of that name.
    pub(crate) fn find(spec: &StreamSpec, name: &str) -> Option<Self> {
        if name == AUDIO_NAME {
            return (spec.audio == AudioPlace::Apart).then(|| Self::audio(spec));
        }
        let kbps = name.strip_suffix('k')?.parse().ok()?;
        spec.ladder.rates().contains(&kbps).then(|| Self::video(spec, kbps))
    }

    fn video(spec: &StreamSpec, kbps: u32) -> Self {
        let kind = if spec.audio == AudioPlace::Apart { TrackKind::Video } else { TrackKind::Muxed };
        Self::new(spec, kind, kbps)
    }

    fn audio(spec: &StreamSpec) -> Self {
        Self::new(spec, TrackKind::Audio, AUDIO_KBPS)
    }

    fn new(spec: &StreamSpec, kind: TrackKind, kbps: u32) -> Self {
        let StreamSpec { segment, part, container, .. } = *spec;
        Self { kind, kbps, segment, part, container, encrypted: spec.keys.is_some() }
    }

    /// Returns the name, which is a part of its URIs.
    pub(crate) fn name(&self) -> String {
        if self.kind == TrackKind::Audio { AUDIO_NAME.to_owned() } else { format!("{}k", self.kbps) }
    }

    /// Returns the media that it carries.
    pub(crate) const fn kind(&self) -> TrackKind {
        self.kind
    }

    /// Returns the form of its segments.
    pub(crate) const fn container(&self) -> Container {
        self.container
    }

    /// Returns the bit rate in bits per second, never exceeded by a segment.
    pub(crate) const fn bandwidth(&self) -> u64 {
        self.kbps as u64 * 1_000
    }

    /// Returns the size of the picture; `None` for audio.
    pub(crate) fn frame_size(&self) -> Option<FrameSize> {
        (self.kind != TrackKind::Audio).then(|| FrameSize::of_rate(self.kbps))
    }

    /// Returns the codecs as in RFC 6381.
    pub(crate) fn codecs(&self) -> String {
        let video = match FrameSize::of_rate(self.kbps).height {
            0..=480 => "avc1.4d401e",
            481..=720 => "avc1.4d401f",
            _ => "avc1.640028",
        };
        match self.kind {
            TrackKind::Muxed => format!("{video},mp4a.40.2"),
            TrackKind::Video => video.to_owned(),
            TrackKind::Audio => "mp4a.40.2".to_owned(),
        }
    }

    /// Returns the duration of a segment.
    pub(crate) const fn segment_duration(&self) -> Micros {
        self.segment
    }

    /// Returns place and size of a segment.
    pub(crate) const fn segment(&self, number: u64) -> SegmentInfo {
        let bytes = self.kbps as u64 * self.segment / 8_000;
        let clear = filler::segment_bytes(self.container, bytes);
        SegmentInfo {
            start: number.saturating_mul(self.segment),
            duration: self.segment,
            bytes: if self.encrypted { filler::encrypted_bytes(clear) } else { clear },
        }
    }

    /// Returns the number of the segment that holds a time.
    pub(crate) const fn number_at(&self, position: Micros) -> u64 {
        position / self.segment
    }

    /// Returns the longest duration of a part.
    pub(crate) const fn part_target(&self) -> Micros {
        self.part
    }

    /// Returns the number of parts of a segment, at least one.
    pub(crate) const fn part_count(&self) -> u64 {
        self.segment.div_ceil(self.part)
    }

    /// Returns place and bytes of a part of a segment, numbered from 0.
    pub(crate) fn part(&self, number: u64, index: u64) -> Option<PartInfo> {
        let segment = self.segment(number);
        let begin = index.checked_mul(self.part).filter(|begin| *begin < self.segment)?;
        let end = (begin + self.part).min(self.segment);
        Some(PartInfo {
            start: segment.start.saturating_add(begin),
            duration: end - begin,
            bytes: segment.bytes * begin / self.segment..segment.bytes * end / self.segment,
            independent: index == 0,
        })
    }

    /// Returns the number of parts of a segment that are complete at a position within it.
    pub(crate) const fn parts_until(&self, number: u64, position: Micros) -> u64 {
        position.saturating_sub(self.segment(number).start) / self.part
    }

    /// Returns some bytes of the initialization section.
    pub(crate) fn init_slice(range: &Range<u64>) -> Filler {
        filler::init_slice(range)
    }

    /// Returns some bytes of a segment of fragmented MP4.
    pub(crate) fn segment_slice(range: &Range<u64>) -> Filler {
        filler::segment_slice(range)
    }

    /// Returns the bytes of a segment.
    pub(crate) fn whole_segment(&self, number: u64) -> Filler {
        filler::segment(self.container, self.segment(number).bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::micros::SECOND;

    #[test]
    fn tracks_are_found_by_their_names() {
        let spec = StreamSpec { audio: AudioPlace::Apart, ..StreamSpec::default() };
        let tracks = FillerTrack::all(&spec);
        assert_eq!(tracks.iter().map(FillerTrack::name).collect::<Vec<_>>(), ["800k", "2800k", "5000k", "audio"]);
        for track in tracks {
            assert_eq!(FillerTrack::find(&spec, &track.name()), Some(track));
        }
        assert_eq!(FillerTrack::find(&spec, "801k"), None);
        assert_eq!(FillerTrack::find(&StreamSpec::default(), "audio"), None);
    }

    #[test]
    fn sizes_are_exactly_those_of_the_bit_rate() {
        let spec = StreamSpec::default();
        assert_eq!(FillerTrack::find(&spec, "800k").unwrap().segment(7).bytes, 400_000);
        assert_eq!(FillerTrack::find(&spec, "5000k").unwrap().segment(7).bytes, 2_500_000);
        let spec = StreamSpec { container: Container::TransportStream, ..spec };
        assert_eq!(FillerTrack::find(&spec, "800k").unwrap().segment(7).bytes, 400_000 / 188 * 188);
        let spec = StreamSpec { keys: Some(0), ..StreamSpec::default() };
        assert_eq!(FillerTrack::find(&spec, "800k").unwrap().segment(7).bytes, 400_016);
    }

    #[test]
    fn the_parts_of_a_segment_are_the_segment() {
        let spec = StreamSpec { part: 1_500_000, ..StreamSpec::default() };
        let track = FillerTrack::find(&spec, "800k").unwrap();
        let parts: Vec<_> = (0..track.part_count()).filter_map(|index| track.part(5, index)).collect();
        assert_eq!(parts.iter().map(|part| part.duration).collect::<Vec<_>>(), [1_500_000, 1_500_000, 1_000_000]);
        assert_eq!((parts[0].start, parts[2].end()), (track.segment(5).start, track.segment(5).end()));
        assert!(
            parts.windows(2).all(|pair| pair[0].bytes.end == pair[1].bytes.start && pair[0].end() == pair[1].start)
        );
        assert_eq!((parts[0].bytes.start, parts[2].bytes.end), (0, track.segment(5).bytes));
        assert_eq!(track.part(5, 3), None);
    }

    #[test]
    fn segments_follow_each_other_without_a_gap() {
        let track = FillerTrack::find(&StreamSpec::default(), "800k").unwrap();
        assert_eq!(track.segment(7).end(), track.segment(8).start);
        assert_eq!((track.number_at(8 * SECOND - 1), track.number_at(8 * SECOND)), (1, 2));
    }
}
