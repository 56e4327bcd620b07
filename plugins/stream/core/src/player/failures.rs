//! The count of failures of one kind of request, and the time until which the next attempt waits.

use crate::micros::Micros;

/// Failures since the last success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failures {
    errors: u32,
    timeouts: u32,
    /// Nothing is attempted before this instant.
    pub(crate) until: Micros,
}

impl Default for Failures {
    fn default() -> Self {
        Self { errors: 0, timeouts: 0, until: Micros::MIN }
    }
}

impl Failures {
    /// Counts a failure, and returns the number of those of its kind before it.
    pub(crate) fn count(&mut self, is_timeout: bool) -> u32 {
        let count = if is_timeout { &mut self.timeouts } else { &mut self.errors };
        *count += 1;
        *count - 1
    }

    /// Forgets the failures: an attempt has succeeded, or another way is tried.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Waits for another event, and for no instant.
    pub(crate) fn block(&mut self) {
        self.until = Micros::MAX;
    }
}
