//! The requests: whenever something has happened, each lane begins what it can.

use super::Viewer;
use super::flight::{Flight, FlightMedia};
use super::lane::{Arrival, Lane, Place, bit};
use super::parts::{NextPart, source_of};
use super::playback::PlayState;
use super::profile::RetryPolicy;
use crate::abr::{AbrContext, LoadingSegment};
use crate::cmcd::{self, Cmcd, CmcdMode};
use crate::command::{Command, Fetch, What};
use crate::micros::{MILLISECOND, Micros};
use crate::playlist::{ByteRange, Resource, Segment};
use crate::presentation::{Format, Source, TrackKind};
use crate::reference::{query, with_query};

/// The media of two rungs is taken to follow each other if it is less than this apart.
const TOLERANCE: Micros = 250 * MILLISECOND;

/// A step of a lane.
enum LaneStep {
    /// Nothing can be begun now.
    Wait,
    /// A segment is passed over; the lane looks again.
    Again,
}

impl Viewer {
    /// Begins what can be begun.
    pub(super) fn load(&mut self, out: &mut Vec<Command>) {
        if self.is_finished {
            return;
        }
        if self.manifest.fetch_at.is_some_and(|at| at <= self.now) {
            self.manifest.fetch_at = None;
            let resource = Resource { url: self.url.clone(), range: None };
            self.fetch(self.flight(What::Manifest, None), resource, out);
        }
        self.fetch_steering(out);
        for index in 0..self.lanes.len() {
            // Segments that are passed over are few: gaps, and those before the position.
            for _ in 0..64 {
                if self.is_finished || matches!(self.drive(index, out), LaneStep::Wait) {
                    break;
                }
            }
        }
        self.check_flights(out);
    }

    /// Begins the next request of a lane.
    fn drive(&mut self, index: usize, out: &mut Vec<Command>) -> LaneStep {
        if self.clock.is_awaited {
            return LaneStep::Wait;
        }
        self.choose(index);
        let rung = self.lanes[index].rung;
        let is_due = |at: Option<Micros>| at.is_none_or(|at| at <= self.now);
        let needs_list =
            self.lanes[index].list().is_none_or(|placed| placed.reload_at.is_some() && is_due(placed.reload_at));
        self.leave_old_list(index, out);
        let may_fetch = self.lanes[index].list_fetch.is_none() && self.lanes[index].list_failures.until <= self.now;
        if needs_list && may_fetch {
            self.fetch_list(index, rung, out);
        }
        if self.lanes[index].list().is_none() {
            return LaneStep::Wait;
        }
        self.set_position();
        let lane = &self.lanes[index];
        let has_room = lane.ahead(self.playback.time()) < self.goal(lane);
        let is_blocked = lane.media_failures.until > self.now;
        if is_blocked || self.position.is_none() || !lane.is_idle() || !has_room || self.is_ahead_of_others(index) {
            return LaneStep::Wait;
        }
        self.fetch_next(index, out)
    }

    /// Chooses the rung of a lane's next segment.
    fn choose(&mut self, index: usize) {
        let Some(presentation) = self.presentation.clone() else { return };
        let lane = &self.lanes[index];
        let forced = lane.forced;
        let rungs = &presentation.tracks[lane.track].rungs;
        let is_waiting = lane.list().is_none() && lane.list_fetch.is_some();
        if lane.media_fetch.is_some() || lane.side_fetch.is_some() || is_waiting || rungs.len() < 2 {
            return;
        }
        let chosen = if lane.kind == TrackKind::Video {
            if lane.ahead(self.playback.time()) >= self.goal(lane) || self.is_fixed() {
                return;
            }
            let context = self.context(index, rungs);
            forced.unwrap_or_else(|| self.abr.choose(&context)).min(rungs.len() - 1)
        } else {
            self.companion(index, rungs)
        };
        self.switch(index, chosen);
    }

    /// Returns the rung of sound or text that goes with the pictures.
    fn companion(&self, index: usize, rungs: &[crate::presentation::Rung]) -> usize {
        let lane = &self.lanes[index];
        let video = self.presentation.as_ref().zip(self.lanes.first());
        let variant = video.and_then(|(it, video)| it.tracks[video.track].rungs.get(video.rung));
        let group = variant.and_then(|variant| match lane.kind {
            TrackKind::Subtitles => variant.subtitles,
            _ => variant.audio,
        });
        if lane.kind == TrackKind::Audio && self.presentation.as_ref().is_some_and(|it| it.format == Format::Dash) {
            return self.sound_rung(rungs);
        }
        group.and_then(|group| rungs.iter().position(|rung| rung.group == group)).unwrap_or(lane.rung)
    }

    /// Makes another rung the one that is loaded next.
    pub(super) fn switch(&mut self, index: usize, rung: usize) {
        let lane = &mut self.lanes[index];
        if lane.rung == rung {
            return;
        }
        (lane.rung, lane.next, lane.base) = (rung, None, 0);
        lane.index_parts.clear();
        // A live playlist that was not followed is out of date; one of DASH is not.
        let is_old = |placed: &super::lane::PlacedList| placed.planned != 0 && !placed.list.schedule().ended;
        if lane.lists[rung].as_ref().is_some_and(is_old) {
            lane.lists[rung] = None;
        }
    }

    /// Returns `true` if the rule may leave a segment of a lane for another rung: neither the settings nor a failure
    /// has chosen the rung.
    pub(super) fn may_abandon(&self, index: usize) -> bool {
        !self.is_fixed() && self.lanes[index].forced.is_none()
    }

    fn is_fixed(&self) -> bool {
        use super::settings::Quality;
        !matches!(self.settings.quality, Quality::Auto | Quality::Most(_))
    }

    /// Returns the state that the rule decides by.
    pub(super) fn context<'a>(&self, index: usize, rungs: &'a [crate::presentation::Rung]) -> AbrContext<'a> {
        let lane = &self.lanes[index];
        let list = lane.list().map(|placed| &placed.list);
        AbrContext {
            now: self.now,
            rungs,
            listed: lane.listed(),
            most: self.most_rung(rungs),
            listed_first: self.presentation.as_ref().map_or(0, |it| it.tracks[lane.track].listed_first),
            last: lane.last,
            buffer: lane.ahead(self.playback.time()),
            duration: if lane.duration > 0 { lane.duration } else { list.map_or(0, |list| list.schedule().target) },
            is_live: list.is_some_and(|list| list.schedule().is_live()),
            penalized: lane.penalized,
        }
    }

    /// Requests the next segment of a lane, or what it needs first.
    fn fetch_next(&mut self, index: usize, out: &mut Vec<Command>) -> LaneStep {
        let wall = self.server_wall();
        let lane = &self.lanes[index];
        let Some(placed) = lane.list() else { return LaneStep::Wait };
        let end = lane.buffer.end;
        let tolerance = if lane.last.is_some() { TOLERANCE } else { 0 };
        let with_parts = self.settings.low_latency;
        let place = lane.next.or_else(|| placed.place_after(end, tolerance, with_parts));
        if let Some(place) = place.filter(|place| with_parts && placed.has_parts(place.number)) {
            return self.fetch_part(index, place, out);
        }
        let segment = place.and_then(|place| placed.list.segment(place.number));
        let Some((place, segment)) = place.zip(segment) else {
            let is_complete = self.is_final(&placed.list);
            self.lanes[index].is_complete = is_complete;
            return LaneStep::Wait;
        };
        if let Some(at) = segment.available_at.filter(|at| *at > wall) {
            self.lanes[index].available_at = Some(self.now + (at - wall));
            return LaneStep::Wait;
        }
        let ends = placed.start_of(&segment).saturating_add(segment.duration);
        if segment.is_gap {
            if !self.leave_gap(index) {
                let lane = &mut self.lanes[index];
                lane.buffer_gap(ends);
                lane.next = Some(Place { number: place.number + 1, part: 0 });
            }
            return LaneStep::Again;
        }
        self.lanes[index].next = Some(place);
        if !self.fetch_side(index, &segment, out) {
            return LaneStep::Wait;
        }
        self.fetch_segment(index, &segment, ends, out);
        LaneStep::Wait
    }

    /// Goes to another rung where one has a gap. Returns `false` if all have.
    fn leave_gap(&mut self, index: usize) -> bool {
        let lane = &mut self.lanes[index];
        lane.with_gap |= bit(lane.rung);
        let may_play = |rung: &usize| (lane.with_gap | lane.penalized) & bit(*rung) == 0;
        let rungs = lane.lists.len().min(64);
        let other = (0..lane.rung).rev().chain(lane.rung + 1..rungs).find(may_play);
        let Some(other) = other.filter(|_| lane.kind == TrackKind::Video) else { return false };
        lane.forced = Some(other);
        self.switch(index, other);
        true
    }

    /// Requests a part of a segment, or what it needs first.
    fn fetch_part(&mut self, index: usize, place: Place, out: &mut Vec<Command>) -> LaneStep {
        let Some(placed) = self.lanes[index].list() else { return LaneStep::Wait };
        let numbers = placed.list.numbers();
        let is_whole = place.number < numbers.end;
        if is_whole && place.part >= placed.list.part_count(place.number) {
            self.lanes[index].next = Some(Place { number: place.number + 1, part: 0 });
            return LaneStep::Again;
        }
        let part = placed.part_at(place, self.settings.profile.hints);
        // The segment that is being made needs what the last one does.
        let known = if is_whole { place.number } else { place.number.saturating_sub(1) };
        let segment = placed.list.segment(known);
        let Some((part, segment)) = part.zip(segment) else { return LaneStep::Wait };
        self.lanes[index].next = Some(place);
        if part.is_gap {
            let lane = &mut self.lanes[index];
            lane.buffer_gap(part.end);
            lane.next = Some(Place { part: place.part + 1, ..place });
            return LaneStep::Again;
        }
        if self.fetch_side(index, &segment, out) {
            let NextPart { place, resource, end, duration, .. } = part;
            let part = Some(place.part);
            let media = FlightMedia { number: place.number, part, end, duration, is_chunked: false };
            let kind = self.lanes[index].kind;
            let mut flight = Flight { media: Some(media), ..self.flight(What::Part(kind), Some(index)) };
            flight.range = resource.range;
            if kind == TrackKind::Video && self.may_abandon(index) {
                flight.look_at = self.abr.first_look(&self.loading(&flight, None, 0));
            }
            let id = self.fetch(flight, resource, out);
            (self.lanes[index].media_fetch, self.lanes[index].duration) = (Some(id), duration);
        }
        LaneStep::Wait
    }

    /// Requests the key and the initialization segment of a segment. Returns `false` if the segment has to wait.
    fn fetch_side(&mut self, index: usize, segment: &Segment, out: &mut Vec<Command>) -> bool {
        let lane = &self.lanes[index];
        if lane.side_fetch.is_some() {
            return false;
        }
        let Some(placed) = lane.list() else { return false };
        let key = segment.key.and_then(|key| placed.list.key(key)).filter(|key| !self.keys.contains(&key.url));
        if let Some(key) = key {
            let flight = Flight { resource: Some(key.clone()), ..self.flight(What::Key, Some(index)) };
            let id = self.fetch(flight, key, out);
            self.lanes[index].side_fetch = Some(id);
            return false;
        }
        let init = segment.init.and_then(|init| placed.list.init(init, lane.base));
        let Some(init) = init.filter(|init| lane.init.as_ref() != Some(init)) else { return true };
        let flight = Flight { resource: Some(init.clone()), ..self.flight(What::Init(lane.kind), Some(index)) };
        let id = self.fetch(flight, init, out);
        self.lanes[index].side_fetch = Some(id);
        self.settings.profile.parallel_init
    }

    fn fetch_segment(&mut self, index: usize, segment: &Segment, ends: Micros, out: &mut Vec<Command>) {
        let lane = &self.lanes[index];
        let resource = lane.list().and_then(|placed| placed.list.resource(segment.number, lane.base));
        let Some(resource) = resource else { return };
        let media = FlightMedia {
            number: segment.number,
            part: None,
            end: ends,
            duration: segment.duration,
            is_chunked: segment.is_chunked,
        };
        let what = if segment.is_chunked { What::Part(lane.kind) } else { What::Segment(lane.kind) };
        let mut flight = Flight { media: Some(media), ..self.flight(what, Some(index)) };
        flight.range = resource.range;
        if segment.is_chunked {
            flight.look_at = Some(self.chunk_look());
        } else if lane.kind == TrackKind::Video && self.may_abandon(index) {
            flight.look_at = self.abr.first_look(&self.loading(&flight, None, 0));
        }
        let id = self.fetch(flight, resource, out);
        self.lanes[index].media_fetch = Some(id);
        self.lanes[index].duration = segment.duration;
    }

    /// Returns a segment in flight as the rule sees it.
    pub(super) fn loading(&self, flight: &Flight, headed: Option<Micros>, bytes: u64) -> LoadingSegment {
        let track = flight.lane.and_then(|lane| self.lanes.get(lane)).map(|lane| lane.track);
        let rungs = self.presentation.as_ref().zip(track).map(|(it, track)| &it.tracks[track].rungs);
        let rung = rungs.and_then(|rungs| rungs.get(flight.rung));
        LoadingSegment {
            now: self.now,
            rung: flight.rung,
            average: rung.map_or(0, |rung| rung.average.unwrap_or(rung.bandwidth)),
            duration: flight.media.map_or(0, |media| media.duration),
            start: flight.begun,
            headed,
            bytes,
            has_started: self.qoe.first_frame.is_some(),
        }
    }

    /// Leaves a request for the playlist of a rung that is not loaded any more.
    fn leave_old_list(&mut self, index: usize, out: &mut Vec<Command>) {
        let lane = &self.lanes[index];
        let is_old = |flight: &&Flight| Some(flight.id) == lane.list_fetch && flight.rung != lane.rung;
        if let Some(id) = self.flights.iter().find(is_old).map(|flight| flight.id) {
            self.leave(id, 0, out);
        }
    }

    fn fetch_list(&mut self, index: usize, rung: usize, out: &mut Vec<Command>) {
        let lane = &self.lanes[index];
        let Some(presentation) = &self.presentation else { return };
        let rung_of = &presentation.tracks[lane.track].rungs[rung];
        let Source::Remote { url, .. } = source_of(rung_of, lane.sources[rung]) else {
            return self.fetch_index(index, rung, out);
        };
        let (url, is_held) = self.list_url(lane, rung, url);
        let resource = Resource { url, range: None };
        let what = if is_held { What::Reload(lane.kind) } else { What::Playlist(lane.kind) };
        if let Some(placed) = &mut self.lanes[index].lists[rung] {
            placed.reload_at = None;
        }
        let id = self.fetch(self.flight(what, Some(index)), resource, out);
        self.lanes[index].list_fetch = Some(id);
    }

    /// Returns a flight that begins now.
    pub(super) fn flight(&self, what: What, lane: Option<usize>) -> Flight {
        Flight {
            id: self.next_id,
            what,
            begun: self.now,
            lane,
            rung: lane.map_or(0, |lane| self.lanes[lane].rung),
            media: None,
            resource: None,
            range: None,
            came: 0,
            look_at: None,
            leave_at: None,
            head_by: None,
        }
    }

    /// Begins a fetch. Returns its number.
    pub(super) fn fetch(&mut self, mut flight: Flight, mut resource: Resource, out: &mut Vec<Command>) -> u32 {
        let policy = self.policy(flight.what);
        let id = self.next_id;
        self.next_id += 1;
        flight.id = id;
        flight.head_by = policy.head.map(|head| self.now + head);
        if let Some(forwarded) = self.forwarded.as_deref().filter(|_| query(&resource.url).is_none()) {
            resource.url = with_query(&resource.url, forwarded);
        }
        let mut cmcd = Vec::new();
        match self.settings.cmcd {
            Some(CmcdMode::Headers) => cmcd = self.cmcd(&flight).fields(),
            Some(CmcdMode::Query) => resource.url = with_query(&resource.url, &self.cmcd(&flight).parameter()),
            None => {}
        }
        let range = resource.range.map(|ByteRange { start, length }| match length {
            u64::MAX => format!("bytes={start}-"),
            _ => format!("bytes={start}-{}", start.saturating_add(length).saturating_sub(1)),
        });
        let keep = !matches!(flight.what, What::Init(_) | What::Segment(_) | What::Part(_) | What::Key);
        let give_up_at = self.now + policy.total;
        out.push(Command::Fetch(Fetch { id, what: flight.what, resource, range, keep, give_up_at, cmcd }));
        self.flights.push(flight);
        id
    }

    /// Returns what the server is told with a request.
    fn cmcd(&self, flight: &Flight) -> Cmcd {
        let lane = flight.lane.and_then(|index| self.lanes.get(index));
        let rungs = self.presentation.as_ref().zip(lane).map(|(it, lane)| &it.tracks[lane.track].rungs);
        let kilobits = |rung: usize| rungs.and_then(|rungs| rungs.get(rung)).map_or(0, |rung| rung.bandwidth / 1000);
        let is_media = flight.media.is_some();
        let list = self.lanes.first().and_then(Lane::list);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rates are positive and below 2^53"
        )]
        let throughput = (self.abr.rate() / 1000.0) as u64;
        Cmcd {
            bitrate: if is_media { kilobits(flight.rung) } else { 0 },
            top_bitrate: if is_media { kilobits(rungs.map_or(0, |rungs| rungs.len() - 1)) } else { 0 },
            duration: flight.media.map_or(0, |media| media.duration),
            buffer: lane.filter(|_| is_media).map(|lane| lane.ahead(self.playback.time())),
            throughput: if is_media { throughput } else { 0 },
            object: cmcd::object(flight.what, self.lanes.iter().any(|lane| lane.kind == TrackKind::Audio)),
            format: self.presentation.as_ref().map(|it| cmcd::format(it.format)),
            is_live: list.is_some_and(|placed| placed.list.schedule().is_live()),
            is_startup: is_media && !self.playback.is_playing(),
            is_starved: is_media && matches!(self.playback.state, PlayState::Stalled(_)),
            session: format!("{:016x}", self.seed),
        }
    }

    /// Returns the retries of a kind of request.
    pub(super) fn policy(&self, what: What) -> RetryPolicy {
        let retries = &self.settings.profile.retries;
        match what {
            What::Manifest | What::Clock | What::Steering => retries.manifest,
            What::Playlist(_) | What::Reload(_) => retries.playlist,
            What::Init(_) | What::Segment(_) | What::Part(_) | What::Index(_) => retries.segment,
            What::Key => retries.key,
        }
    }
}

impl Lane {
    /// Takes a gap into the buffer: the playhead passes it.
    fn buffer_gap(&mut self, end: Micros) {
        let rung = self.rung;
        self.buffer.append(Arrival { rung, start: self.buffer.end, end, bytes: 0 });
    }
}
