//! The replies: each is taken by what it was asked for.

use super::Viewer;
use super::edge::ListOf;
use super::flight::Flight;
use super::lane::{Arrival, Place, bit};
use crate::abr::{Abandonment, Transfer};
use crate::command::{Command, Fault, FaultKind, What};
use crate::event::{Content, FetchFailure, FetchId, Reply};
use crate::metric::{FatalError, Metric};
use crate::micros::Micros;
use crate::playlist::{ByteRange, Resource};
use crate::presentation::{Format, TrackKind};

/// The keys that are remembered: a live stream may have another for each segment.
const MOST_KEYS: usize = 64;

/// Reasons why a fetch did not bring what it was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// No whole reply.
    Lost(FetchFailure),
    /// An error status.
    Status(u16),
    /// Content that is malformed or empty.
    Content,
}

impl Viewer {
    /// Takes a reply.
    pub(super) fn done(&mut self, reply: &Reply<'_>, out: &mut Vec<Command>) {
        let Some(flight) = self.land(reply.id) else { return };
        if !(200..300).contains(&reply.status) {
            out.push(fault(&flight, FaultKind::Status));
            return self.trouble(&flight, Trouble::Status(reply.status), reply.head.retry_after, out);
        }
        match (flight.what, &reply.content) {
            (What::Manifest, Content::Presentation(presentation)) => {
                self.took_manifest();
                if self.is_older(presentation) {
                    out.push(fault(&flight, FaultKind::Stale));
                } else {
                    self.take_presentation(presentation, None, out);
                }
                if !self.is_finished {
                    self.learn_clock(reply, out);
                    self.plan_refresh(reply.times.start, reply.url);
                }
            }
            (What::Manifest, Content::Entry(presentation, list)) => {
                self.took_manifest();
                self.take_presentation(presentation, Some(list), out);
            }
            (What::Playlist(_) | What::Reload(_), Content::Playlist(list)) => {
                let Some(index) = flight.lane else { return };
                if flight.lane == Some(0) {
                    self.abr.playlist(&reply.times);
                }
                let lane = &mut self.lanes[index];
                lane.list_failures.reset();
                lane.needs_whole = false;
                let of = ListOf { index, rung: flight.rung, age: reply.head.age.unwrap_or(0) };
                if !self.take_list(of, list, reply.times.headed, out) {
                    out.push(fault(&flight, FaultKind::Stale));
                }
            }
            (What::Playlist(_) | What::Reload(_), Content::Unmergeable) => {
                let Some(index) = flight.lane else { return };
                self.lanes[index].needs_whole = true;
                if let Some(placed) = &mut self.lanes[index].lists[flight.rung] {
                    placed.reload_at = Some(self.now);
                }
            }
            (What::Index(_), Content::Playlist(list)) => self.took_index(&flight, list, out),
            (What::Steering, Content::Steering(steering)) => self.took_steering(steering),
            (What::Clock, _) => self.took_clock(reply, out),
            (What::Key, _) => {
                if self.keys.len() >= MOST_KEYS {
                    self.keys.remove(0);
                }
                self.keys.extend(flight.resource.map(|key| key.url));
                self.took_side(flight.lane);
            }
            (What::Init(_), _) => {
                if let Some(index) = flight.lane {
                    self.lanes[index].init = flight.resource;
                }
                self.took_side(flight.lane);
                self.append_waiting(flight.lane, out);
            }
            (What::Segment(_) | What::Part(_), _) => self.took_segment(&flight, reply, out),
            _ => {
                out.push(fault(&flight, FaultKind::Format));
                self.trouble(&flight, Trouble::Content, None, out);
            }
        }
    }

    /// Takes the end of a fetch without a whole reply.
    pub(super) fn failed(&mut self, id: FetchId, failure: FetchFailure, bytes: u64, out: &mut Vec<Command>) {
        let Some(flight) = self.land(id) else { return };
        self.qoe.wasted += if flight.media.is_some() { bytes } else { 0 };
        self.trouble(&flight, Trouble::Lost(failure), None, out);
    }

    /// Takes the progress of a segment, and leaves it if the rule says so.
    pub(super) fn progress(&mut self, id: FetchId, headed: Option<Micros>, bytes: u64, out: &mut Vec<Command>) {
        let Some(place) = self.flights.iter().position(|flight| flight.id == id) else { return };
        let flight = self.flights[place].clone();
        if flight.head_by.is_some_and(|by| by <= self.now) {
            self.flights[place].head_by = None;
            if headed.is_none() {
                self.leave(id, bytes, out);
                return self.trouble(&flight, Trouble::Lost(FetchFailure::Timeout), None, out);
            }
        }
        if flight.media.is_some_and(|media| media.is_chunked) {
            self.take_chunks(&flight, bytes);
            self.flights[place].look_at = Some(self.chunk_look());
            return;
        }
        if let Some(at) = flight.leave_at {
            if at <= self.now {
                self.abandon(&flight, bytes, out);
            }
            return;
        }
        let is_video = matches!(flight.what, What::Segment(TrackKind::Video) | What::Part(TrackKind::Video));
        let lane = flight.lane.filter(|index| is_video && self.may_abandon(*index));
        let (Some(presentation), Some(index)) = (self.presentation.clone(), lane) else {
            return;
        };
        let rungs = &presentation.tracks[self.lanes[index].track].rungs;
        let loading = self.loading(&flight, headed, bytes);
        match self.abr.look(&self.context(index, rungs), &loading) {
            Abandonment::Never => self.flights[place].look_at = None,
            Abandonment::LookAt(at) => self.flights[place].look_at = Some(at),
            Abandonment::LeaveAt(at) if at <= self.now => self.abandon(&flight, bytes, out),
            Abandonment::LeaveAt(at) => {
                (self.flights[place].look_at, self.flights[place].leave_at) = (None, Some(at));
            }
        }
    }

    /// Asks for the progress of fetches for which something is due.
    pub(super) fn check_flights(&mut self, out: &mut Vec<Command>) {
        for flight in &mut self.flights {
            if flight.due().is_some_and(|at| at <= self.now) {
                // The answer sets the next look.
                flight.look_at = None;
                out.push(Command::Look(flight.id));
            }
        }
    }

    fn abandon(&mut self, flight: &Flight, bytes: u64, out: &mut Vec<Command>) {
        out.push(Command::Count(Metric::Abandoned, 1.0));
        self.leave(flight.id, bytes, out);
    }

    /// Ends a fetch from here.
    pub(super) fn leave(&mut self, id: FetchId, bytes: u64, out: &mut Vec<Command>) {
        if self.land(id).is_some() {
            self.qoe.wasted += bytes;
            out.push(Command::Leave(id));
        }
    }

    /// Takes a fetch out of those in flight.
    fn land(&mut self, id: FetchId) -> Option<Flight> {
        let place = self.flights.iter().position(|flight| flight.id == id)?;
        let flight = self.flights.swap_remove(place);
        if let Some(lane) = flight.lane.and_then(|index| self.lanes.get_mut(index)) {
            for fetch in [&mut lane.list_fetch, &mut lane.side_fetch, &mut lane.media_fetch] {
                *fetch = fetch.filter(|fetch| *fetch != id);
            }
        }
        Some(flight)
    }

    fn took_manifest(&mut self) {
        self.manifest.failures.reset();
    }

    fn took_side(&mut self, lane: Option<usize>) {
        if let Some(lane) = lane.and_then(|index| self.lanes.get_mut(index)) {
            lane.media_failures.reset();
        }
    }

    fn took_segment(&mut self, flight: &Flight, reply: &Reply<'_>, out: &mut Vec<Command>) {
        let (Some(index), Some(media)) = (flight.lane, flight.media) else { return };
        if reply.bytes == 0 {
            out.push(fault(flight, FaultKind::Empty));
            return self.trouble(flight, Trouble::Content, None, out);
        }
        let given = reply.head.content_range.map(|range| range.start);
        if given.is_some_and(|given| flight.range.is_none_or(|range| range.start != given)) {
            out.push(fault(flight, FaultKind::Range));
            self.qoe.wasted += reply.bytes;
            return self.trouble(flight, Trouble::Content, None, out);
        }
        if reply.status == 206
            && flight.range.is_some_and(|range| reply.bytes < range.length && range.length != u64::MAX)
        {
            return self.fetch_rest(flight, reply.bytes, out);
        }
        let mut bytes = reply.bytes + flight.came;
        if let Some(range) = flight.range.filter(|range| reply.status == 200 && range.length < bytes) {
            // The whole file came.
            out.push(fault(flight, FaultKind::Range));
            self.qoe.wasted += bytes - range.length;
            bytes = range.length;
        }
        // A segment that comes as it is made tells of the network only if that was slower, or the segment was complete.
        let took = reply.times.end - reply.times.headed;
        let is_measured = !media.is_chunked || took < media.duration * 3 / 4 || took > media.duration * 11 / 10;
        if self.lanes[index].kind == TrackKind::Video && is_measured {
            self.abr.segment(&Transfer { bytes: reply.bytes, times: reply.times }, flight.rung);
        }
        let is_hls = self.presentation.as_ref().is_some_and(|it| it.format == Format::Hls);
        let lane = &mut self.lanes[index];
        lane.media_failures.reset();
        lane.penalized &= !bit(flight.rung);
        // A refresh of DASH may have numbered the segments anew.
        let is_numbered = lane.rung == flight.rung && is_hls;
        let next = match media.part {
            None => Place { number: media.number + 1, part: 0 },
            Some(part) => Place { number: media.number, part: part + 1 },
        };
        lane.next = is_numbered.then_some(next);
        let start = media.end - media.duration;
        lane.waiting = Some(Arrival { rung: flight.rung, start, end: media.end, bytes });
        self.append_waiting(Some(index), out);
    }

    /// Requests what is missing of a range.
    fn fetch_rest(&mut self, flight: &Flight, bytes: u64, out: &mut Vec<Command>) {
        let (Some(index), Some(media), Some(range)) = (flight.lane, flight.media, flight.range) else { return };
        let lane = &self.lanes[index];
        let list = lane.lists.get(flight.rung).and_then(Option::as_ref).map(|placed| &placed.list);
        let resource = list.and_then(|list| match media.part {
            Some(part) => list.part_resource(media.number, part),
            None => list.resource(media.number, lane.base),
        });
        // The playlist may have moved on meanwhile; then the segment is looked for again.
        let Some(resource) = resource else { return };
        let range = Some(ByteRange { start: range.start + bytes, length: range.length - bytes });
        let flight = Flight { range, came: flight.came + bytes, begun: self.now, look_at: None, ..flight.clone() };
        let id = self.fetch(flight, Resource { range, ..resource }, out);
        self.lanes[index].media_fetch = Some(id);
    }

    /// Appends a segment that came, unless its initialization segment is still on its way.
    fn append_waiting(&mut self, lane: Option<usize>, out: &mut Vec<Command>) {
        let Some(lane) = lane.and_then(|index| self.lanes.get_mut(index)) else { return };
        if lane.side_fetch.is_some() {
            return;
        }
        if let Some(arrival) = lane.waiting.take() {
            lane.append(arrival, &mut self.qoe);
            if lane.kind == TrackKind::Video {
                self.count_latency(out);
            }
        }
    }

    /// Returns the error of a session whose manifest is malformed; other content is tried again.
    pub(super) fn hopeless(&self, what: What, trouble: Trouble) -> Option<FatalError> {
        let is_first = what == What::Manifest && self.presentation.is_none();
        (is_first && trouble == Trouble::Content).then_some(FatalError::Format)
    }
}

fn fault(flight: &Flight, kind: FaultKind) -> Command {
    Command::Fault(Fault { id: flight.id, kind })
}
