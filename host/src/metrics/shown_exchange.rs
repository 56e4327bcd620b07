//! Exchanges that are kept to be shown: the first few that failed of each row and kind, or all of them if the run is a
//! trial. Their texts hold no secret. Memory is bounded by the number of exchanges and by the size of their texts.

use stampede_time::Nanos;

use super::sample::{FailureKind, RowId, Sample};

/// The most failed exchanges that are kept of each kind in each row.
pub(crate) const MAX_OF_KIND: usize = 3;

/// The most failed exchanges that a worker keeps in all.
const MAX_OF_WORKER: usize = 300;

/// The most bytes that are kept of a head, and of a content.
pub(crate) const MAX_TEXT_BYTES: usize = 4096;

/// One exchange as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownExchange {
    /// Its sample, with the kind of the failure.
    pub sample: Sample,
    /// The number of the user.
    pub user: u32,
    /// The failure in one line; empty if there was none.
    pub reason: String,
    /// The request; `None` if it could not be built, or was not HTTP.
    pub request: Option<ShownMessage>,
    /// The reply; `None` if there was none, or it was not received whole.
    pub reply: Option<ShownMessage>,
    /// Captures and checks, a line each. Only a trial has them.
    pub notes: Vec<String>,
}

impl ShownExchange {
    /// Returns the time at which it started.
    pub const fn start(&self) -> Nanos {
        self.sample.start
    }
}

/// A request or a reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShownMessage {
    /// The first line and the header fields, a line each; cut to [`MAX_TEXT_BYTES`].
    pub head: String,
    /// The first [`MAX_TEXT_BYTES`] of the content; `None` if it is not text, or was not kept.
    pub body: Option<String>,
    /// The size of the whole content in bytes, before decoding.
    pub body_bytes: u64,
    /// True if the content goes on after `body`.
    pub is_cut: bool,
}

/// Decides which exchanges a worker keeps.
#[derive(Debug)]
pub(super) struct ExchangeKeeper {
    /// The number kept of each kind, by row.
    kept: Vec<[u8; FailureKind::ALL.len()]>,
    /// The number kept in all.
    total: usize,
    /// True if all are kept.
    keeps_all: bool,
}

impl ExchangeKeeper {
    /// Creates a keeper that has kept nothing.
    pub(super) fn new(rows: usize) -> Self {
        Self { kept: vec![[0; FailureKind::ALL.len()]; rows], total: 0, keeps_all: false }
    }

    /// Keeps all exchanges from now on.
    pub(super) fn keep_all(&mut self) {
        self.keeps_all = true;
    }

    /// Returns `true` if all exchanges are kept.
    pub(super) const fn keeps_all(&self) -> bool {
        self.keeps_all
    }

    /// Returns `true` if an exchange that ended that way is to be kept. One that was cancelled says nothing of the
    /// target.
    pub(super) fn wants(&self, row: RowId, failure: Option<FailureKind>) -> bool {
        match failure {
            _ if self.keeps_all => true,
            None | Some(FailureKind::Cancelled) => false,
            Some(kind) => {
                let kept = self.kept[usize::from(row)][kind as usize];
                usize::from(kept) < MAX_OF_KIND && self.total < MAX_OF_WORKER
            }
        }
    }

    /// Counts an exchange that is kept.
    pub(super) fn count(&mut self, row: RowId, failure: Option<FailureKind>) {
        self.total += 1;
        if let Some(kind) = failure {
            let kept = &mut self.kept[usize::from(row)][kind as usize];
            *kept = kept.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_few_of_each_kind_and_row_are_wanted() {
        let mut keeper = ExchangeKeeper::new(2);
        assert!(!keeper.wants(0, None) && !keeper.wants(0, Some(FailureKind::Cancelled)));
        for _ in 0..MAX_OF_KIND {
            assert!(keeper.wants(0, Some(FailureKind::Status)));
            keeper.count(0, Some(FailureKind::Status));
        }
        assert!(!keeper.wants(0, Some(FailureKind::Status)));
        assert!(keeper.wants(0, Some(FailureKind::Timeout)) && keeper.wants(1, Some(FailureKind::Status)));
        keeper.keep_all();
        assert!(keeper.wants(0, Some(FailureKind::Status)) && keeper.wants(1, None));
    }

    #[test]
    fn a_worker_keeps_no_more_than_its_share() {
        let mut keeper = ExchangeKeeper::new(500);
        for row in 0..MAX_OF_WORKER as RowId {
            assert!(keeper.wants(row, Some(FailureKind::Network)));
            keeper.count(row, Some(FailureKind::Network));
        }
        assert!(!keeper.wants(400, Some(FailureKind::Network)));
    }
}
