//! The state of a run on disk. Each coordinator writes a greater term before it does anything, and a write names the
//! revision that it replaces, so that a coordinator which was replaced learns of it.

use super::event::PutAnswer;
use crate::message::{MAX_ANSWER, RunStage, RunState, read_message, write_message};
use crate::names::NodeName;
use crate::node::Fetched;
use crate::time::{SECOND, Time};

/// The wait after an operation that failed.
const RETRY: Time = SECOND / 2;

/// The next operation on the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StateAction {
    /// Read it.
    Get,
    /// Write it.
    Put {
        /// The revision that is replaced.
        revision: Option<u64>,
        /// The value.
        value: Vec<u8>,
    },
}

/// The consequence of what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StateChange {
    /// None yet.
    Pending,
    /// Another coordinator has written it.
    Superseded,
    /// The run is over.
    Finished,
    /// It cannot be read.
    Unreadable,
}

/// The state of a run, as it should be and as it is on disk.
#[derive(Clone, Debug)]
pub(crate) struct StateKeeper {
    /// The state as it should be.
    pub(crate) state: RunState,
    /// The state that is being written.
    writing: Option<RunState>,
    /// The state that this coordinator wrote last.
    written: Option<RunState>,
    revision: Option<u64>,
    must_read: bool,
    is_busy: bool,
    next: Time,
}

impl StateKeeper {
    pub(crate) fn new(owner: NodeName) -> Self {
        let (present, steering) = (Vec::new(), Vec::new());
        let state = RunState { term: 0, coordinator: owner, stage: RunStage::Gathering, present, stop: None, steering };
        Self { state, writing: None, written: None, revision: None, must_read: true, is_busy: false, next: 0 }
    }

    /// Returns the operation to begin now. There is one at a time.
    pub(crate) fn action(&mut self, now: Time) -> Option<StateAction> {
        if self.is_busy || self.next > now || !self.must_read && self.is_written() {
            return None;
        }
        self.is_busy = true;
        if self.must_read {
            return Some(StateAction::Get);
        }
        self.writing = Some(self.state.clone());
        Some(StateAction::Put { revision: self.revision, value: write_message(&self.state) })
    }

    /// Takes what was read.
    pub(crate) fn got(&mut self, fetched: &Fetched, now: Time) -> StateChange {
        self.is_busy = false;
        match fetched {
            Fetched::Failed => self.next = now + RETRY,
            Fetched::Absent => {
                (self.must_read, self.revision) = (false, None);
                self.state.term = self.state.term.max(1);
            }
            Fetched::Found { revision, value } => {
                let Ok(found) = read_message::<RunState>(value, MAX_ANSWER) else { return StateChange::Unreadable };
                (self.must_read, self.revision) = (false, Some(*revision));
                if found.coordinator == self.state.coordinator {
                    // The answer to a write got lost.
                    self.written = Some(found);
                } else if self.has_term() {
                    return StateChange::Superseded;
                } else if found.stage == RunStage::Finished {
                    return StateChange::Finished;
                } else {
                    let coordinator = self.state.coordinator.clone();
                    self.state = RunState { term: found.term.saturating_add(1), coordinator, ..found };
                }
            }
        }
        StateChange::Pending
    }

    /// Takes the answer to a write.
    pub(crate) fn put(&mut self, answer: PutAnswer, now: Time) {
        self.is_busy = false;
        match answer {
            PutAnswer::Written { revision } => {
                self.revision = Some(revision);
                self.written = self.writing.take();
            }
            PutAnswer::Conflict => (self.must_read, self.next) = (true, now),
            PutAnswer::Failed => (self.must_read, self.next) = (true, now + RETRY),
        }
    }

    /// Reads the state again: another coordinator may have written it.
    pub(crate) fn check(&mut self) {
        self.must_read = true;
    }

    /// Returns `true` once this coordinator has written its term.
    pub(crate) const fn has_term(&self) -> bool {
        self.written.is_some()
    }

    /// Returns the state that this coordinator wrote last.
    pub(crate) const fn written(&self) -> Option<&RunState> {
        self.written.as_ref()
    }

    /// Returns `true` if the state on disk is as it should be.
    pub(crate) fn is_written(&self) -> bool {
        self.written.as_ref() == Some(&self.state)
    }

    /// Returns the instant of the next operation.
    pub(crate) fn next_due(&self) -> Option<Time> {
        (!self.is_busy && (self.must_read || !self.is_written())).then_some(self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keeper(name: &str) -> StateKeeper {
        StateKeeper::new(NodeName::new(name).unwrap())
    }

    /// Carries an operation out on a record. Returns `false` if there is none to carry out.
    fn carry_out(keeper: &mut StateKeeper, record: &mut Option<(u64, Vec<u8>)>, is_answered: bool) -> StateChange {
        match keeper.action(SECOND) {
            Some(StateAction::Get) => {
                let found = record.clone().map(|(revision, value)| Fetched::Found { revision, value });
                keeper.got(&found.unwrap_or(Fetched::Absent), SECOND)
            }
            Some(StateAction::Put { revision, value }) => {
                let answer = if record.as_ref().map(|it| it.0) == revision {
                    let next = revision.unwrap_or(0) + 1;
                    *record = Some((next, value));
                    PutAnswer::Written { revision: next }
                } else {
                    PutAnswer::Conflict
                };
                keeper.put(if is_answered { answer } else { PutAnswer::Failed }, 0);
                StateChange::Pending
            }
            None => StateChange::Pending,
        }
    }

    #[test]
    fn each_coordinator_has_a_greater_term() {
        let (mut first, mut second, mut record) = (keeper("a"), keeper("b"), None);
        for _ in 0..2 {
            carry_out(&mut first, &mut record, true);
        }
        assert!(first.has_term() && first.is_written() && first.action(SECOND).is_none());
        for _ in 0..2 {
            carry_out(&mut second, &mut record, true);
        }
        assert_eq!((first.state.term, second.state.term, second.has_term()), (1, 2, true));
        first.state.stage = RunStage::Started;
        assert_eq!(carry_out(&mut first, &mut record, true), StateChange::Pending);
        assert_eq!(carry_out(&mut first, &mut record, true), StateChange::Superseded, "its write was in conflict");
    }

    #[test]
    fn a_lost_answer_is_made_up_for_by_reading() {
        let (mut keeper, mut record) = (keeper("a"), None);
        carry_out(&mut keeper, &mut record, true);
        carry_out(&mut keeper, &mut record, false);
        assert!(!keeper.has_term());
        carry_out(&mut keeper, &mut record, true);
        assert!(keeper.is_written());
    }

    #[test]
    fn a_finished_run_is_not_begun_again() {
        let (mut first, mut second, mut record) = (keeper("a"), keeper("b"), None);
        first.state.stage = RunStage::Finished;
        for _ in 0..2 {
            carry_out(&mut first, &mut record, true);
        }
        assert_eq!(carry_out(&mut second, &mut record, true), StateChange::Finished);
        record = Some((9, b"x".to_vec()));
        assert_eq!(carry_out(&mut keeper("c"), &mut record, true), StateChange::Unreadable);
    }
}
