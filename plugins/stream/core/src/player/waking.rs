//! The one timer: set to the first instant at which something happens by itself.

use super::Viewer;
use super::flight::Flight;
use crate::command::Command;
use crate::micros::Micros;

impl Viewer {
    /// Sets the timer, if its instant has changed.
    pub(super) fn arm(&mut self, out: &mut Vec<Command>) {
        if self.is_finished {
            return;
        }
        let at = self.next_instant().max(self.now);
        if at != Micros::MAX && self.armed != Some(at) {
            self.armed = Some(at);
            out.push(Command::WakeAt(at));
        }
    }

    fn next_instant(&self) -> Micros {
        let time = self.playback.time();
        let hole = self.lanes.first().and_then(|lane| lane.buffer.hole(time)).map_or(Micros::MAX, |hole| hole.start);
        let empty = self.playback.reaches(hole.min(time + self.buffered()));
        let flights = self.flights.iter().filter_map(Flight::due);
        let lanes = (0..self.lanes.len()).filter_map(|index| self.lane_instant(index));
        let others = [
            empty,
            self.caught_up(),
            self.gives_up_at(),
            self.manifest.fetch_at,
            self.steering.fetch_at,
            Some(self.habits.due()),
        ]
        .into_iter()
        .flatten();
        flights.chain(lanes).chain(others).min().unwrap_or(Micros::MAX)
    }

    /// Returns the instant at which a lane has something to begin.
    fn lane_instant(&self, index: usize) -> Option<Micros> {
        let lane = &self.lanes[index];
        let reload = match lane.list() {
            Some(placed) => placed.reload_at,
            None => Some(lane.list_failures.until).filter(|until| *until > self.now),
        };
        let reload = reload.map(|at| at.max(lane.list_failures.until)).filter(|_| lane.list_fetch.is_none());
        if lane.media_failures.until > self.now {
            return reload.into_iter().chain([lane.media_failures.until]).min();
        }
        let is_idle = lane.is_idle() && !self.is_ahead_of_others(index);
        let time = self.playback.time();
        let goal = self.own_goal(lane);
        let room =
            (is_idle && lane.ahead(time) >= goal).then(|| self.playback.reaches(lane.buffer.end - goal + 1)).flatten();
        let available = lane.available_at.filter(|at| is_idle && *at > self.now);
        [reload, room, available].into_iter().flatten().min()
    }
}
