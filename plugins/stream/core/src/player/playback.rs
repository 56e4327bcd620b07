//! The playhead. It is computed when something happens and never ticked: between two events it moves at one speed, and
//! the instant at which the buffer runs empty is arithmetic.

use crate::micros::Micros;

/// The states of playback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlayState {
    /// No frame has been shown.
    Starting,
    Playing,
    /// The buffer ran empty at this instant.
    Stalled(Micros),
    /// A seek left the buffer at this instant; what follows is no stall of the stream.
    Seeking(Micros),
    Paused,
    /// The end has been shown.
    Ended,
}

/// The playhead.
#[derive(Debug, Clone)]
pub(crate) struct Playback {
    pub(crate) state: PlayState,
    /// The media time at [`Self::at`].
    time: Micros,
    /// The instant at which the playhead was moved last.
    at: Micros,
    /// Thousandths of media time that pass in real time while it plays.
    speed: Micros,
}

/// The speed of a playhead that neither hurries nor waits.
pub(crate) const NORMAL_SPEED: Micros = 1000;

/// A movement of the playhead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Movement {
    pub(crate) from: Micros,
    pub(crate) to: Micros,
}

impl Playback {
    pub(crate) fn new() -> Self {
        Self { state: PlayState::Starting, time: 0, at: 0, speed: NORMAL_SPEED }
    }

    /// Returns the media time, as of the last movement.
    pub(crate) fn time(&self) -> Micros {
        self.time
    }

    pub(crate) fn is_playing(&self) -> bool {
        self.state == PlayState::Playing
    }

    /// Moves the playhead on to an instant, but not beyond the end of the buffer. Returns what was played, and stalls
    /// at the instant at which the buffer ran empty, or ends if `is_complete`.
    pub(crate) fn advance(&mut self, now: Micros, buffered: Micros, is_complete: bool) -> Movement {
        let from = self.time;
        if self.state == PlayState::Playing {
            let moved = self.time + (now - self.at).max(0) * self.speed / NORMAL_SPEED;
            let ran_empty = self.reaches(buffered).unwrap_or(now).min(now);
            self.time = moved.min(buffered.max(self.time));
            if moved >= buffered {
                self.state = if is_complete { PlayState::Ended } else { PlayState::Stalled(ran_empty) };
            }
        }
        self.at = now;
        Movement { from, to: self.time }
    }

    /// Returns the instant at which the playhead reaches a media time; `None` if it does not move.
    pub(crate) fn reaches(&self, time: Micros) -> Option<Micros> {
        let ahead = (time - self.time).max(0).saturating_mul(NORMAL_SPEED);
        self.is_playing().then(|| self.at.saturating_add((ahead + self.speed - 1) / self.speed))
    }

    /// Returns the speed, in thousandths.
    pub(crate) fn speed(&self) -> Micros {
        self.speed
    }

    /// Sets the speed, in thousandths, from the last movement on.
    pub(crate) fn set_speed(&mut self, speed: Micros) {
        self.speed = speed.max(1);
    }

    /// Begins or goes on to play.
    pub(crate) fn play(&mut self, now: Micros) {
        (self.state, self.at) = (PlayState::Playing, now);
    }

    /// Goes on behind a hole at whose start the playhead has stalled, from the very instant at which it did.
    pub(crate) fn skip(&mut self, end: Micros) {
        if let PlayState::Stalled(since) = self.state {
            (self.state, self.time, self.at) = (PlayState::Playing, end, since);
        }
    }

    /// Puts the playhead somewhere else.
    pub(crate) fn jump(&mut self, now: Micros, time: Micros) {
        (self.time, self.at) = (time, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_begins_when_the_buffer_is_empty_however_late_it_is_noticed() {
        let mut playback = Playback::new();
        assert_eq!(playback.advance(100, 50, false), Movement { from: 0, to: 0 });
        playback.play(100);
        assert_eq!(playback.reaches(50), Some(150));
        assert_eq!(playback.advance(120, 50, false), Movement { from: 0, to: 20 });
        assert_eq!(playback.advance(170, 50, false), Movement { from: 20, to: 50 });
        assert_eq!(playback.state, PlayState::Stalled(150));
        assert_eq!(playback.reaches(60), None);
        playback.play(180);
        playback.advance(200, 60, true);
        assert_eq!((playback.state, playback.time()), (PlayState::Ended, 60));
    }

    #[test]
    fn a_faster_playhead_reaches_its_end_sooner() {
        let mut playback = Playback::new();
        playback.play(0);
        playback.set_speed(1500);
        assert_eq!(playback.reaches(100), Some(67));
        assert_eq!(playback.advance(40, 100, false), Movement { from: 0, to: 60 });
        playback.advance(80, 100, false);
        assert_eq!((playback.state, playback.time()), (PlayState::Stalled(67), 100));
    }
}
