//! Failures: retries by the profile, then another rung, another source, the manifest once more, and then the end.

use super::Viewer;
use super::flight::Flight;
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
        if let Some(error) = Self::is_hopeless(flight.what, trouble) {
            return self.fail(error, out);
        }
        let is_timeout = trouble == Trouble::Lost(FetchFailure::Timeout);
        let number = self.count_failure(flight, is_timeout);
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
            match flight.lane {
                Some(index) => self.lanes[index].blocked_until = at,
                None => self.manifest.fetch_at = Some(at),
            }
            return;
        }
        self.escalate(flight, out);
    }

    /// Counts a failure, and returns the number of those before it.
    fn count_failure(&mut self, flight: &Flight, is_timeout: bool) -> u32 {
        let lane = flight.lane.map(|index| &mut self.lanes[index]);
        let count = match (lane, is_timeout) {
            (Some(lane), true) => &mut lane.timeouts,
            (Some(lane), false) => &mut lane.errors,
            (None, true) => &mut self.manifest.timeouts,
            (None, false) => &mut self.manifest.errors,
        };
        *count += 1;
        *count - 1
    }

    /// Goes on without what could not be fetched: by another source of the rung, by another rung, or with the manifest
    /// once more. Fails if all that is used up.
    fn escalate(&mut self, flight: &Flight, out: &mut Vec<Command>) {
        let Some(index) = flight.lane else { return self.fail(FatalError::Manifest, out) };
        let Some(presentation) = self.presentation.clone() else { return };
        let lane = &mut self.lanes[index];
        let rungs = &presentation.tracks[lane.track].rungs;
        (lane.errors, lane.timeouts) = (0, 0);
        let number = flight.media.map(|media| media.number);
        let bases = number.and_then(|number| Some(lane.list()?.list.base_count(number))).unwrap_or(1);
        if lane.base + 1 < bases {
            lane.base += 1;
            return;
        }
        if let Some(other) = self.other_source(flight, rungs[flight.rung].backups.len()) {
            let lane = &mut self.lanes[index];
            lane.sources[flight.rung] = other;
            (lane.lists[flight.rung], lane.next) = (None, None);
            return;
        }
        let lane = &mut self.lanes[index];
        lane.penalized |= 1_u64.checked_shl(u32::try_from(flight.rung).unwrap_or(64)).unwrap_or(0);
        let is_good = |rung: &usize| *rung < 64 && lane.penalized & (1 << rung) == 0;
        let below = (0..flight.rung).rev().find(is_good);
        let other = below.or_else(|| (flight.rung + 1..rungs.len()).find(is_good));
        if let Some(other) = other.filter(|_| lane.kind == TrackKind::Video) {
            lane.forced = Some(other);
            return self.switch(index, other);
        }
        // Text is not worth a session.
        if lane.kind == TrackKind::Subtitles {
            self.lanes.remove(index);
            return;
        }
        if !self.manifest.was_reloaded && presentation.format == Format::Hls {
            self.manifest.was_reloaded = true;
            self.manifest.fetch_at = Some(self.now);
            for lane in &mut self.lanes {
                lane.blocked_until = Micros::MAX;
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
