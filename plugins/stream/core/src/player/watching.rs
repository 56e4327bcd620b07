//! The habits of the person who watches: how long, with how much patience, and the seeks, pauses and zaps in between.

use super::playback::PlayState;
use super::random::Random;
use super::settings::{Recurring, Settings};
use super::{Viewer, millis};
use crate::command::Command;
use crate::metric::{FatalError, Metric, Outcome};
use crate::micros::{MILLISECOND, Micros};

/// The least media with which playback begins or goes on.
const DECODABLE: Micros = 200 * MILLISECOND;

/// The instants of what a viewer will do; `Micros::MAX` for never.
#[derive(Debug)]
pub(super) struct Habits {
    /// The time to watch, then the instant of the end.
    watch: Micros,
    patience: Micros,
    zap: Micros,
    seek: Micros,
    pause: Micros,
    /// The instant at which a pause ends.
    unpause: Micros,
}

impl Habits {
    /// Returns habits whose instants count from the start of the session.
    pub(super) fn new(settings: &Settings, watch: Micros, random: &mut Random) -> Self {
        let zap = settings.zap.map_or(Micros::MAX, |zap| random.draw(zap));
        let patience = settings.patience.unwrap_or(Micros::MAX);
        Self { watch, patience, zap, seek: Micros::MAX, pause: Micros::MAX, unpause: Micros::MAX }
    }

    /// Makes instants of the times that count from the start.
    pub(super) fn begin(&mut self, now: Micros) {
        for time in [&mut self.watch, &mut self.patience, &mut self.zap] {
            *time = time.saturating_add(now);
        }
    }

    /// Returns the next instant.
    pub(super) fn due(&self) -> Micros {
        [self.watch, self.patience, self.zap, self.seek, self.pause, self.unpause]
            .into_iter()
            .min()
            .unwrap_or(Micros::MAX)
    }
}

impl Viewer {
    /// Does what is due.
    pub(super) fn watch(&mut self, out: &mut Vec<Command>) {
        if self.is_finished {
            return;
        }
        let now = self.now;
        let has_started = self.qoe.first_frame.is_some();
        if self.gives_up_at().is_some_and(|at| now >= at) {
            return self.fail(FatalError::Stall, out);
        }
        if now >= self.habits.watch {
            return self.finish(if has_started { Outcome::Watched } else { Outcome::LeftEarly }, out);
        }
        if now >= self.habits.patience && !has_started {
            return self.finish(Outcome::LeftEarly, out);
        }
        if now >= self.habits.zap {
            return self.finish(Outcome::Zapped, out);
        }
        if now >= self.habits.unpause {
            self.habits.unpause = Micros::MAX;
            self.habits.pause = self.again(self.settings.pause);
            self.playback.play(now);
        }
        if now >= self.habits.pause && self.playback.is_playing() {
            let by = self.settings.pause.map_or(0, |pause| self.random.draw(pause.by));
            self.habits.pause = Micros::MAX;
            self.habits.unpause = now.saturating_add(by);
            self.playback.state = PlayState::Paused;
        }
        if now >= self.habits.seek && self.playback.is_playing() {
            let by = self.settings.seek.map_or(0, |seek| self.random.draw(seek.by));
            self.habits.seek = self.again(self.settings.seek);
            self.seek(self.playback.time().saturating_add(by), out);
        }
    }

    /// Returns the instant at which the viewer gives a stall, or the wait for a seek, up.
    pub(super) fn gives_up_at(&self) -> Option<Micros> {
        match self.playback.state {
            PlayState::Stalled(since) | PlayState::Seeking(since) => {
                self.settings.give_up_after_stall.map(|most| since.saturating_add(most))
            }
            _ => None,
        }
    }

    /// Sets the instants of what begins with the first frame.
    pub(super) fn first_frame(&mut self) {
        self.qoe.first_frame = Some(self.now);
        self.habits.patience = Micros::MAX;
        self.habits.seek = self.again(self.settings.seek);
        self.habits.pause = self.again(self.settings.pause);
    }

    /// Moves the playhead to a time, or to the nearest that can be played.
    pub(super) fn seek(&mut self, time: Micros, out: &mut Vec<Command>) {
        let Some(range) = self.seekable() else { return };
        let time = time.clamp(range.start, range.end.max(range.start));
        let is_buffered = self.lanes.iter().all(|lane| (lane.buffer.start..lane.buffer.end).contains(&time));
        if !is_buffered {
            self.restart_lanes(time, out);
            self.playback.state = PlayState::Seeking(self.now);
        }
        self.playback.jump(self.now, time);
    }

    /// Ends a stall, or the wait for a seek, or begins the session, as soon as there is enough media.
    pub(super) fn start_if_ready(&mut self, out: &mut Vec<Command>) {
        if self.is_finished || self.position.is_none() || !self.has_enough() {
            return;
        }
        self.is_resyncing = false;
        match self.playback.state {
            PlayState::Starting => {
                self.first_frame();
                self.playback.play(self.now);
            }
            PlayState::Stalled(since) => {
                // A segment that comes at the very instant is in time.
                if self.now > since {
                    self.qoe.stall(self.now - since, out);
                    out.push(Command::Count(Metric::Late, 1.0));
                }
                self.playback.play(self.now);
            }
            PlayState::Seeking(_) => self.playback.play(self.now),
            PlayState::Playing | PlayState::Paused | PlayState::Ended => {}
        }
    }

    /// Returns `true` if every track has enough media ahead to begin, or to go on.
    fn has_enough(&self) -> bool {
        let goals = self.settings.profile.buffer;
        let least = if self.qoe.first_frame.is_some() { goals.resume } else { goals.start };
        let time = self.playback.time();
        // A decoder does not begin with less, which matters for media that comes in pieces.
        let least = least.max(DECODABLE);
        // A goal that the buffer cannot reach, since nothing more is fetched, is reached.
        self.lanes.iter().all(|lane| lane.is_complete || lane.ahead(time) >= least.min(self.goal(lane)).max(1))
            && self.lanes.iter().any(|lane| lane.ahead(time) > 0)
    }

    fn again(&mut self, recurring: Option<Recurring>) -> Micros {
        recurring.map_or(Micros::MAX, |it| self.now.saturating_add(self.random.draw(it.every)))
    }

    /// Reports the distance of the playhead to the live edge.
    pub(super) fn count_latency(&self, out: &mut Vec<Command>) {
        if self.playback.is_playing()
            && let Some(latency) = self.latency()
        {
            out.push(Command::Count(Metric::Latency, millis(latency)));
        }
    }
}
