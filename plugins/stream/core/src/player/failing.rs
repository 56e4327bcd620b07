//! Failures: retries by the profile, then another rung, another source, the manifest once more, and then the end.

use super::Viewer;
use super::dash::REFRESH_LEAST;
use super::failures::Failures;
use super::flight::Flight;
use super::lane::bit;
use super::replies::Trouble;
use crate::command::{Command, What};
use crate::event::FetchFailure;
use crate::metric::{FatalError, Metric};
use crate::micros::Micros;
use crate::presentation::{Format, TrackKind};

impl Viewer {
    /// Takes a fetch that did not bring what it was for.
    pub(super) fn trouble(
        &mut self,
        flight: &Flight,
        trouble: Trouble,
        retry_after: Option<Micros>,
        out: &mut Vec<Command>,
    ) {
        if flight.what == What::Steering {
            return self.steering_failed(trouble, retry_after);
        }
        if flight.what == What::Clock {
            return self.try_clock(out);
        }
        if let Some(error) = self.hopeless(flight.what, trouble) {
            return self.fail(error, out);
        }
        let is_timeout = trouble == Trouble::Lost(FetchFailure::Timeout);
        let number = self.failures(flight).count(is_timeout);
        let policy = self.policy(flight.what);
        let is_client_error = matches!(trouble, Trouble::Status(400..=499));
        if is_client_error && self.is_at_edge(flight) {
            out.push(Command::Count(Metric::EdgeMisses, 1.0));
        }
        let is_retried = trouble != Trouble::Lost(FetchFailure::Refused)
            && number < if is_timeout { policy.timeouts } else { policy.errors }
            && (policy.client_errors || !is_client_error || self.is_at_edge(flight));
        if is_retried {
            let delay = if is_timeout { 0 } else { policy.delay(number) };
            let at = self.now.saturating_add(delay.max(retry_after.unwrap_or(0)));
            self.failures(flight).until = at;
            if flight.lane.is_none() {
                self.manifest.fetch_at = Some(at);
            }
            return self.reload_at(flight, at);
        }
        self.escalate(flight, out);
    }

    /// Returns the count of failures of a fetch's kind.
    fn failures(&mut self, flight: &Flight) -> &mut Failures {
        let lane = flight.lane.and_then(|index| self.lanes.get_mut(index));
        match (lane, flight.what) {
            (None, _) => &mut self.manifest.failures,
            (Some(lane), What::Playlist(_) | What::Reload(_) | What::Index(_)) => &mut lane.list_failures,
            (Some(lane), _) => &mut lane.media_failures,
        }
    }

    /// Plans to fetch a playlist again that could not be fetched.
    fn reload_at(&mut self, flight: &Flight, at: Micros) {
        let lane = flight.lane.and_then(|index| self.lanes.get_mut(index));
        if let (Some(lane), What::Playlist(_) | What::Reload(_)) = (lane, flight.what)
            && let Some(placed) = &mut lane.lists[flight.rung]
        {
            placed.reload_at = Some(at);
        }
    }

    /// Goes on without what could not be fetched: by another source of the rung, by another rung, or with the manifest
    /// once more. Fails if all that is used up.
    fn escalate(&mut self, flight: &Flight, out: &mut Vec<Command>) {
        let Some(presentation) = self.presentation.clone() else { return self.fail(FatalError::Manifest, out) };
        let Some(index) = flight.lane else {
            // A live manifest is asked for again in its own time; a stall will tell if that takes too long.
            self.failures(flight).reset();
            let update = presentation.live.as_ref().and_then(|live| live.update);
            self.manifest.fetch_at = update.map(|update| self.now.saturating_add(update.max(REFRESH_LEAST)));
            if update.is_none() {
                self.fail(FatalError::Manifest, out);
            }
            return;
        };
        let lane = &mut self.lanes[index];
        let rungs = &presentation.tracks[lane.track].rungs;
        lane.media_failures.reset();
        lane.list_failures.reset();
        let number = flight.media.map(|media| media.number);
        let bases = number.and_then(|number| Some(lane.list()?.list.base_count(number))).unwrap_or(1);
        if lane.base + 1 < bases {
            lane.base += 1;
            return;
        }
        if let Some(other) = self.other_source(flight, rungs[flight.rung].backups.len()) {
            let lane = &mut self.lanes[index];
            lane.sources[flight.rung] = other;
            lane.forget_list(flight.rung, self.now);
            return;
        }
        let lane = &mut self.lanes[index];
        lane.penalized |= bit(flight.rung);
        let is_good = |rung: &usize| *rung < 64 && lane.penalized & bit(*rung) == 0;
        let below = (0..flight.rung).rev().find(is_good);
        let other = below.or_else(|| (flight.rung + 1..rungs.len()).find(is_good));
        if let Some(other) = other.filter(|_| lane.kind == TrackKind::Video) {
            lane.forced = Some(other);
            return self.switch(index, other);
        }
        // Text is not worth a session.
        if lane.kind == TrackKind::Subtitles {
            return self.remove_lane(index, out);
        }
        if !self.manifest.was_reloaded && presentation.format == Format::Hls {
            self.manifest.was_reloaded = true;
            self.manifest.fetch_at = Some(self.now);
            for lane in &mut self.lanes {
                lane.media_failures.block();
                lane.list_failures.block();
            }
            return;
        }
        let error = match flight.what {
            What::Key => FatalError::Key,
            What::Playlist(_) | What::Reload(_) => FatalError::Playlist,
            _ => FatalError::Segment,
        };
        self.fail(error, out);
    }
}
