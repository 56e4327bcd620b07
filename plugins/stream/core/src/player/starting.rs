//! The start of a session: from the manifest to the lanes, and from the first playlist to the position.

use std::rc::Rc;

use super::edge::ListOf;
use super::flight::Flight;
use super::lane::{Lane, PlacedList};
use super::settings::{Join, Quality};
use super::{ManifestState, Viewer};
use crate::abr::Abr;
use crate::command::Command;
use crate::metric::FatalError;
use crate::micros::{Micros, SECOND};
use crate::playlist::Playlist;
use crate::presentation::{Format, Presentation, Rung, Source, TrackKind};

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
        let is_dash = presentation.format == Format::Dash;
        self.presentation = Some(Rc::clone(presentation));
        if is_first {
            let first = &presentation.tracks[0];
            let listed_first = first.rungs.get(first.listed_first).map_or(0, |rung| rung.bandwidth);
            self.abr = Abr::new(self.settings.profile.rule, listed_first, self.settings.profile.buffer.goal);
            self.lanes = self.select(presentation);
            if let Some(rung) = self.fixed_rung(&first.rungs)
                && let Some(lane) = self.lanes.first_mut()
            {
                lane.rung = rung;
            }
        }
        if !is_first {
            self.fit_lanes(presentation, out);
        }
        if is_dash {
            self.place_listed(presentation);
        }
        if is_dash && !is_first {
            return;
        }
        for index in 0..self.lanes.len() {
            let lane = &mut self.lanes[index];
            lane.penalized = 0;
            lane.media_failures.reset();
            lane.list_failures.reset();
            lane.failed_sources.fill(0);
            // A manifest that was fetched again may name other URLs, with tokens that are valid.
            for list in &mut lane.lists {
                *list = list.take().filter(|placed| !placed.list.schedule().ended || is_dash);
                if let Some(placed) = list.as_mut().filter(|_| !is_dash) {
                    // Segments wait for it, since those that are listed now may need an old token.
                    placed.reload_at = Some(self.now);
                    lane.media_failures.block();
                }
            }
        }
        if is_first {
            self.begin_steering(presentation);
        }
        if let Some(entry) = entry {
            self.take_list(ListOf { index: 0, rung: 0, age: 0 }, entry, self.now, out);
        }
        if self.lanes.is_empty() {
            self.fail(FatalError::Empty, out);
        }
    }

    /// Fits the lanes to a presentation that was fetched again: tracks and rungs may come and go.
    fn fit_lanes(&mut self, presentation: &Presentation, out: &mut Vec<Command>) {
        for index in (0..self.lanes.len()).rev() {
            let lane = &self.lanes[index];
            let is_same = presentation.tracks.get(lane.track).is_some_and(|track| track.kind == lane.kind);
            let track = if is_same { Some(lane.track) } else { presentation.track(lane.kind, None) };
            let Some(track) = track else {
                self.remove_lane(index, out);
                continue;
            };
            let rungs = presentation.tracks[track].rungs.len();
            let gone = |flight: &&Flight| flight.lane == Some(index) && flight.rung >= rungs;
            let gone: Vec<_> = self.flights.iter().filter(gone).map(|flight| flight.id).collect();
            for id in gone {
                self.leave(id, 0, out);
            }
            let lane = &mut self.lanes[index];
            lane.track = track;
            lane.lists.resize(rungs, None);
            lane.sources.resize(rungs, 0);
            lane.failed_sources.resize(rungs, 0);
            if lane.rung >= rungs {
                (lane.rung, lane.next) = (rungs - 1, None);
            }
            lane.last = lane.last.filter(|last| *last < rungs);
            lane.forced = lane.forced.filter(|forced| *forced < rungs);
            lane.available_at = None;
        }
    }

    /// Removes a lane, and leaves its fetches.
    pub(super) fn remove_lane(&mut self, index: usize, out: &mut Vec<Command>) {
        let of_lane = self.flights.iter().filter(|flight| flight.lane == Some(index));
        let ids: Vec<_> = of_lane.map(|flight| flight.id).collect();
        for id in ids {
            self.leave(id, 0, out);
        }
        self.lanes.remove(index);
        for flight in &mut self.flights {
            flight.lane = flight.lane.map(|lane| if lane > index { lane - 1 } else { lane });
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
        if placed.list.window(self.server_wall()).is_empty() {
            // The stream has not begun; a list without segments is fetched again.
            let first = placed.list.segment(placed.list.numbers().start).and_then(|segment| segment.available_at);
            let at = first.map(|at| self.now + (at - self.server_wall()).max(0));
            self.lanes[0].available_at = at;
            return;
        }
        let start = self.first_time(placed);
        let end = placed.offset.saturating_add(placed.list.end(self.server_wall()));
        let schedule = placed.list.schedule();
        let wanted = self.presentation.as_ref().and_then(|it| it.start).or(schedule.start);
        let position = match (self.settings.join, wanted) {
            (Join::Start, _) => start,
            (Join::Behind(time), _) => end.saturating_sub(time),
            (Join::Edge, Some(offset)) if offset >= 0 => start.saturating_add(offset),
            (Join::Edge, Some(offset)) => end.saturating_add(offset),
            (Join::Edge, None) if !schedule.is_live() => start,
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
    pub(super) fn first_time(&self, placed: &PlacedList) -> Micros {
        let window = placed.list.window(self.server_wall());
        placed.list.segment(window.start).map_or(placed.offset, |segment| placed.start_of(&segment))
    }

    /// Returns the server's wall clock.
    pub(super) fn server_wall(&self) -> Micros {
        self.now.saturating_add(self.wall).saturating_add(self.clock_offset)
    }
}
