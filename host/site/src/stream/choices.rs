//! The values of options that are words.

use super::micros::{Micros, parse_duration};

/// A form of segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    /// Fragmented MP4 with an initialization section.
    Fmp4,
    /// MPEG-2 transport stream.
    TransportStream,
}

/// The place of audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AudioPlace {
    /// In the segments of the video.
    Muxed,
    /// In segments of its own.
    Apart,
    /// In the segments of the video, and named by the master playlist without a URI.
    Named,
    /// In the segments of the video, which name a group of audio that does not exist.
    Unlisted,
}

impl AudioPlace {
    /// Parses `muxed`, `apart`, `named` or `unlisted`.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "muxed" => Some(Self::Muxed),
            "apart" => Some(Self::Apart),
            "named" => Some(Self::Named),
            "unlisted" => Some(Self::Unlisted),
            _ => None,
        }
    }
}

/// The content coding of playlists and manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ManifestCoding {
    /// None.
    Clear,
    /// `gzip`, if the client accepts it.
    Gzip,
    /// `gzip` that no field tells of.
    HiddenGzip,
}

impl ManifestCoding {
    /// Parses `gzip` or `hidden-gzip`.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "gzip" => Some(Self::Gzip),
            "hidden-gzip" => Some(Self::HiddenGzip),
            _ => None,
        }
    }
}

/// The way in which a DASH manifest tells the segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Addressing {
    /// Names with numbers, and one duration for all.
    Number,
    /// Names with numbers that have leading zeros, and one duration for all.
    PaddedNumber,
    /// Names with times, and a list of durations.
    Timeline,
    /// Byte ranges of one file that begins with an index.
    Base,
}

/// The clock that a DASH manifest names, against which viewers set theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UtcTiming {
    /// The route of the site, as an absolute URL.
    Absolute,
    /// The route of the site, as a relative URL.
    Relative,
    /// The time of the reply itself.
    Direct,
    /// None.
    Absent,
}

/// The interval at which a viewer reads a live DASH manifest again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ManifestUpdate {
    /// The duration of a segment; in low latency with a list of segments, that of a part.
    Default,
    /// Another duration.
    Every(Micros),
    /// No update.
    Never,
}

/// The way in which a playlist of HLS tells the segments of a movie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Each is a file.
    Segments,
    /// Byte ranges of one file.
    File,
}

impl Layout {
    /// Parses `segments` or `file`.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "segments" => Some(Self::Segments),
            "file" => Some(Self::File),
            _ => None,
        }
    }
}

impl Container {
    /// Parses `fmp4` or `ts`.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "fmp4" => Some(Self::Fmp4),
            "ts" => Some(Self::TransportStream),
            _ => None,
        }
    }

    /// Returns the end of the name of a segment's file.
    pub(crate) const fn extension(self) -> &'static str {
        match self {
            Self::Fmp4 => ".m4s",
            Self::TransportStream => ".ts",
        }
    }
}

impl Addressing {
    /// Parses `number`, `padded`, `timeline` or `base`.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "number" => Some(Self::Number),
            "padded" => Some(Self::PaddedNumber),
            "timeline" => Some(Self::Timeline),
            "base" => Some(Self::Base),
            _ => None,
        }
    }
}

impl UtcTiming {
    /// Parses `absolute`, `relative`, `direct` or `none`.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "absolute" => Some(Self::Absolute),
            "relative" => Some(Self::Relative),
            "direct" => Some(Self::Direct),
            "none" => Some(Self::Absent),
            _ => None,
        }
    }
}

impl ManifestUpdate {
    /// Parses `never` or a duration.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "never" => Some(Self::Never),
            _ => parse_duration(word).map(Self::Every),
        }
    }
}
