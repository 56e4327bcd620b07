//! A rung's playlist while it grows period by period, for segments of all kinds.

use std::rc::Rc;

use viewer_core::{Availability, Micros, Playlist, PlaylistBuilder, SECOND, Schedule, StretchSpec};

use super::document::{Addressing, AddressingKind};
use super::identifiers;
use super::tracks::PeriodMedia;
use super::warnings::DashWarnings;
use crate::note::ManifestError;

/// The target of a playlist that has no segment yet.
const UNKNOWN_TARGET: Micros = 2 * SECOND;

/// The rules of a manifest that hold for all of its playlists.
#[derive(Debug)]
pub(super) struct MpdRules {
    /// `maxSegmentDuration`.
    pub(super) longest: Option<Micros>,
    /// The availability of segments, if the manifest is of type `dynamic`: they come by the clock, even without a
    /// refresh.
    pub(super) availability: Option<Availability>,
}

/// A playlist that grows period by period.
pub(super) struct RungBuilder<'a> {
    pub(super) builder: PlaylistBuilder,
    pub(super) warnings: &'a mut DashWarnings,
    pub(super) rules: &'a MpdRules,
    /// The base that was added last, with its URLs.
    base: Option<LastBase>,
    /// The longest segment so far.
    longest: Micros,
    pub(super) is_empty: bool,
}

/// The base that was added last: consecutive periods often have one.
struct LastBase {
    index: u16,
    urls: Rc<[String]>,
}

impl<'a> RungBuilder<'a> {
    /// Returns a builder without a period.
    pub(super) fn new(rules: &'a MpdRules, warnings: &'a mut DashWarnings) -> Self {
        Self { builder: PlaylistBuilder::default(), warnings, rules, base: None, longest: 0, is_empty: true }
    }

    /// Returns the properties of a period's stretch, with its base and its initialization segment.
    pub(super) fn stretch(&mut self, media: &PeriodMedia<'_>, number: u64) -> Result<StretchSpec, ManifestError> {
        let PeriodMedia { period, representation } = media;
        let addressing = &representation.addressing;
        let base = self.base(media)?;
        let init = match (&addressing.initialization, &addressing.init) {
            (Some(template), _) if addressing.kind == Some(AddressingKind::Template) => {
                let url = identifiers::initialization(template, representation);
                self.warnings.copy(representation.line, url.len())?;
                Some(self.builder.init(base, &url, None))
            }
            (_, Some(init)) => {
                let url = init.url.as_deref().unwrap_or_default();
                self.warnings.copy(representation.line, url.len())?;
                Some(self.builder.init(base, url, init.range))
            }
            _ => None,
        };
        let is_live = self.rules.availability.is_some();
        let ahead = addressing.ahead.unwrap_or(0).saturating_add(representation.base.ahead).max(0);
        let is_complete = addressing.is_complete.or(representation.base.is_complete).unwrap_or(true);
        Ok(StretchSpec {
            number,
            start: period.start,
            end: period.end,
            base,
            init,
            discontinuity: period.number,
            ahead: if is_live { ahead } else { 0 },
            is_chunked: is_live && ahead > 0 && !is_complete,
        })
    }

    /// Returns the number to begin a stretch with: that of the first segment of all, or the next.
    pub(super) fn number(&self, start_number: u64) -> u64 {
        if self.is_empty { start_number } else { 0 }
    }

    pub(super) fn lengthen(&mut self, duration: Micros) {
        self.longest = self.longest.max(duration);
    }

    fn base(&mut self, media: &PeriodMedia<'_>) -> Result<u16, ManifestError> {
        let urls = &media.representation.base.urls;
        if let Some(last) = self.base.as_ref().filter(|last| last.urls == *urls) {
            return Ok(last.index);
        }
        self.warnings.copy(media.representation.line, urls.iter().map(String::len).sum())?;
        let index = self.builder.base(urls.iter().map(String::as_str));
        self.base = Some(LastBase { index, urls: Rc::clone(urls) });
        Ok(index)
    }

    /// Returns the playlist of all periods.
    pub(super) fn build(self) -> Playlist {
        let Self { builder, rules, longest, .. } = self;
        let target = rules.longest.unwrap_or(if longest == 0 { UNKNOWN_TARGET } else { longest });
        let availability = rules.availability;
        builder
            .build(Schedule { target, ended: availability.is_none(), availability, ..Schedule::default() }, Vec::new())
    }
}

pub(super) fn timescale(addressing: &Addressing) -> u64 {
    addressing.timescale.unwrap_or(1)
}

/// Returns the `presentationTimeOffset`, in ticks.
pub(super) fn offset(addressing: &Addressing) -> i64 {
    addressing.offset.unwrap_or(0)
}
