//! The one model of a presentation, in which HLS and DASH do not differ: tracks, each with rungs of different bitrates,
//! each with a playlist of segments. Readers build it; the player asks it.

use std::rc::Rc;

use crate::micros::Micros;
use crate::playlist::{ByteRange, Playlist};

/// A presentation, as its manifest describes it. It holds nothing of a viewer, so all viewers of the same bytes share
/// it.
#[derive(Debug, Clone, PartialEq)]
pub struct Presentation {
    /// The format of its manifest.
    pub format: Format,
    /// All tracks; those with pictures come first. Never empty.
    pub tracks: Vec<Track>,
    /// The rules of a DASH manifest that changes. HLS says in each media playlist whether that changes.
    pub live: Option<Live>,
    /// Sources of the wall clock, best first; none in HLS.
    pub clocks: Vec<ClockSource>,
    /// The time to begin at, by `EXT-X-START`; counts from the end if negative.
    pub start: Option<Micros>,
    /// Variables of `EXT-X-DEFINE` in a multivariant playlist, which its media playlists may import.
    pub variables: Vec<Variable>,
    /// The server of `EXT-X-CONTENT-STEERING`.
    pub steering: Option<Steering>,
}

/// The formats of manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// HTTP Live Streaming (RFC 8216, and its second edition).
    Hls,
    /// MPEG-DASH (ISO/IEC 23009-1).
    Dash,
}

/// A track: media of one kind and language, of which a viewer plays one rung at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// The kind of its media.
    pub kind: TrackKind,
    /// The language (BCP 47), if it is named.
    pub language: Option<Box<str>>,
    /// `true` for the track of its kind that plays if the viewer does not choose.
    pub is_default: bool,
    /// Its rungs, by ascending bandwidth. Never empty.
    pub rungs: Vec<Rung>,
    /// The rung that the manifest lists first, with which some players begin.
    pub listed_first: usize,
}

/// The kinds of tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TrackKind {
    /// Pictures, perhaps with sound; or, without any other track, sound alone.
    Video,
    /// Sound in segments of its own.
    Audio,
    /// Text.
    Subtitles,
}

/// One quality of a track: a variant or a rendition of HLS, a representation of DASH.
#[derive(Debug, Clone, PartialEq)]
pub struct Rung {
    /// Bits per second at most: `BANDWIDTH` of HLS, with the sound that belongs to it; `@bandwidth` of DASH. 0 if it is
    /// not known, as for renditions of HLS.
    pub bandwidth: u64,
    /// Bits per second on average, if it is given.
    pub average: Option<u64>,
    /// The width of pictures, in pixels.
    pub width: Option<u32>,
    /// The height of pictures, in pixels.
    pub height: Option<u32>,
    /// The codecs (RFC 6381); empty if they are not named.
    pub codecs: Box<str>,
    /// The group that this rendition belongs to; 0 in DASH, and for variants.
    pub group: u16,
    /// The group of renditions with this variant's sound; `None` if any audio track goes with it, or none is needed.
    pub audio: Option<u16>,
    /// The group of renditions with this variant's subtitles.
    pub subtitles: Option<u16>,
    /// The place of its segments.
    pub source: Source,
    /// Sources of the same quality, to be used in this order when a source fails.
    pub backups: Vec<Source>,
}

/// The place where a rung's segments are described.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A media playlist of HLS, at this absolute URL, with its `PATHWAY-ID`.
    Remote {
        /// The absolute URL.
        url: Box<str>,
        /// The pathway; `.` if it is not named.
        pathway: Box<str>,
    },
    /// Segments that the manifest itself lists. A reader shares the playlist if it has not changed.
    Listed(Rc<Playlist>),
    /// A file with a segment index (`sidx`), which is fetched before any segment.
    Indexed(IndexedFile),
    /// Consecutive parts, of which one at least is `Indexed` and the others are `Listed`: periods of a DASH manifest.
    /// [`Playlist::join`] makes one playlist of them once each index is fetched.
    Parts(Vec<Self>),
    /// Sound or text inside the segments of each variant: a rendition without a URI.
    InVariant,
}

/// A DASH representation in one file, whose index is not fetched yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedFile {
    /// Absolute URLs of the file, to be tried in this order. Never empty.
    pub urls: Vec<Box<str>>,
    /// The bytes of the index; `None` if it has to be looked for from the file's beginning.
    pub index: Option<ByteRange>,
    /// The bytes of the initialization segment; without them it is all bytes before the index.
    pub init: Option<ByteRange>,
    /// The presentation time of media time 0: the start of the period minus the presentation time offset.
    pub offset: Micros,
    /// The presentation time at which the period ends.
    pub end: Option<Micros>,
    /// The number of the discontinuity sequence of its segments: that of the period.
    pub discontinuity: u32,
}

/// The rules of a DASH manifest of type `dynamic`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Live {
    /// `availabilityStartTime`: the instant of the wall clock of presentation time 0.
    pub availability_start: Micros,
    /// `minimumUpdatePeriod`; 0 asks for a refresh once a segment, `None` for no refresh at all.
    pub update: Option<Micros>,
    /// `timeShiftBufferDepth`; `None` if everything stays.
    pub depth: Option<Micros>,
    /// `suggestedPresentationDelay`.
    pub delay: Option<Micros>,
    /// The target latency of the `ServiceDescription`.
    pub latency: Option<Micros>,
    /// `Location`: the absolute URL of the next refresh.
    pub location: Option<Box<str>>,
    /// `publishTime`, an instant of the wall clock.
    pub published: Option<Micros>,
}

/// A way to learn the wall clock of a DASH server (`UTCTiming`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClockSource {
    /// The manifest gives an instant.
    Direct(Micros),
    /// The body of a reply to this absolute URL is an instant (`http-iso`, `http-xsdate`).
    Body(Box<str>),
    /// The `Date` field of a reply to this absolute URL (`http-head`).
    Head(Box<str>),
}

/// A variable of `EXT-X-DEFINE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The name, without braces.
    pub name: Box<str>,
    /// The text that replaces it.
    pub value: Box<str>,
}

/// The server that says which pathway viewers take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steering {
    /// The absolute URL of the steering manifest.
    pub url: Box<str>,
    /// The pathway to begin with.
    pub pathway: Option<Box<str>>,
}

impl Presentation {
    /// Returns the track of a kind that plays: of this language if there is one, else the default, else the first.
    #[must_use]
    pub fn track(&self, kind: TrackKind, language: Option<&str>) -> Option<usize> {
        let of_kind = || (0..self.tracks.len()).filter(|index| self.tracks[*index].kind == kind);
        let speaks = |index: &usize| language.is_some() && self.tracks[*index].language.as_deref() == language;
        of_kind().find(speaks).or_else(|| of_kind().find(|index| self.tracks[*index].is_default)).or(of_kind().next())
    }
}

impl Rung {
    /// Returns a rung of which nothing but the source is known.
    #[must_use]
    pub fn of(source: Source) -> Self {
        Self {
            bandwidth: 0,
            average: None,
            width: None,
            height: None,
            codecs: Box::default(),
            group: 0,
            audio: None,
            subtitles: None,
            source,
            backups: Vec::new(),
        }
    }
}
