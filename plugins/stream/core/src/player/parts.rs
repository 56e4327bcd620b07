//! Low latency: parts of segments as they are listed or hinted at, playlists that the server holds until it has news,
//! and segments that play while they come.

use std::rc::Rc;

use super::Viewer;
use super::flight::Flight;
use super::lane::{Arrival, Lane, Place, PlacedList};
use super::playback::PlayState;
use crate::micros::{MILLISECOND, Micros};
use crate::playlist::{Playlist, Resource};
use crate::presentation::{Rung, Source};
use crate::reference::with_query;

/// Complete segments that are this close to the end are fetched in parts.
const NEAR: u64 = 2;

/// The time between two looks at a segment that comes as it is made, while its media is waited for.
const LOOK_EVERY: Micros = 100 * MILLISECOND;

/// A part that can be requested.
#[derive(Debug, Clone)]
pub(super) struct NextPart {
    pub(super) place: Place,
    pub(super) resource: Resource,
    /// The session's time at which it ends.
    pub(super) end: Micros,
    pub(super) duration: Micros,
    pub(super) is_gap: bool,
}

impl PlacedList {
    /// Returns `true` if the segment with a number is fetched in parts.
    pub(super) fn has_parts(&self, number: u64) -> bool {
        let end = self.list.numbers().end;
        let has_target = self.list.schedule().part_target.is_some() && !self.list.schedule().ended;
        has_target && number + NEAR >= end && number <= end && (number == end || self.list.part_count(number) > 0)
    }

    /// Returns the place of the media that follows a time. `with_parts` allows one inside a segment.
    pub(super) fn place_after(&self, time: Micros, tolerance: Micros, with_parts: bool) -> Option<Place> {
        let end = self.list.numbers().end;
        let number = self.number_after(time, tolerance);
        if !with_parts {
            return number.map(|number| Place { number, part: 0 });
        }
        let number = number.unwrap_or(end);
        if !self.has_parts(number) {
            return Some(Place { number, part: 0 });
        }
        // Playback begins with a part that can be decoded by itself, at or before the time.
        let (mut starts, mut part) = (self.start_of_number(number), 0);
        for index in 0..self.list.part_count(number) {
            let Some(it) = self.list.part(number, index) else { break };
            if starts <= time + tolerance && (it.is_independent || time <= starts) {
                part = index;
            }
            starts += it.duration;
        }
        let is_behind = starts <= time;
        Some(Place { number, part: if is_behind { self.list.part_count(number) } else { part } })
    }

    /// Returns the part at a place; `None` if it is not listed. With `hints` it may be the one that is announced.
    pub(super) fn part_at(&self, place: Place, hints: bool) -> Option<NextPart> {
        let Place { number, part: index } = place;
        let before = (0..index).filter_map(|before| self.list.part(number, before)).map(|part| part.duration);
        let starts = self.start_of_number(number) + before.sum::<Micros>();
        if let (Some(part), Some(resource)) = (self.list.part(number, index), self.list.part_resource(number, index)) {
            let (end, duration) = (starts + part.duration, part.duration);
            return Some(NextPart { place, resource, end, duration, is_gap: part.is_gap });
        }
        let is_next = number == self.list.numbers().end && index == self.list.part_count(number);
        let resource = self.list.hint().filter(|_| hints && is_next)?;
        let duration = self.list.schedule().part_target?;
        Some(NextPart { place, resource, end: starts + duration, duration, is_gap: false })
    }

    /// Returns the session's time at which a segment starts, or the one that is being made.
    fn start_of_number(&self, number: u64) -> Micros {
        if let Some(segment) = self.list.segment(number) {
            return self.start_of(&segment);
        }
        let last = number.checked_sub(1).and_then(|last| self.list.segment(last));
        last.map_or(self.offset, |last| self.start_of(&last) + last.duration)
    }

    /// Returns the directives that hold a request for the playlist until it has the next part or segment.
    fn directives(&self) -> String {
        let end = self.list.numbers().end;
        let parts = self.list.part_count(end);
        match self.list.schedule().part_target {
            Some(_) => format!("_HLS_msn={end}&_HLS_part={parts}"),
            None => format!("_HLS_msn={end}"),
        }
    }
}

impl Viewer {
    /// Returns the playlist that a reload is for, which a delta update builds upon.
    #[must_use]
    pub fn previous_list(&self, id: u32) -> Option<&Rc<Playlist>> {
        let flight = self.flights.iter().find(|flight| flight.id == id)?;
        self.lanes.get(flight.lane?)?.lists.get(flight.rung)?.as_ref().map(|placed| &placed.list)
    }

    /// Returns `true` if the next reload of a playlist is held by the server: then it begins at once.
    pub(super) fn is_held(&self, placed: &PlacedList) -> bool {
        self.settings.low_latency && placed.list.schedule().can_block && placed.misses == 0
    }

    /// Returns the URL of a playlist with what it asks the server for, and `true` if the server will hold it.
    pub(super) fn list_url(&self, lane: &Lane, rung: usize, url: &str) -> (String, bool) {
        let Some(placed) = lane.lists[rung].as_ref() else {
            let directives = self.settings.low_latency.then(|| reported(lane, url)).flatten();
            return (directives.map_or_else(|| url.to_owned(), |it| with_query(url, &it)), false);
        };
        let held = self.is_held(placed);
        let mut directives = if held { placed.directives() } else { String::new() };
        let age = self.now - placed.updated;
        let can_skip = placed.list.schedule().skip_until.is_some_and(|until| age < until / 2);
        if can_skip && !lane.needs_whole {
            directives = if held { format!("{directives}&_HLS_skip=YES") } else { "_HLS_skip=YES".to_owned() };
        }
        (if directives.is_empty() { url.to_owned() } else { with_query(url, &directives) }, held)
    }

    /// Returns the instant at which a segment that comes as it is made is looked at: soon while its media is waited
    /// for, else before the buffer runs empty.
    pub(super) fn chunk_look(&self) -> Micros {
        let soon = self.now + LOOK_EVERY;
        let empty = self.playback.reaches(self.playback.time() + self.buffered());
        let is_waiting = !matches!(self.playback.state, PlayState::Playing | PlayState::Paused);
        let empty = empty.filter(|empty| !is_waiting && *empty > self.now);
        // A little media that came first may be played before the next look.
        empty.map_or(soon, |empty| soon.max(empty - 2 * LOOK_EVERY).min(empty))
    }

    /// Takes the media of a segment into the buffer that came so far.
    pub(super) fn take_chunks(&mut self, flight: &Flight, bytes: u64) {
        let (Some(index), Some(media)) = (flight.lane, flight.media) else { return };
        let Some(presentation) = &self.presentation else { return };
        let edge = self.lanes[index].list().map_or(Micros::MAX, |placed| self.edge(placed));
        let lane = &mut self.lanes[index];
        let rung: &Rung = &presentation.tracks[lane.track].rungs[flight.rung];
        let bits = rung.average.unwrap_or(rung.bandwidth).max(1);
        let came = u128::from(bytes) * 8_000_000 / u128::from(bits);
        let came = Micros::try_from(came).unwrap_or(Micros::MAX).min(media.duration);
        // Media that is not made yet cannot have come, whatever the bytes say.
        let end = (media.end - media.duration).saturating_add(came).min(edge).min(media.end);
        if lane.side_fetch.is_none() && lane.waiting.is_none() && end > lane.buffer.end {
            let start = media.end - media.duration;
            lane.append(Arrival { rung: flight.rung, start, end, bytes: 0 }, &mut self.qoe);
        }
    }
}

/// Returns the directives for the first request of a playlist, from what another rung's playlist reports of it.
fn reported(lane: &Lane, url: &str) -> Option<String> {
    let lists = lane.lists.iter().flatten().filter(|placed| placed.list.schedule().can_block);
    let newest = lists.max_by_key(|placed| placed.updated)?;
    // The report may lack the query that the multivariant playlist has.
    let report = newest.list.reports().iter().find(|report| url.starts_with(&*report.url))?;
    let end = newest.list.numbers().end;
    let number = report.last_number.unwrap_or(end);
    let part = report.last_part.map(|part| format!("&_HLS_part={part}")).unwrap_or_default();
    Some(format!("_HLS_msn={number}{part}"))
}

/// Returns the source of a rung, or one of its backups.
pub(super) fn source_of(rung: &Rung, failed: usize) -> &Source {
    failed.checked_sub(1).and_then(|backup| rung.backups.get(backup)).unwrap_or(&rung.source)
}
