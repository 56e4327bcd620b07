//! The live edge: where it is, how far behind it a viewer stays, when a playlist is fetched again, and how a playlist
//! finds its place on the session's timeline.

use std::ops::Range;
use std::rc::Rc;

use super::Viewer;
use super::flight::Flight;
use super::lane::{Lane, PlacedList};
use super::playback::{NORMAL_SPEED, PlayState};
use crate::abr::exp;
use crate::command::Command;
use crate::metric::Metric;
use crate::micros::{MILLISECOND, Micros, SECOND, to_seconds};
use crate::player::millis;
use crate::playlist::Playlist;
use crate::presentation::Format;

/// The distance to the edge, in target durations, below which a short last segment shortens the time to the next
/// reload.
const NEAR: Micros = 4;

/// The distance from the place that a manifest asks for at which playback is at its normal speed.
const NEAR_ENOUGH: Micros = 20 * MILLISECOND;

/// The lane and the rung that a playlist is of, and its age.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListOf {
    pub(super) index: usize,
    pub(super) rung: usize,
    /// The time for which it was in a cache.
    pub(super) age: Micros,
}

impl Viewer {
    /// Takes a playlist of a lane. `headed` is the instant at which its head came. Returns `false` if it is older than
    /// the one before, and so is ignored.
    pub(super) fn take_list(
        &mut self,
        of: ListOf,
        list: &Rc<Playlist>,
        headed: Micros,
        out: &mut Vec<Command>,
    ) -> bool {
        let ListOf { index, rung, age } = of;
        if self.lanes[index].rung == rung && self.lanes[index].media_failures.until == Micros::MAX {
            // Segments waited for this playlist.
            self.lanes[index].media_failures.reset();
        }
        let before = self.lanes[index].lists[rung].take();
        let is_live = !list.schedule().ended;
        if is_live && let Some(before) = &before {
            out.push(Command::Count(Metric::PlaylistAge, millis(self.now - before.updated + age)));
        }
        let is_older = before.as_ref().is_some_and(|before| end_of(list) < end_of(&before.list));
        if let Some(before) =
            before.clone().filter(|before| is_older && self.now - before.updated <= before.list.schedule().target)
        {
            self.lanes[index].lists[rung] = Some(self.planned(before, false));
            return false;
        }
        let has_news = before.as_ref().is_none_or(|before| has_news(&before.list, list));
        let updated = if has_news { headed } else { before.as_ref().map_or(headed, |before| before.updated) };
        let offset = self.offset(index, before.as_ref(), list, is_older);
        let misses = before.as_ref().map_or(0, |before| if has_news { 0 } else { before.misses + 1 });
        let planned = before.as_ref().map_or_else(|| self.now.max(1), |before| before.planned);
        let placed = PlacedList { list: Rc::clone(list), offset, updated, reload_at: None, planned, misses };
        self.lanes[index].lists[rung] = Some(self.planned(placed, has_news));
        if is_older && rung == self.lanes[index].rung {
            // The encoder was started again, with numbers from the beginning.
            self.resync(out);
        } else {
            self.check_window(index, out);
        }
        true
    }

    /// Plans the next reload of a live playlist.
    fn planned(&self, mut placed: PlacedList, has_news: bool) -> PlacedList {
        let schedule = placed.list.schedule();
        if schedule.ended {
            return placed;
        }
        let interval = if has_news {
            let last = placed.list.numbers().end.checked_sub(1).and_then(|last| placed.list.segment(last));
            let edge = placed.offset + placed.list.end(0);
            let is_near = schedule.target * NEAR > edge - self.playback.time();
            last.filter(|_| is_near).map_or(schedule.target, |last| last.duration.min(schedule.target))
        } else {
            schedule.target / 2
        };
        // The time is counted from the reload that was planned, so that a slow reply does not shift all that follow.
        placed.planned = if placed.planned + interval < self.now { self.now } else { placed.planned + interval };
        placed.reload_at = Some(if has_news && self.is_held(&placed) { self.now } else { placed.planned });
        placed
    }

    /// Returns the session's time of a playlist's time 0.
    fn offset(&self, index: usize, before: Option<&PlacedList>, list: &Playlist, is_older: bool) -> Micros {
        let is_dash = self.presentation.as_ref().is_some_and(|it| it.format == Format::Dash);
        let numbers = list.numbers();
        if is_dash {
            return 0;
        }
        if let Some(before) = before.filter(|_| !is_older) {
            let known = before.list.numbers();
            let shared = numbers.start.max(known.start);
            if let (Some(old), Some(new)) = (before.list.segment(shared), list.segment(shared)) {
                return before.offset + old.start - new.start;
            }
            if numbers.start >= known.end {
                let missing = Micros::try_from(numbers.start - known.end).unwrap_or(0);
                let gap = missing.saturating_mul(before.list.schedule().target);
                let end = before.offset.saturating_add(segments_end(&before.list));
                return by_wall(before, list).unwrap_or(end.saturating_add(gap));
            }
        }
        if let Some(before) = before {
            return before.offset + segments_end(&before.list) - segments_end(list);
        }
        // The playlist of another rung, or of another track.
        let Some(other) = self.reference(index) else { return 0 };
        if list.schedule().ended && other.list.schedule().ended {
            return other.offset;
        }
        by_wall(&other, list)
            .or_else(|| by_discontinuity(&other, list))
            .or_else(|| by_number(&other, list))
            .unwrap_or(other.offset + segments_end(&other.list) - segments_end(list))
    }

    /// Returns a playlist that has its place already: of the same lane, or of the first.
    fn reference(&self, index: usize) -> Option<PlacedList> {
        let newest = |lane: &Lane| lane.lists.iter().flatten().max_by_key(|placed| placed.updated).cloned();
        self.lanes
            .get(index)
            .and_then(newest)
            .or_else(|| self.lanes.first().and_then(newest))
            .or_else(|| self.lanes.iter().find_map(newest))
    }

    /// Returns the target distance to the live edge.
    fn target_latency(&self, placed: &PlacedList) -> Micros {
        let schedule = placed.list.schedule();
        let live = self.settings.profile.live;
        let dash = self.presentation.as_ref().and_then(|it| it.live.as_ref());
        let distance = dash.and_then(|dash| dash.latency.or(dash.delay));
        let distance =
            distance.or(schedule.part_hold_back.filter(|_| self.settings.low_latency)).or(schedule.hold_back);
        let distance = distance.unwrap_or(live.targets * schedule.target);
        distance + (Micros::from(self.qoe.stalls) * live.per_stall).min(schedule.target)
    }

    /// Returns `true` if a playlist will have no more segments than it has, and those that come by the clock.
    pub(super) fn is_final(&self, list: &Playlist) -> bool {
        let is_refreshed =
            || self.presentation.as_ref().and_then(|it| it.live.as_ref()).is_some_and(|it| it.update.is_some());
        list.schedule().ended || list.schedule().availability.is_some() && !is_refreshed()
    }

    /// Returns the session's time at which the media ends that exists now, by the playlist and the time since it had
    /// news.
    pub(super) fn edge(&self, placed: &PlacedList) -> Micros {
        let end = placed.offset.saturating_add(placed.list.end(self.server_wall()));
        match placed.list.schedule().availability {
            // By the clock, the edge is now, whether its segment is complete or not; but the stream may have an end.
            Some(availability) => {
                let numbers = placed.list.numbers();
                let last = numbers.end.checked_sub(1).and_then(|last| placed.list.segment(last));
                let last = last.filter(|_| self.is_final(&placed.list) && numbers.end != u64::MAX);
                let last = last.map_or(Micros::MAX, |last| last.start + last.duration);
                (self.server_wall() - availability.start).min(last)
            }
            None => end + (self.now - placed.updated).max(0),
        }
    }

    /// Returns the time at which a viewer joins a live stream.
    pub(super) fn sync_position(&self, placed: &PlacedList) -> Micros {
        let schedule = placed.list.schedule();
        let is_by_clock = schedule.availability.is_some();
        let age = if is_by_clock { 0 } else { (self.now - placed.updated).max(0) };
        let late = (age - 3 * schedule.target).max(0);
        let end = placed.offset.saturating_add(placed.list.end(self.server_wall()));
        let position = self.edge(placed) - self.target_latency(placed) - late;
        let last = schedule.part_target.filter(|_| self.settings.low_latency).unwrap_or(schedule.target);
        // A segment that comes as it is made is joined while it does.
        let last = if is_by_clock { end } else { end - last };
        position.min(last).max(self.first_time(placed))
    }

    /// Returns the distance of the playhead to the live edge; `None` for a recording.
    pub(super) fn latency(&self) -> Option<Micros> {
        let placed = self.lanes.first()?.list()?;
        placed.list.schedule().is_live().then(|| self.edge(placed) - self.playback.time())
    }

    /// Returns the distance of the playhead behind the place that a manifest asks for, which a player that catches up
    /// goes to; `None` for a player that does not, and for a manifest that asks for nothing.
    fn behind(&self) -> Option<Micros> {
        let asks =
            self.presentation.as_ref().and_then(|it| it.live.as_ref()).is_some_and(|live| live.latency.is_some());
        if !(asks && self.settings.profile.catch_up && self.settings.low_latency && self.playback.is_playing()) {
            return None;
        }
        Some(self.latency()? - self.target_latency(self.lanes.first()?.list()?))
    }

    /// Sets the speed of playback.
    pub(super) fn set_speed(&mut self) {
        let behind = self.behind().filter(|behind| behind.abs() > NEAR_ENOUGH);
        let speed = behind.map_or(NORMAL_SPEED, |behind| {
            // Between half and one and a half, steeply around the place that is asked for.
            let share = 1.0 / (1.0 + exp(-5.0 * to_seconds(behind)));
            #[expect(clippy::cast_possible_truncation, reason = "the speed is between 500 and 1500")]
            let speed = (500.0 + 1000.0 * share).round() as Micros;
            speed
        });
        if speed > self.playback.speed() {
            // The buffer is empty sooner, so what comes is looked at sooner.
            self.playback.set_speed(speed);
            let sooner = self.chunk_look();
            let chunked = self.flights.iter_mut().filter(|flight| flight.media.is_some_and(|media| media.is_chunked));
            chunked.for_each(|flight| flight.look_at = flight.look_at.map(|at| at.min(sooner)));
        }
        self.playback.set_speed(speed);
    }

    /// Returns the instant at which playback has caught up.
    pub(super) fn caught_up(&self) -> Option<Micros> {
        let gain = (self.playback.speed() - NORMAL_SPEED).abs();
        let behind = self.behind().filter(|_| gain > 0)?;
        Some(self.now + (behind.abs() * NORMAL_SPEED / gain).max(1))
    }

    /// Returns the times that a viewer can seek to.
    pub(super) fn seekable(&self) -> Option<Range<Micros>> {
        let placed = self.lanes.first()?.list()?;
        let end = placed.offset.saturating_add(placed.list.end(self.server_wall()));
        let last = if !placed.list.schedule().is_live() { end - SECOND } else { self.sync_position(placed) };
        Some(self.first_time(placed)..last)
    }

    /// Goes to the live edge if the window has passed the playhead and the buffer is empty, and over what is missing if
    /// only the next segment is gone.
    fn check_window(&mut self, index: usize, out: &mut Vec<Command>) {
        let Some(placed) = self.lanes[index].list().filter(|_| self.position.is_some()) else { return };
        let first = self.first_time(placed);
        let window = placed.list.window(self.server_wall());
        let is_starving = matches!(self.playback.state, PlayState::Stalled(_) | PlayState::Starting);
        if self.playback.time() < first && is_starving {
            return self.resync(out);
        }
        let lane = &mut self.lanes[index];
        if lane.next.is_some_and(|next| next.number < window.start) {
            lane.next = None;
        }
    }

    /// Goes to the live edge.
    pub(super) fn resync(&mut self, out: &mut Vec<Command>) {
        let Some(placed) = self.lanes.first().and_then(Lane::list) else { return };
        let position = self.sync_position(placed);
        if !std::mem::replace(&mut self.is_resyncing, true) {
            out.push(Command::Count(Metric::Resyncs, 1.0));
        }
        self.restart_lanes(position, out);
        self.playback.jump(self.now, position);
        if let PlayState::Playing = self.playback.state {
            self.playback.state = PlayState::Seeking(self.now);
        }
    }

    /// Empties all lanes, so that they go on at a time.
    pub(super) fn restart_lanes(&mut self, time: Micros, out: &mut Vec<Command>) {
        let played = self.playback.time();
        for index in 0..self.lanes.len() {
            let lane = &self.lanes[index];
            for id in [lane.media_fetch, lane.side_fetch].into_iter().flatten() {
                self.leave(id, 0, out);
            }
            self.lanes[index].restart(played, time, &mut self.qoe);
        }
    }

    /// Returns `true` if a fetch is of a segment at the live edge, which may not be there yet.
    pub(super) fn is_at_edge(&self, flight: &Flight) -> bool {
        let placed = flight.lane.and_then(|index| self.lanes.get(index)?.list());
        let Some((placed, media)) = placed.zip(flight.media) else { return false };
        placed.list.schedule().is_live() && media.number + 2 >= placed.list.window(self.server_wall()).end
    }
}

/// Returns `true` if a reloaded playlist differs from the one before.
fn has_news(before: &Rc<Playlist>, list: &Rc<Playlist>) -> bool {
    !Rc::ptr_eq(before, list)
        && (end_of(before) != end_of(list)
            || before.schedule().ended != list.schedule().ended
            || before.part_count(before.numbers().end) != list.part_count(list.numbers().end))
}

fn end_of(list: &Playlist) -> u64 {
    list.numbers().end
}

/// Returns the time at which the last whole segment ends.
fn segments_end(list: &Playlist) -> Micros {
    let last = list.numbers().end.checked_sub(1).and_then(|last| list.segment(last));
    last.map_or(0, |segment| segment.start + segment.duration)
}

/// Returns the offset by which two playlists agree on the wall clock.
fn by_wall(other: &PlacedList, list: &Playlist) -> Option<Micros> {
    let theirs = other.list.segment(other.list.numbers().start)?;
    let ours = list.segment(list.numbers().start)?;
    let (theirs_at, ours_at) = (theirs.wall? - theirs.start - other.offset, ours.wall? - ours.start);
    Some(ours_at - theirs_at)
}

/// Returns the offset by which the newest discontinuity that both playlists have begins at one time.
fn by_discontinuity(other: &PlacedList, list: &Playlist) -> Option<Micros> {
    let begins = |list: &Playlist| -> Option<(u32, Micros)> {
        let last = list.segment(list.numbers().end.checked_sub(1)?)?;
        let numbers = list.numbers();
        let first = numbers
            .clone()
            .find(|number| list.segment(*number).is_some_and(|it| it.discontinuity == last.discontinuity))?;
        // The beginning of a discontinuity that began before the window is not known.
        (first > numbers.start).then(|| list.segment(first).map(|it| (it.discontinuity, it.start)))?
    };
    let ((theirs, their_start), (ours, our_start)) = (begins(&other.list)?, begins(list)?);
    (theirs == ours).then_some(other.offset + their_start - our_start)
}

/// Returns the offset by which segments with one number begin at one time, if the windows are alike.
fn by_number(other: &PlacedList, list: &Playlist) -> Option<Micros> {
    let (theirs, ours) = (other.list.numbers(), list.numbers());
    let shared = theirs.start.max(ours.start);
    // Windows that have moved on by more than some segments have other numbers for other reasons.
    if theirs.end.abs_diff(ours.end) > 8 {
        return None;
    }
    Some(other.offset + other.list.segment(shared)?.start - list.segment(shared)?.start)
}
