//! The phase of a run, which every worker and user follows.
//!
//! ```text
//!   Running ──(duration over, all iterations done, Ctrl-C, SIGTERM)──▶ Draining
//!   Draining ──(graceful stop over)──▶ Stopped
//!   Draining, Stopped ──(a person ended the run, and the graceful stop is over or they insist)──▶ Interrupted
//! ```
//!
//! The main thread alone moves it forward; it never moves back.

use std::sync::atomic::{AtomicU8, Ordering};

/// The phase of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum RunPhase {
    /// Users start requests.
    Running,
    /// Nothing new starts; operations in flight may finish.
    Draining,
    /// Operations still in flight are cut off: the target did not answer in time, so they are unfinished.
    Stopped,
    /// Operations still in flight are cut off: a person ended the run, so the target is not to blame.
    Interrupted,
}

/// The phase as the main thread sets it and the workers read it.
#[derive(Debug, Default)]
pub struct SharedPhase(AtomicU8);

impl SharedPhase {
    /// Returns the current phase.
    pub fn get(&self) -> RunPhase {
        match self.0.load(Ordering::Acquire) {
            0 => RunPhase::Running,
            1 => RunPhase::Draining,
            2 => RunPhase::Stopped,
            _ => RunPhase::Interrupted,
        }
    }

    /// Moves forward to a phase. A phase before the current one is ignored.
    pub fn advance(&self, to: RunPhase) {
        self.0.fetch_max(to as u8, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_never_goes_back() {
        let phase = SharedPhase::default();
        assert_eq!(phase.get(), RunPhase::Running);
        phase.advance(RunPhase::Stopped);
        phase.advance(RunPhase::Draining);
        assert_eq!(phase.get(), RunPhase::Stopped);
        phase.advance(RunPhase::Interrupted);
        assert_eq!(phase.get(), RunPhase::Interrupted);
    }
}
