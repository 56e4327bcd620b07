//! A lane: the track of one kind that a viewer plays, its playlists, its buffer and its place in them.

use std::collections::VecDeque;
use std::rc::Rc;

use super::failures::Failures;
use super::playback::Movement;
use super::qoe::Qoe;
use crate::event::FetchId;
use crate::micros::{MILLISECOND, Micros};
use crate::playlist::{Playlist, Resource, Segment};
use crate::presentation::{Rung, TrackKind};

/// A track that is played.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) kind: TrackKind,
    /// Its index in the presentation.
    pub(crate) track: usize,
    /// The rung that is loaded next.
    pub(crate) rung: usize,
    /// The rung that a failure chose, until a segment of it has come.
    pub(crate) forced: Option<usize>,
    /// A bit for each of the first 64 rungs that have a gap where the next segment is.
    pub(crate) with_gap: u64,
    /// The rung of the last segment that came.
    pub(crate) last: Option<usize>,
    /// The playlists of rungs, as far as they are known.
    pub(crate) lists: Vec<Option<PlacedList>>,
    /// For each rung, the place of its source: 0, or that of a backup, from 1.
    pub(crate) sources: Vec<usize>,
    /// For each rung, a bit for each of its sources that failed.
    pub(crate) failed_sources: Vec<u64>,
    /// A bit for each of the first 64 rungs that failed.
    pub(crate) penalized: u64,
    /// The place of the next segment in the playlist of [`Self::rung`]; `None` if it is found by time.
    pub(crate) next: Option<Place>,
    pub(crate) buffer: Buffer,
    /// The playlist that is on its way.
    pub(crate) list_fetch: Option<FetchId>,
    /// The initialization segment or key that is on its way.
    pub(crate) side_fetch: Option<FetchId>,
    /// The segment that is on its way.
    pub(crate) media_fetch: Option<FetchId>,
    /// A segment that came before its initialization segment.
    pub(crate) waiting: Option<Arrival>,
    /// The initialization segment that came last.
    pub(crate) init: Option<Resource>,
    /// Failures of its segments, with what they need, and of its playlists.
    pub(crate) media_failures: Failures,
    pub(crate) list_failures: Failures,
    /// The indices of the rung's periods that came.
    pub(crate) index_parts: Vec<Rc<Playlist>>,
    /// The duration of the segment that was requested last.
    pub(crate) duration: Micros,
    /// Bases of the playlist that failed.
    pub(crate) base: usize,
    /// `true` if the last segment of the presentation is in the buffer.
    pub(crate) is_complete: bool,
    /// `true` after a delta update that did not fit, until a whole playlist has come.
    pub(crate) needs_whole: bool,
    /// The instant from which the next segment can be requested.
    pub(crate) available_at: Option<Micros>,
}

/// A playlist on the session's timeline.
#[derive(Debug, Clone)]
pub(crate) struct PlacedList {
    pub(crate) list: Rc<Playlist>,
    /// The session's time of the playlist's time 0.
    pub(crate) offset: Micros,
    /// The instant at which it last had news.
    pub(crate) updated: Micros,
    /// The instant at which it is fetched again; `None` if it never changes, or a request is under way.
    pub(crate) reload_at: Option<Micros>,
    /// The instant for which the last reload was planned.
    pub(crate) planned: Micros,
    /// Reloads without news since then.
    pub(crate) misses: u32,
}

/// A place in a playlist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) number: u64,
    /// The index of a part; 0 for whole segments.
    pub(crate) part: usize,
}

/// A segment, or a part of one, that came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) rung: usize,
    /// The session's time at which it starts.
    pub(crate) start: Micros,
    /// The session's time at which it ends.
    pub(crate) end: Micros,
    pub(crate) bytes: u64,
}

/// Time without media between two segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hole {
    pub(crate) start: Micros,
    pub(crate) end: Micros,
}

/// The longest hole that decoders play over.
const LEAST_HOLE: Micros = 100 * MILLISECOND;

/// The media that is ahead of the playhead, and some behind it.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// The session's time at which it starts.
    pub(crate) start: Micros,
    pub(crate) end: Micros,
    runs: VecDeque<BufferedRun>,
    holes: VecDeque<Hole>,
}

/// Buffered media of one rung.
#[derive(Debug)]
struct BufferedRun {
    rung: usize,
    start: Micros,
    end: Micros,
    bytes: u64,
}

impl Lane {
    pub(crate) fn new(kind: TrackKind, track: usize, rungs: usize) -> Self {
        Self {
            kind,
            track,
            rung: 0,
            forced: None,
            with_gap: 0,
            last: None,
            lists: vec![None; rungs],
            sources: vec![0; rungs],
            failed_sources: vec![0; rungs],
            penalized: 0,
            next: None,
            buffer: Buffer::default(),
            list_fetch: None,
            side_fetch: None,
            media_fetch: None,
            waiting: None,
            init: None,
            media_failures: Failures::default(),
            list_failures: Failures::default(),
            index_parts: Vec::new(),
            duration: 0,
            base: 0,
            is_complete: false,
            needs_whole: false,
            available_at: None,
        }
    }

    /// Returns the playlist of the rung that is loaded next.
    pub(crate) fn list(&self) -> Option<&PlacedList> {
        self.lists.get(self.rung)?.as_ref()
    }

    /// Returns `true` if no segment is on its way and another is missing.
    pub(crate) fn is_idle(&self) -> bool {
        self.media_fetch.is_none() && self.waiting.is_none() && !self.is_complete
    }

    /// Returns a bit for each of the first 64 rungs whose playlist is known.
    pub(crate) fn listed(&self) -> u64 {
        let known = self.lists.iter().take(64).enumerate().filter(|(_, list)| list.is_some());
        known.fold(0, |bits, (index, _)| bits | bit(index))
    }

    /// Returns the media ahead of a time.
    pub(crate) fn ahead(&self, time: Micros) -> Micros {
        (self.buffer.end - time.max(self.buffer.start)).max(0)
    }

    /// Has the playlist of a rung fetched again, from another URL. One that is live keeps its place until then.
    pub(crate) fn forget_list(&mut self, rung: usize, now: Micros) {
        match self.lists[rung].as_mut().filter(|placed| !placed.list.schedule().ended) {
            Some(placed) => {
                placed.reload_at = Some(now);
                // The segments that it lists now are at the old URL.
                self.media_failures.block();
            }
            None => self.lists[rung] = None,
        }
        if self.rung == rung {
            self.next = None;
        }
    }

    /// Appends what came.
    pub(crate) fn append(&mut self, arrival: Arrival, qoe: &mut Qoe) {
        if self.last.is_some_and(|last| last != arrival.rung) && self.kind == TrackKind::Video {
            qoe.switches += 1;
        }
        self.last = Some(arrival.rung);
        self.with_gap = 0;
        self.forced = self.forced.filter(|forced| *forced != arrival.rung);
        self.buffer.append(arrival);
    }

    /// Forgets the buffer, which was played up to a time, and the place; it goes on at another time.
    pub(crate) fn restart(&mut self, played: Micros, time: Micros, qoe: &mut Qoe) {
        qoe.wasted += self.buffer.unplayed(played);
        qoe.wasted += self.waiting.take().map_or(0, |arrival| arrival.bytes);
        self.buffer = Buffer { start: time, end: time, runs: VecDeque::new(), holes: VecDeque::new() };
        (self.next, self.is_complete, self.available_at) = (None, false, None);
    }
}

/// Returns the bit of a rung, or of a source; 0 behind the first 64.
pub(crate) fn bit(index: usize) -> u64 {
    if index < 64 { 1 << index } else { 0 }
}

impl PlacedList {
    /// Returns the session's time at which a segment starts.
    pub(crate) fn start_of(&self, segment: &Segment) -> Micros {
        self.offset.saturating_add(segment.start)
    }

    /// Returns the number of the segment that follows media which ends at a time of the session.
    pub(crate) fn number_after(&self, time: Micros, tolerance: Micros) -> Option<u64> {
        let time = time.saturating_sub(self.offset);
        let number = self.list.number_at(time)?;
        let segment = self.list.segment(number)?;
        let rest = segment.start.saturating_add(segment.duration).saturating_sub(time);
        // Segments of two rungs rarely begin at the same microsecond.
        let is_over = rest <= tolerance.min(segment.duration / 2) && segment.start < time;
        Some(if is_over { number + 1 } else { number })
    }
}

impl Buffer {
    pub(crate) fn append(&mut self, arrival: Arrival) {
        if arrival.start > self.end + LEAST_HOLE && self.end > self.start {
            self.holes.push_back(Hole { start: self.end, end: arrival.start });
        }
        let Arrival { rung, end, bytes, .. } = arrival;
        let start = self.end;
        let end = end.max(start);
        self.end = end;
        match self.runs.back_mut().filter(|run| run.rung == rung) {
            Some(run) => (run.end, run.bytes) = (end, run.bytes + bytes),
            None => self.runs.push_back(BufferedRun { rung, start, end, bytes }),
        }
    }

    /// Adds what was played to the sums, and forgets runs behind it.
    pub(crate) fn play(&mut self, played: Movement, rungs: &[Rung], qoe: &mut Qoe) {
        for run in &self.runs {
            let duration = played.to.min(run.end) - played.from.max(run.start);
            if duration > 0
                && let Some(rung) = rungs.get(run.rung)
            {
                qoe.play(duration, rung.average.unwrap_or(rung.bandwidth), rung.height);
            }
        }
        while self.holes.front().is_some_and(|hole| hole.end <= played.to) {
            self.holes.pop_front();
        }
        while self.runs.len() > 1 && self.runs.front().is_some_and(|run| run.end <= played.to) {
            self.runs.pop_front();
        }
    }

    /// Returns the first hole that ends after a time.
    pub(crate) fn hole(&self, time: Micros) -> Option<Hole> {
        self.holes.iter().find(|hole| hole.end > time).copied()
    }

    /// Returns the bytes behind a time.
    pub(crate) fn unplayed(&self, time: Micros) -> u64 {
        let bytes = self.runs.iter().map(|run| {
            let (rest, whole) = (run.end - time.clamp(run.start, run.end), (run.end - run.start).max(1));
            u128::from(run.bytes) * u128::from(rest.unsigned_abs()) / u128::from(whole.unsigned_abs())
        });
        bytes.sum::<u128>().try_into().unwrap_or(u64::MAX)
    }
}
