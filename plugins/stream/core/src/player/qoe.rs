//! The quality of experience of one session: sums while it plays, metrics at its end.

use crate::command::Command;
use crate::metric::{Metric, Outcome};
use crate::micros::{MILLISECOND, Micros, to_seconds};

/// The sums of a session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Qoe {
    pub(crate) began: Micros,
    /// The instant of the first frame.
    pub(crate) first_frame: Option<Micros>,
    pub(crate) stalls: u32,
    pub(crate) stalled: Micros,
    pub(crate) played: Micros,
    /// Bits that were played, by the bandwidth of their rungs.
    pub(crate) bits: f64,
    /// The integral of the height over the played time, in pixels times seconds.
    pub(crate) height: f64,
    pub(crate) switches: u32,
    pub(crate) wasted: u64,
}

impl Qoe {
    /// Adds played media of one rung.
    pub(crate) fn play(&mut self, duration: Micros, bandwidth: u64, height: Option<u32>) {
        #[expect(clippy::cast_precision_loss, reason = "bandwidths are far below 2^53")]
        let bandwidth = bandwidth as f64;
        self.bits += to_seconds(duration) * bandwidth;
        self.height += to_seconds(duration) * f64::from(height.unwrap_or(0));
    }

    /// Adds a stall that has ended.
    pub(crate) fn stall(&mut self, duration: Micros, out: &mut Vec<Command>) {
        self.stalls += 1;
        self.stalled += duration;
        out.push(Command::Count(Metric::StallTime, millis(duration)));
    }

    /// Reports the session. `decode` is the time to the first frame that the profile declares.
    pub(crate) fn report(&self, now: Micros, outcome: Outcome, decode: Micros, out: &mut Vec<Command>) {
        let mut count = |metric, value| out.push(Command::Count(metric, value));
        let yes = |condition| if condition { 1.0 } else { 0.0 };
        let (started, failed) = (self.first_frame.is_some(), matches!(outcome, Outcome::Failed(_)));
        count(Metric::Sessions, 1.0);
        count(Metric::Started, yes(started));
        count(Metric::LeftEarly, yes(!started && !failed));
        count(Metric::FailedStart, yes(!started && failed));
        count(Metric::Failed, yes(failed));
        let startup = self.first_frame.map_or(now - self.began, |first| first - self.began + decode);
        count(Metric::Startup, millis(startup));
        count(Metric::Switches, f64::from(self.switches));
        #[expect(clippy::cast_precision_loss, reason = "2^53 bytes are more than a session takes")]
        count(Metric::Wasted, self.wasted as f64);
        if !started {
            return;
        }
        count(Metric::Stalled, yes(self.stalls > 0));
        count(Metric::Stalls, f64::from(self.stalls));
        let whole = to_seconds(self.stalled + self.played);
        if whole > 0.0 {
            count(Metric::StallRatio, to_seconds(self.stalled) / whole * 100.0);
        }
        let played = to_seconds(self.played);
        if played > 0.0 {
            count(Metric::Bitrate, self.bits / played / 1000.0);
            count(Metric::Height, self.height / played);
        }
    }
}

/// Converts a duration to milliseconds.
pub(crate) fn millis(duration: Micros) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "2^53 microseconds are 285 years")]
    let micros = duration as f64;
    micros / MILLISECOND as f64
}
