//! The name of a channel with its options, such as `match,ladder=mobile,segment=2s`. Options are part of a path
//! segment and not of the query, so that the relative URIs of playlists keep them.

use percent_encoding::percent_decode_str;

use super::choices::{Addressing, AudioPlace, Container, Layout, ManifestCoding, ManifestUpdate, UtcTiming};
use super::faults::Faults;
use super::ladder::Ladder;
use super::media::MediaFolder;
use super::micros::{Micros, SECOND, parse_duration};

/// Longest duration of a segment.
const MAX_SEGMENT: Micros = 60 * SECOND;

/// Longest window, a day.
const MAX_WINDOW: Micros = 24 * 3_600 * SECOND;

/// Longest duration of a movie.
const MAX_LENGTH: Micros = 24 * 3_600 * SECOND;

/// Options that follow from media.
const OF_MEDIA: [&str; 6] = ["ladder", "segment", "part", "audio", "container", "keys"];

/// Largest number of segments in a window or a movie.
const MAX_SEGMENTS: u64 = 50_000;

/// Number of segments in the window of a stream that does not set it.
const DEFAULT_WINDOW_SEGMENTS: u64 = 10;

/// The options of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamSpec {
    /// The qualities.
    pub ladder: Ladder,
    /// Duration of a segment.
    pub segment: Micros,
    /// Duration of a part of a segment; the last one of a segment may be shorter.
    pub part: Micros,
    /// Duration of what a live playlist lists.
    pub window: Micros,
    /// Duration of a movie.
    pub length: Micros,
    /// Segments of a movie in HLS.
    pub layout: Layout,
    /// Number of segments that share a key, 0 for all; `None` if they are in clear.
    pub keys: Option<u64>,
    /// Segments in DASH.
    pub addressing: Addressing,
    /// Interval at which a viewer reads a live manifest of DASH again.
    pub update: ManifestUpdate,
    /// The clock that a manifest of DASH names.
    pub utc: UtcTiming,
    /// Duration of a period in DASH; 0 for one period.
    pub period: Micros,
    /// A manifest of DASH names another place for its next version.
    pub location: bool,
    /// Content coding of playlists and manifests.
    pub coding: ManifestCoding,
    /// The place of audio.
    pub audio: AudioPlace,
    /// Form of the segments.
    pub container: Container,
    /// Wall-clock time at which the stream begins, since the Unix epoch.
    pub start: Micros,
    /// Number of segments between two discontinuities; 0 for none.
    pub discontinuity: u64,
    /// Misbehaviour.
    pub faults: Faults,
}

impl Default for StreamSpec {
    fn default() -> Self {
        Self {
            ladder: Ladder::HD,
            segment: 4 * SECOND,
            part: SECOND / 2,
            window: 0,
            length: 600 * SECOND,
            layout: Layout::Segments,
            keys: None,
            addressing: Addressing::Number,
            update: ManifestUpdate::Default,
            utc: UtcTiming::Absolute,
            period: 0,
            location: false,
            coding: ManifestCoding::Clear,
            audio: AudioPlace::Muxed,
            container: Container::Fmp4,
            start: 0,
            discontinuity: 0,
            faults: Faults::default(),
        }
    }
}

impl StreamSpec {
    /// Parses the options that follow the name of a channel.
    ///
    /// # Errors
    /// The message for the client.
    pub(crate) fn parse(channel: &str, media: Option<&MediaFolder>) -> Result<Self, String> {
        let decoded = percent_decode_str(channel).decode_utf8().map_err(|_| "the name is not UTF-8".to_owned())?;
        let mut spec = media.map_or_else(Self::default, Self::of_media);
        for option in decoded.split(',').skip(1) {
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            if media.is_some() && OF_MEDIA.contains(&key) {
                return Err(format!("the media that the site plays decide on `{key}`"));
            }
            spec.set(key, value).ok_or_else(|| format!("`{option}` is not an option of a stream"))?;
        }
        if spec.window == 0 {
            spec.window = DEFAULT_WINDOW_SEGMENTS * spec.segment;
        }
        if spec.window < 3 * spec.segment {
            return Err("`window` is shorter than three segments".to_owned());
        }
        if spec.window.max(spec.length) / spec.segment > MAX_SEGMENTS {
            return Err(format!("`window` or `length` has more than {MAX_SEGMENTS} segments"));
        }
        spec.part = spec.part.min(spec.segment);
        if media.is_none() && !spec.period.is_multiple_of(spec.segment) {
            return Err("`period` is not a multiple of `segment`".to_owned());
        }
        Ok(spec)
    }

    /// Returns the options of a stream that shows media.
    fn of_media(media: &MediaFolder) -> Self {
        Self {
            segment: media.longest_segment,
            part: media.longest_part,
            length: media.length,
            addressing: if media.is_even { Addressing::Number } else { Addressing::Timeline },
            ..Self::default()
        }
    }

    /// Sets an option; `None` if there is no such option, or it does not take the value.
    fn set(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "ladder" => self.ladder = Ladder::parse(value)?,
            "segment" => self.segment = duration(value, MAX_SEGMENT)?,
            "part" => self.part = duration(value, MAX_SEGMENT)?,
            "window" => self.window = duration(value, MAX_WINDOW)?,
            "length" => self.length = duration(value, MAX_LENGTH)?,
            "layout" => self.layout = Layout::parse(value)?,
            "keys" => self.keys = Some(value.parse().ok()?),
            "index" => self.addressing = Addressing::parse(value)?,
            "update" => self.update = ManifestUpdate::parse(value)?,
            "utc" => self.utc = UtcTiming::parse(value)?,
            "period" => self.period = duration(value, MAX_LENGTH)?,
            "location" if value.is_empty() => self.location = true,
            "coding" => self.coding = ManifestCoding::parse(value)?,
            "audio" => self.audio = AudioPlace::parse(value)?,
            "container" => self.container = Container::parse(value)?,
            "start" => self.start = value.parse::<u64>().ok()?.checked_mul(SECOND)?,
            "discontinuity" => self.discontinuity = value.parse().ok()?,
            _ => return self.faults.set(key, value),
        }
        Some(())
    }
}

/// Parses a duration from 100 ms up to `longest`.
fn duration(text: &str, longest: Micros) -> Option<Micros> {
    parse_duration(text).filter(|duration| (100_000..=longest).contains(duration))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_alone_has_the_defaults() {
        let spec = StreamSpec::parse("match", None).unwrap();
        assert_eq!(spec, StreamSpec { window: 40 * SECOND, ..StreamSpec::default() });
    }

    #[test]
    fn options_follow_the_name() {
        let spec =
            StreamSpec::parse("a,ladder=mobile,segment=2s,part=250ms,window=1m,audio=apart,container=ts,start=7", None)
                .unwrap();
        let expected = StreamSpec {
            ladder: Ladder::MOBILE,
            segment: 2 * SECOND,
            part: SECOND / 4,
            window: 60 * SECOND,
            audio: AudioPlace::Apart,
            container: Container::TransportStream,
            start: 7 * SECOND,
            ..StreamSpec::default()
        };
        assert_eq!(spec, expected);
        assert_eq!(StreamSpec::parse("a%2Csegment%3D2s", None), StreamSpec::parse("a,segment=2s", None));
    }

    #[test]
    fn an_option_that_is_unknown_or_out_of_range_is_named() {
        for option in ["segmnt=2s", "segment=2", "segment=99ms", "segment=61s", "ladder=", "audio", "window=25h", ""] {
            let why = StreamSpec::parse(&format!("a,{option}"), None).unwrap_err();
            assert_eq!(why, format!("`{option}` is not an option of a stream"));
        }
        for options in ["window=11s", "segment=100ms,length=2h", "segment=1s,window=14h", "period=5s"] {
            assert!(StreamSpec::parse(&format!("a,{options}"), None).is_err(), "{options}");
        }
        assert!(StreamSpec::parse("a%FF", None).is_err());
    }
}
