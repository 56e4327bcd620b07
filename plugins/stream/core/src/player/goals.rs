//! The media that a lane keeps ahead, and how far lanes may be ahead of each other.

use super::Viewer;
use super::lane::Lane;
use super::profile::SoundGoal;
use crate::micros::{Micros, SECOND};
use crate::presentation::TrackKind;

/// The duration from which a presentation is long.
const LONG: Micros = 600 * SECOND;

impl Viewer {
    /// Returns `true` if a lane has to wait for others before it fetches its next segment.
    pub(super) fn is_ahead_of_others(&self, index: usize) -> bool {
        let end = self.lanes[index].buffer.end;
        match self.settings.profile.buffer.sound {
            SoundGoal::Pictures => false,
            SoundGoal::Loading => {
                let Some(pictures) = self.lanes.first().filter(|it| index > 0 && !it.is_complete) else { return false };
                let loading =
                    self.flights.iter().filter(|flight| flight.lane == Some(0)).find_map(|flight| flight.media);
                end > loading.map_or(pictures.buffer.end, |media| media.end)
            }
            SoundGoal::Segment => {
                let others = self.lanes.iter().enumerate().filter(|(other, lane)| *other != index && !lane.is_complete);
                let least = others.map(|(_, lane)| lane.buffer.end).min();
                let segment = self.lanes[index].list().map_or(0, |placed| placed.list.schedule().target);
                least.is_some_and(|least| end - least >= segment.max(1))
            }
        }
    }

    /// Returns the media ahead at which a lane stops to fetch.
    pub(super) fn goal(&self, lane: &Lane) -> Micros {
        let goals = self.settings.profile.buffer;
        let Some(pictures) = self.pictures_of(lane) else { return self.own_goal(lane) };
        let ahead = pictures.ahead(self.playback.time());
        match goals.sound {
            SoundGoal::Loading => self.own_goal(lane).max(ahead.min(goals.most)),
            SoundGoal::Pictures => self.own_goal(lane).max(ahead + SECOND),
            SoundGoal::Segment => self.own_goal(lane),
        }
    }

    /// Returns the media ahead at which a lane stops to fetch, whatever other lanes have.
    pub(super) fn own_goal(&self, lane: &Lane) -> Micros {
        let goals = self.settings.profile.buffer;
        if goals.sound == SoundGoal::Pictures && self.pictures_of(lane).is_some() {
            return lane.duration.max(1);
        }
        let rungs = self.presentation.as_ref().map(|it| &it.tracks[lane.track].rungs);
        let bandwidth = rungs.and_then(|rungs| rungs.get(lane.rung)).map_or(0, |rung| rung.bandwidth);
        let by_bytes = goals.bytes.saturating_mul(8).saturating_mul(SECOND.unsigned_abs()).checked_div(bandwidth);
        let by_bytes = by_bytes.filter(|_| lane.kind == TrackKind::Video).unwrap_or(0);
        let by_bytes = Micros::try_from(by_bytes).unwrap_or(Micros::MAX).min(goals.most);
        let is_top = rungs.is_some_and(|rungs| lane.rung + 1 == rungs.len());
        let recording = lane.list().filter(|placed| !placed.list.schedule().is_live());
        let length = recording.map_or(0, |placed| placed.list.end(0));
        let top = if length >= LONG { goals.top_long } else { goals.top };
        goals.goal.max(by_bytes).max(if is_top { top } else { 0 })
    }

    /// Returns the lane with pictures, if this is another.
    fn pictures_of(&self, lane: &Lane) -> Option<&Lane> {
        self.lanes.first().filter(|first| first.kind == TrackKind::Video && lane.kind != TrackKind::Video)
    }
}
