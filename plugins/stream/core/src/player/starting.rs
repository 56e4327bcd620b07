//! The start of a session: from the manifest to the lanes, and from the first playlist to the position.

use std::rc::Rc;

use super::edge::ListOf;
use super::lane::{Lane, Placed};
use super::settings::{Join, Quality};
use super::{ManifestState, Viewer};
use crate::abr::Abr;
use crate::command::Command;
use crate::metric::FatalError;
use crate::micros::{Micros, SECOND};
use crate::playlist::Playlist;
use crate::presentation::{Presentation, Rung, Source, TrackKind};

impl Viewer {
    pub(super) fn start(&mut self, wall: Micros) {
        self.wall = wall - self.now;
        self.qoe.began = self.now;
        self.habits.begin(self.now);
        self.manifest = ManifestState { fetch_at: Some(self.now), ..ManifestState::default() };
    }

    /// Takes the manifest, for the first time or after everything else failed.
    pub(super) fn take_presentation(
        &mut self,
        presentation: &Rc<Presentation>,
        entry: Option<&Rc<Playlist>>,
        out: &mut Vec<Command>,
    ) {
        let is_first = self.presentation.is_none();
        self.presentation = Some(Rc::clone(presentation));
        if is_first {
            let first = &presentation.tracks[0];
            let listed_first = first.rungs.get(first.listed_first).map_or(0, |rung| rung.bandwidth);
            self.abr = Abr::new(self.settings.profile.rule, listed_first, self.settings.profile.buffer.goal);
            self.lanes = self.select(presentation);
            if let Some(rung) = self.fixed_rung(&first.rungs) {
                self.lanes[0].rung = rung;
            }
        }
        for index in 0..self.lanes.len() {
            let lane = &mut self.lanes[index];
            (lane.penalized, lane.errors, lane.timeouts, lane.blocked_until) = (0, 0, 0, Micros::MIN);
            lane.sources.fill(0);
            // A manifest that was fetched again may name other URLs, with tokens that are valid.
            for list in &mut lane.lists {
                *list = list.take().filter(|placed| !placed.list.schedule().ended);
                if let Some(placed) = list {
                    placed.reload_at = Some(self.now);
                }
            }
        }
        if let Some(entry) = entry {
            self.take_list(ListOf { index: 0, rung: 0 }, entry, self.now, out);
        }
        if self.lanes.is_empty() {
            self.fail(FatalError::Empty, out);
        }
    }

    /// Returns the lanes of the tracks that play.
    fn select(&mut self, presentation: &Presentation) -> Vec<Lane> {
        let audio = presentation.track(TrackKind::Audio, self.settings.audio.as_deref());
        let subtitles = self.settings.subtitles.as_deref();
        let subtitles = subtitles.and_then(|language| presentation.track(TrackKind::Subtitles, Some(language)));
        let tracks = [presentation.track(TrackKind::Video, None), audio, subtitles].into_iter().flatten();
        let lanes = tracks.filter_map(|index| {
            let track = &presentation.tracks[index];
            // Sound and text in the variants need no requests of their own.
            let has_own = track.rungs.iter().any(|rung| rung.source != Source::InVariant);
            has_own.then(|| Lane::new(track.kind, index, track.rungs.len()))
        });
        lanes.collect()
    }

    /// Returns the rung that the settings fix.
    pub(super) fn fixed_rung(&mut self, rungs: &[Rung]) -> Option<usize> {
        let height = |rung: &Rung| rung.height.unwrap_or(0);
        match self.settings.quality {
            Quality::Auto | Quality::Most(_) => None,
            Quality::Lowest => Some(0),
            Quality::Highest => Some(rungs.len() - 1),
            Quality::Random => Some(usize::try_from(self.random.below(rungs.len() as u64)).unwrap_or(0)),
            Quality::Height(wanted) => Some(rungs.iter().rposition(|rung| height(rung) <= wanted).unwrap_or(0)),
        }
    }

    /// Returns the highest rung that the settings allow.
    pub(super) fn most_rung(&self, rungs: &[Rung]) -> usize {
        match self.settings.quality {
            Quality::Most(most) => rungs.iter().rposition(|rung| rung.height.unwrap_or(0) <= most).unwrap_or(0),
            _ => rungs.len() - 1,
        }
    }

    /// Sets the position at which playback begins, once a playlist of the first lane is there.
    pub(super) fn set_position(&mut self) {
        if self.position.is_some() {
            return;
        }
        let Some(placed) = self.lanes.first().and_then(Lane::list) else { return };
        let start = self.first_time(placed);
        let end = placed.offset.saturating_add(placed.list.end(self.server_wall()));
        let schedule = placed.list.schedule();
        let wanted = self.presentation.as_ref().and_then(|it| it.start).or(schedule.start);
        let position = match (self.settings.join, wanted) {
            (Join::Start, _) => start,
            (Join::Behind(time), _) => end.saturating_sub(time),
            (Join::Edge, Some(offset)) if offset >= 0 => start.saturating_add(offset),
            (Join::Edge, Some(offset)) => end.saturating_add(offset),
            (Join::Edge, None) if schedule.ended => start,
            (Join::Edge, None) => self.sync_position(placed),
        };
        // The last second is left, so that something plays.
        let position = position.min(end - SECOND).max(start);
        self.position = Some(position);
        self.playback.jump(self.now, position);
        for lane in &mut self.lanes {
            (lane.buffer.start, lane.buffer.end) = (position, position);
        }
    }

    /// Returns the session's time of the first segment of a playlist that can still be requested.
    pub(super) fn first_time(&self, placed: &Placed) -> Micros {
        let window = placed.list.window(self.server_wall());
        placed.list.segment(window.start).map_or(placed.offset, |segment| placed.start_of(&segment))
    }

    /// Returns the server's wall clock.
    pub(super) fn server_wall(&self) -> Micros {
        self.now.saturating_add(self.wall).saturating_add(self.clock_offset)
    }
}
