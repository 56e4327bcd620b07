//! DASH: playlists that the manifest lists, segment indices, the refresh of a manifest that changes, and the server's
//! clock.

use std::rc::Rc;

use super::Viewer;
use super::flight::Flight;
use super::lane::{Lane, PlacedList};
use crate::command::{Command, What};
use crate::event::{Content, Reply};
use crate::micros::{Micros, SECOND};
use crate::playlist::{ByteRange, Playlist, Resource};
use crate::presentation::{ClockSource, Format, IndexedFile, Presentation, Source};

/// The bytes in which an index is looked for whose place is not known.
const INDEX_WITHIN: u64 = 64 << 10;

/// The shortest time between two refreshes.
pub(super) const REFRESH_LEAST: Micros = SECOND;

/// The share of the estimate that sound may use.
const SOUND_SHARE: f64 = 0.25;

/// The server's clock, while it is learned.
#[derive(Debug, Default)]
pub(super) struct ClockState {
    /// The number of sources that were tried.
    tried: usize,
    /// `true` while no segment may be requested, since the clock is on its way.
    pub(super) is_awaited: bool,
    is_known: bool,
}

impl Viewer {
    /// Returns the index that a fetch of [`What::Index`] is for, so that the driver's reader can read it.
    #[must_use]
    pub fn indexed(&self, id: u32) -> Option<&IndexedFile> {
        let flight = self.flights.iter().find(|flight| flight.id == id && matches!(flight.what, What::Index(_)))?;
        let lane = self.lanes.get(flight.lane?)?;
        let source = &self.presentation.as_ref()?.tracks.get(lane.track)?.rungs.get(flight.rung)?.source;
        match part_of(source, lane.index_parts.len())? {
            Source::Indexed(indexed) => Some(indexed),
            _ => None,
        }
    }

    /// Puts the playlists that a manifest lists in their place. A lane goes on in a new one by time.
    pub(super) fn place_listed(&mut self, presentation: &Presentation) {
        for lane in &mut self.lanes {
            let Some(track) = presentation.tracks.get(lane.track) else { continue };
            let rungs = &track.rungs;
            for (list, rung) in lane.lists.iter_mut().zip(rungs) {
                if let Source::Listed(listed) = &rung.source {
                    *list = Some(placed(listed, self.now));
                }
            }
            lane.next = None;
        }
    }

    /// Returns `true` for a manifest that was published before the one that is there: a cache has kept it.
    pub(super) fn is_older(&self, presentation: &Presentation) -> bool {
        let published = |it: &Presentation| it.live.as_ref().and_then(|live| live.published);
        let before = self.presentation.as_deref().and_then(published);
        before.zip(published(presentation)).is_some_and(|(before, now)| now < before)
    }

    /// Plans the next refresh, counted from the request of the last, which `url` answered.
    pub(super) fn plan_refresh(&mut self, begun: Micros, url: &str) {
        let Some(presentation) = &self.presentation else { return };
        let Some(update) = presentation.live.as_ref().and_then(|live| live.update) else { return };
        // Without a location, a manifest is fetched again from where a redirect led.
        let location = presentation.live.as_ref().and_then(|live| live.location.as_deref());
        location.unwrap_or(url).clone_into(&mut self.url);
        let segment = self.lanes.first().and_then(Lane::list).map_or(0, |placed| placed.list.schedule().target);
        let period = if update == 0 { segment } else { update };
        self.manifest.fetch_at = Some(begun.saturating_add(period.max(REFRESH_LEAST)).max(self.now));
    }

    /// Learns the server's clock from a live manifest: by the sources that it names, or by the `Date` of its reply.
    pub(super) fn learn_clock(&mut self, reply: &Reply<'_>, out: &mut Vec<Command>) {
        let Some(presentation) = self.presentation.clone() else { return };
        if presentation.format != Format::Dash || presentation.live.is_none() || self.clock.is_known {
            return;
        }
        self.clock.is_known = true;
        if let Some(date) = reply.head.date {
            self.set_clock_by_date(date, &reply.times);
        }
        self.try_clock(out);
    }

    /// Tries the next source of the clock; without one, playback goes on with the clock that there is.
    pub(super) fn try_clock(&mut self, out: &mut Vec<Command>) {
        let clock = self.presentation.as_ref().and_then(|it| it.clocks.get(self.clock.tried).cloned());
        self.clock.tried += 1;
        self.clock.is_awaited = false;
        match clock {
            None => {}
            Some(ClockSource::Direct(instant)) => self.clock_offset = instant - (self.now + self.wall),
            Some(ClockSource::Body(url) | ClockSource::Head(url)) => {
                self.clock.is_awaited = true;
                self.fetch(self.flight(What::Clock, None), Resource { url: url.into(), range: None }, out);
            }
        }
    }

    /// Takes the reply of a time server.
    pub(super) fn took_clock(&mut self, reply: &Reply<'_>, out: &mut Vec<Command>) {
        // The server read its clock between the request and the reply.
        let at = (reply.times.start + reply.times.headed) / 2 + self.wall;
        match (&reply.content, reply.head.date) {
            (Content::Instant(instant), _) => self.clock_offset = instant - at,
            (_, Some(date)) => self.set_clock_by_date(date, &reply.times),
            _ => return self.try_clock(out),
        }
        self.clock.is_awaited = false;
    }

    /// Sets the clock by a date, which has no parts of seconds: a clock that agrees with it stays.
    fn set_clock_by_date(&mut self, date: Micros, times: &crate::event::FetchTimes) {
        let difference = date - (times.headed + self.wall);
        if !(-SECOND..=0).contains(&difference) {
            self.clock_offset = difference;
        }
    }

    /// Requests the next index of a rung; parts that the manifest lists need none. Returns `true` if the playlist is
    /// there.
    pub(super) fn fetch_index(&mut self, index: usize, rung: usize, out: &mut Vec<Command>) {
        let Some(presentation) = self.presentation.clone() else { return };
        let lane = &mut self.lanes[index];
        let source = &presentation.tracks[lane.track].rungs[rung].source;
        loop {
            match part_of(source, lane.index_parts.len()) {
                Some(Source::Listed(list)) => lane.index_parts.push(Rc::clone(list)),
                Some(Source::Indexed(indexed)) => {
                    let url = indexed.urls[lane.base % indexed.urls.len().max(1)].to_string();
                    let range = indexed.index.unwrap_or(ByteRange { start: 0, length: INDEX_WITHIN });
                    let kind = lane.kind;
                    let flight = Flight { range: Some(range), ..self.flight(What::Index(kind), Some(index)) };
                    let id = self.fetch(flight, Resource { url, range: Some(range) }, out);
                    self.lanes[index].list_fetch = Some(id);
                    return;
                }
                _ => break,
            }
        }
        if !lane.index_parts.is_empty() {
            let parts = std::mem::take(&mut lane.index_parts);
            let list = match &parts[..] {
                [one] => Rc::clone(one),
                _ => Rc::new(Playlist::join(parts.iter().map(|part| &**part))),
            };
            lane.lists[rung] = Some(placed(&list, self.now));
        }
    }

    /// Takes a segment index, and requests the next if there are more.
    pub(super) fn took_index(&mut self, flight: &Flight, list: &Rc<Playlist>, out: &mut Vec<Command>) {
        let Some(index) = flight.lane else { return };
        let lane = &mut self.lanes[index];
        lane.list_failures.reset();
        if lane.rung == flight.rung {
            lane.index_parts.push(Rc::clone(list));
            self.fetch_index(index, flight.rung, out);
        } else {
            lane.index_parts.clear();
        }
    }

    /// Returns the rung of sound that a share of the estimate allows.
    pub(super) fn sound_rung(&self, rungs: &[crate::presentation::Rung]) -> usize {
        #[expect(clippy::cast_precision_loss, reason = "bandwidths are far below 2^53")]
        let fits = |rung: &crate::presentation::Rung| rung.bandwidth as f64 <= self.abr.rate() * SOUND_SHARE;
        rungs.iter().rposition(fits).unwrap_or(0)
    }
}

/// Returns a playlist whose times are those of the session.
fn placed(list: &Rc<Playlist>, now: Micros) -> PlacedList {
    PlacedList { list: Rc::clone(list), offset: 0, updated: now, reload_at: None, planned: 0, misses: 0 }
}

/// Returns a part of a source of several.
fn part_of(source: &Source, part: usize) -> Option<&Source> {
    match source {
        Source::Parts(parts) => parts.get(part),
        other => (part == 0).then_some(other),
    }
}
