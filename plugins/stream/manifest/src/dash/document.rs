//! The elements of an MPD that matter to a viewer, as they are written: nothing is inherited or resolved yet.

use std::rc::Rc;

use viewer_core::{ByteRange, Micros, Run, TrackKind};

/// The element `MPD`.
#[derive(Debug, Default)]
pub(super) struct MpdDocument {
    pub(super) line: usize,
    /// `true` for `type="dynamic"`.
    pub(super) is_dynamic: bool,
    pub(super) availability_start: Option<Micros>,
    pub(super) published: Option<Micros>,
    /// `mediaPresentationDuration`.
    pub(super) duration: Option<Micros>,
    /// `minimumUpdatePeriod`.
    pub(super) update: Option<Micros>,
    /// `timeShiftBufferDepth`.
    pub(super) depth: Option<Micros>,
    /// `suggestedPresentationDelay`.
    pub(super) delay: Option<Micros>,
    /// `maxSegmentDuration`.
    pub(super) longest: Option<Micros>,
    /// The target of the first `Latency`.
    pub(super) latency: Option<Micros>,
    pub(super) bases: Vec<MpdBase>,
    pub(super) location: Option<String>,
    pub(super) clocks: Vec<MpdClock>,
    pub(super) periods: Vec<MpdPeriod>,
}

/// The element `BaseURL`.
#[derive(Debug)]
pub(super) struct MpdBase {
    pub(super) url: Rc<str>,
    /// `dvb:priority`; lower ones are used first.
    pub(super) priority: u64,
    /// `availabilityTimeOffset`.
    pub(super) ahead: Option<Micros>,
    /// `availabilityTimeComplete`.
    pub(super) is_complete: Option<bool>,
}

/// The element `UTCTiming`.
#[derive(Debug, Default)]
pub(super) struct MpdClock {
    pub(super) line: usize,
    pub(super) scheme: String,
    pub(super) value: String,
}

/// The element `Period`.
#[derive(Debug, Default)]
pub(super) struct MpdPeriod {
    pub(super) line: usize,
    pub(super) start: Option<Micros>,
    pub(super) duration: Option<Micros>,
    pub(super) bases: Vec<MpdBase>,
    pub(super) addressing: Addressing,
    pub(super) sets: Vec<MpdSet>,
}

/// The element `AdaptationSet`.
#[derive(Debug, Default)]
pub(super) struct MpdSet {
    pub(super) line: usize,
    pub(super) id: Option<Rc<str>>,
    pub(super) content_type: Option<Rc<str>>,
    pub(super) language: Option<Rc<str>>,
    /// The first `Role`; players take `main` first.
    pub(super) role: Option<Rc<str>>,
    /// The identifiers of sets that players switch to as to another representation of this set.
    pub(super) switches_to: Vec<Rc<str>>,
    /// `true` for pictures that are shown while seeking, which no track plays.
    pub(super) is_trick_mode: bool,
    pub(super) common: MediaAttributes,
    pub(super) bases: Vec<MpdBase>,
    pub(super) addressing: Addressing,
    pub(super) representations: Vec<MpdRepresentation>,
}

/// The element `Representation`.
#[derive(Debug, Default)]
pub(super) struct MpdRepresentation {
    pub(super) line: usize,
    pub(super) id: Option<Rc<str>>,
    pub(super) bandwidth: Option<u64>,
    pub(super) common: MediaAttributes,
    pub(super) bases: Vec<MpdBase>,
    pub(super) addressing: Addressing,
}

/// Attributes that a representation inherits from its adaptation set.
#[derive(Debug, Clone, Default)]
pub(super) struct MediaAttributes {
    pub(super) mime_type: Option<Rc<str>>,
    pub(super) codecs: Option<Rc<str>>,
    pub(super) width: Option<u32>,
    pub(super) height: Option<u32>,
}

/// The ways to address segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AddressingKind {
    /// `SegmentBase`: one file, perhaps with an index.
    Base,
    /// `SegmentList`.
    List,
    /// `SegmentTemplate`.
    Template,
}

/// The elements `SegmentBase`, `SegmentList` and `SegmentTemplate` of one level; attributes are inherited one by one.
#[derive(Debug, Clone, Default)]
pub(super) struct Addressing {
    /// `None` if the level has none of the elements.
    pub(super) kind: Option<AddressingKind>,
    pub(super) timescale: Option<u64>,
    /// `presentationTimeOffset`, in ticks.
    pub(super) offset: Option<i64>,
    /// In ticks.
    pub(super) duration: Option<u64>,
    pub(super) start_number: Option<u64>,
    pub(super) end_number: Option<u64>,
    /// `availabilityTimeOffset`.
    pub(super) ahead: Option<Micros>,
    /// `availabilityTimeComplete`.
    pub(super) is_complete: Option<bool>,
    pub(super) index_range: Option<ByteRange>,
    pub(super) media: Option<Rc<str>>,
    /// The attribute `initialization` of a template.
    pub(super) initialization: Option<Rc<str>>,
    pub(super) init: Option<InitElement>,
    pub(super) timeline: Option<Rc<[Run]>>,
    pub(super) urls: Option<Rc<[SegmentUrl]>>,
}

/// The element `Initialization`.
#[derive(Debug, Clone, Default)]
pub(super) struct InitElement {
    pub(super) url: Option<Rc<str>>,
    pub(super) range: Option<ByteRange>,
}

/// The element `SegmentURL`.
#[derive(Debug, Default)]
pub(super) struct SegmentUrl {
    pub(super) media: Option<Rc<str>>,
    pub(super) range: Option<ByteRange>,
}

impl MpdSet {
    /// Returns `true` if players switch between the two as between representations of one set.
    pub(super) fn switches_with(&self, other: &Self) -> bool {
        let names = |one: &Self, other: &Self| other.id.as_ref().is_some_and(|id| one.switches_to.contains(id));
        names(self, other) || names(other, self)
    }
}

impl Addressing {
    /// Returns what a level below has, which its own attributes override. Elements inherit from those of one name.
    pub(super) fn inherited_by(&self, own: &Self) -> Self {
        if own.kind.is_some() && own.kind != self.kind {
            return own.clone();
        }
        // The attribute and the element say the same, so either hides what is above.
        let above = if own.init.is_none() && own.initialization.is_none() { self } else { own };
        Self {
            kind: own.kind.or(self.kind),
            timescale: own.timescale.or(self.timescale),
            offset: own.offset.or(self.offset),
            duration: own.duration.or(self.duration),
            start_number: own.start_number.or(self.start_number),
            end_number: own.end_number.or(self.end_number),
            ahead: own.ahead.or(self.ahead),
            is_complete: own.is_complete.or(self.is_complete),
            index_range: own.index_range.or(self.index_range),
            media: own.media.as_ref().or(self.media.as_ref()).cloned(),
            initialization: above.initialization.clone(),
            init: above.init.clone(),
            timeline: own.timeline.as_ref().or(self.timeline.as_ref()).cloned(),
            urls: own.urls.as_ref().or(self.urls.as_ref()).cloned(),
        }
    }
}

impl MediaAttributes {
    /// Returns what a level below has, which its own attributes override.
    pub(super) fn inherited_by(&self, own: &Self) -> Self {
        Self {
            mime_type: own.mime_type.as_ref().or(self.mime_type.as_ref()).cloned(),
            codecs: own.codecs.as_ref().or(self.codecs.as_ref()).cloned(),
            width: own.width.or(self.width),
            height: own.height.or(self.height),
        }
    }

    /// Returns the kind of media; `None` for pictures without motion and what is not known.
    pub(super) fn kind(&self, content_type: Option<&str>) -> Option<TrackKind> {
        let codecs = self.codecs.as_deref().unwrap_or_default();
        let is_text = ["stpp", "wvtt", "tx3g"].iter().any(|codec| codecs.starts_with(codec));
        let mime_type = self.mime_type.as_deref().unwrap_or_default();
        let main = content_type.unwrap_or_else(|| mime_type.split('/').next().unwrap_or_default());
        match main {
            _ if is_text || mime_type == "application/ttml+xml" => Some(TrackKind::Subtitles),
            "video" => Some(TrackKind::Video),
            "audio" => Some(TrackKind::Audio),
            "text" => Some(TrackKind::Subtitles),
            _ => None,
        }
    }
}
