//! A lease: an entry of a bucket that vanishes unless it is renewed. It is created only where none is, and renewed by
//! naming the revision that it has, so that of two claimants one gets it.

use crate::message::{LeaseValue, MAX_MESSAGE, read_message};
use crate::names::NodeName;
use crate::plan::{LEASE_LAPSE, LEASE_RENEWAL};
use crate::time::{SECOND, Time};

/// The wait after an operation that failed.
const RETRY: Time = SECOND / 2;

/// The next operation on a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaseAction {
    /// Create it where there is none.
    Claim,
    /// Write it again if it has this revision.
    Renew {
        /// The revision.
        revision: u64,
    },
}

/// The answer to a claim or a renewal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseAnswer {
    /// It was written, and has this revision now.
    Held {
        /// The revision.
        revision: u64,
    },
    /// It was not written: there is one with another revision.
    Taken {
        /// The revision.
        revision: u64,
        /// The value.
        value: Vec<u8>,
    },
    /// It was not written: it has lapsed.
    Absent,
    /// It is not known if it was written.
    Failed,
}

/// The consequence of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaseChange {
    /// It is held.
    Held,
    /// Another process holds it.
    Lost,
    /// It is not known.
    Unknown,
}

/// One lease of a process, held or wished for.
#[derive(Clone, Debug)]
pub(crate) struct LeaseKeeper {
    owner: NodeName,
    revision: Option<u64>,
    /// The revision at the last claim.
    epoch: u64,
    /// The instant at which the operation was begun that wrote it last.
    renewed: Time,
    begun: Option<Time>,
    next: Time,
}

impl LeaseKeeper {
    /// Returns a lease that is not claimed yet.
    pub(crate) const fn new(owner: NodeName) -> Self {
        Self { owner, revision: None, epoch: 0, renewed: 0, begun: None, next: 0 }
    }

    /// Returns the operation to begin now. There is one at a time.
    pub(crate) fn action(&mut self, now: Time) -> Option<LeaseAction> {
        if self.begun.is_some() || self.next > now {
            return None;
        }
        self.begun = Some(now);
        Some(self.revision.map_or(LeaseAction::Claim, |revision| LeaseAction::Renew { revision }))
    }

    /// Takes the answer to the operation.
    pub(crate) fn answer(&mut self, answer: &LeaseAnswer, now: Time) -> LeaseChange {
        let begun = self.begun.take().unwrap_or(now);
        match answer {
            LeaseAnswer::Held { revision } => self.hold(*revision, begun),
            LeaseAnswer::Taken { revision, value } => {
                let value = read_message::<LeaseValue>(value, MAX_MESSAGE);
                if value.is_ok_and(|value| value.holder == self.owner) {
                    // An answer got lost, and with it when that lease was written.
                    let change = self.hold(*revision, self.renewed);
                    self.next = now;
                    return change;
                }
                (self.revision, self.next) = (None, now + RETRY);
                LeaseChange::Lost
            }
            LeaseAnswer::Absent => {
                (self.revision, self.next) = (None, now);
                LeaseChange::Unknown
            }
            LeaseAnswer::Failed => {
                self.next = now + RETRY;
                LeaseChange::Unknown
            }
        }
    }

    fn hold(&mut self, revision: u64, begun: Time) -> LeaseChange {
        if self.revision.is_none() {
            self.epoch = revision;
        }
        (self.revision, self.renewed, self.next) = (Some(revision), begun, begun + LEASE_RENEWAL);
        LeaseChange::Held
    }

    /// Begins anew after a wait, perhaps for another lease.
    pub(crate) fn restart(&mut self, at: Time) {
        (self.revision, self.begun, self.next) = (None, None, at);
    }

    /// Writes it again as soon as possible.
    pub(crate) fn hurry(&mut self, now: Time) {
        self.next = self.next.min(now);
    }

    /// Returns `true` if it may have lapsed, so that another process may hold it.
    pub(crate) fn may_have_lapsed(&self, now: Time) -> bool {
        now >= self.lapse()
    }

    /// Returns the instant at which it lapses unless it is renewed.
    pub(crate) fn lapse(&self) -> Time {
        self.renewed.saturating_add(LEASE_LAPSE)
    }

    /// Returns the revision, if it is held.
    pub(crate) const fn revision(&self) -> Option<u64> {
        self.revision
    }

    /// Returns the epoch: the revision at the last claim.
    pub(crate) const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Returns the instant of the next operation.
    pub(crate) fn next_due(&self) -> Option<Time> {
        self.begun.is_none().then_some(self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::write_message;

    fn keeper() -> LeaseKeeper {
        LeaseKeeper::new(NodeName::new("a").unwrap())
    }

    fn taken(holder: &str, revision: u64) -> LeaseAnswer {
        let holder = NodeName::new(holder).unwrap();
        LeaseAnswer::Taken { revision, value: write_message(&LeaseValue { holder }) }
    }

    #[test]
    fn a_lease_is_claimed_and_renewed() {
        let mut keeper = keeper();
        assert_eq!((keeper.action(0), keeper.action(0)), (Some(LeaseAction::Claim), None), "one operation at a time");
        assert_eq!(keeper.answer(&LeaseAnswer::Held { revision: 7 }, SECOND), LeaseChange::Held);
        assert_eq!((keeper.epoch(), keeper.lapse()), (7, LEASE_LAPSE), "it counts from when the operation was begun");
        assert_eq!(keeper.action(LEASE_RENEWAL - 1), None);
        assert_eq!(keeper.action(LEASE_RENEWAL), Some(LeaseAction::Renew { revision: 7 }));
        assert_eq!(keeper.answer(&LeaseAnswer::Held { revision: 9 }, 2 * SECOND), LeaseChange::Held);
        assert_eq!((keeper.epoch(), keeper.revision()), (7, Some(9)));
    }

    #[test]
    fn a_lost_answer_does_not_lose_the_lease() {
        let mut keeper = keeper();
        keeper.action(0);
        assert_eq!(keeper.answer(&LeaseAnswer::Failed, 2 * SECOND), LeaseChange::Unknown);
        assert_eq!(keeper.action(3 * SECOND), Some(LeaseAction::Claim));
        assert_eq!(keeper.answer(&taken("a", 4), 3 * SECOND), LeaseChange::Held);
        assert_eq!((keeper.epoch(), keeper.action(3 * SECOND)), (4, Some(LeaseAction::Renew { revision: 4 })));
        assert!(keeper.may_have_lapsed(LEASE_LAPSE), "the old claim may be the one that was written");
    }

    #[test]
    fn a_lapsed_lease_is_claimed_again_and_another_process_may_be_first() {
        let mut keeper = keeper();
        keeper.action(0);
        keeper.answer(&LeaseAnswer::Held { revision: 1 }, 0);
        keeper.action(9 * SECOND);
        assert_eq!(keeper.answer(&LeaseAnswer::Absent, 9 * SECOND), LeaseChange::Unknown);
        assert_eq!(keeper.action(9 * SECOND), Some(LeaseAction::Claim));
        assert_eq!(keeper.answer(&taken("b", 3), 9 * SECOND), LeaseChange::Lost);
    }
}
