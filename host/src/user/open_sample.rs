//! The verdict on a task's exchanges. The host knows of failures on the wire; the guest judges replies, and may do so
//! late: after a sleep, or by never finishing. So the sample of the exchange announced last stays open until another
//! exchange of the task is announced or the task ends, and is recorded then. Its times were taken before.
//!
//! Nothing here touches a recorder or a session: the functions decide, and their callers record.

use std::cell::{Cell, RefCell};

use crate::metrics::sample::{FailureKind, RowId, Sample};

/// The sample that a guest may still judge, and the state of its task.
#[derive(Default)]
pub struct OpenSample {
    /// Sample of the exchange announced last.
    sample: RefCell<Option<Sample>>,
    /// True when the guest abandoned that exchange.
    is_abandoned: Cell<bool>,
    /// First failure of the task.
    failure: Cell<Option<FailureKind>>,
    /// Status of the exchange announced last; 0 without a reply.
    status: Cell<u16>,
    /// Samples recorded for the task so far.
    recorded: Cell<u32>,
}

impl OpenSample {
    /// Forgets the previous task.
    pub fn begin(&self) {
        self.sample.take();
        self.is_abandoned.set(false);
        self.failure.set(None);
        self.status.set(0);
        self.recorded.set(0);
    }

    /// Returns the row of the open sample.
    pub fn row(&self) -> Option<RowId> {
        self.sample.borrow().map(|sample| sample.row)
    }

    /// Makes `sample` the open one. Returns the sample that was open before, which is to be recorded.
    pub fn open(&self, sample: Sample) -> Option<Sample> {
        let closed = self.close();
        *self.sample.borrow_mut() = Some(sample);
        closed
    }

    /// Makes `sample`, of an exchange that the guest abandoned, the open one. The guest may still give the reason;
    /// otherwise the sample counts as cancelled. Returns the sample that was open before, which is to be recorded.
    pub fn open_abandoned(&self, sample: Sample) -> Option<Sample> {
        let closed = self.open(sample);
        self.is_abandoned.set(true);
        closed
    }

    /// Takes the open sample, which is to be recorded. An abandoned one without a failure comes back as cancelled.
    pub fn close(&self) -> Option<Sample> {
        let is_abandoned = self.is_abandoned.take();
        let mut sample = self.sample.take()?;
        if is_abandoned && sample.failure.is_none() {
            sample.failure = Some(FailureKind::Cancelled);
        }
        Some(sample)
    }

    /// Marks the open sample as failed, or the task when no sample is open. Returns `true` if there was no failure
    /// before: an example of it is due.
    pub fn fail(&self, kind: FailureKind) -> bool {
        let earlier = match &mut *self.sample.borrow_mut() {
            Some(sample) => {
                let earlier = sample.failure;
                sample.failure = earlier.or(Some(kind));
                earlier
            }
            None => self.failure.get(),
        };
        if earlier.is_none() {
            self.note_failure(kind);
        }
        earlier.is_none()
    }

    /// Marks the task as failed, and no sample: an exchange carries its failure on the wire already, and a failure of a
    /// socket is not one of the task's exchanges. Returns `true` if the task had no failure before.
    pub fn note_failure(&self, kind: FailureKind) -> bool {
        let earlier = self.failure.get();
        self.failure.set(earlier.or(Some(kind)));
        earlier.is_none()
    }

    /// Sets the status of the exchange announced last.
    pub fn set_status(&self, status: u16) {
        self.status.set(status);
    }

    /// Returns the status of the exchange announced last; 0 without a reply.
    pub fn status(&self) -> u16 {
        self.status.get()
    }

    /// Returns `true` if a sample is open whose reply the guest judges. An exchange that the guest abandons because of
    /// that reply is recorded as cancelled.
    pub fn is_judged_by_guest(&self) -> bool {
        self.sample.borrow().is_some() && !self.is_abandoned.get()
    }

    /// Counts one recorded sample of the task.
    pub fn count_recorded(&self) {
        self.recorded.set(self.recorded.get() + 1);
    }

    /// Returns the kind of the task's failure; `None` if the outcome is not one.
    pub fn verdict(&self, outcome: &TaskOutcome) -> Option<FailureKind> {
        match outcome {
            TaskOutcome::Passed | TaskOutcome::Cancelled => None,
            TaskOutcome::Failed => Some(self.failure.get().unwrap_or(FailureKind::Plugin)),
            TaskOutcome::TimedOut => Some(FailureKind::Timeout),
            TaskOutcome::Unfinished => Some(FailureKind::Unfinished),
            TaskOutcome::Lost(_) => Some(FailureKind::Plugin),
        }
    }

    /// Decides which records are still due when the task ends: with `cut_off` exchanges cut off by its end, and
    /// `used_sockets` if it did anything on a socket.
    ///
    /// A failure falls to the exchanges that were cut off. Without any, it falls to the open sample or, if none is open
    /// either, to the task. A guest that fails its task without a reason is at fault itself, unless the host knows of a
    /// failure. The task has a sample of its own for what it did on its sockets, or if it failed without an exchange.
    pub fn conclude(&self, outcome: &TaskOutcome, cut_off: usize, used_sockets: bool) -> Conclusion {
        let (known, verdict) = (self.failure.get(), self.verdict(outcome));
        let is_explained = matches!(outcome, TaskOutcome::Failed) && known.is_some();
        let sent_nothing = self.recorded.get() == 0 && cut_off == 0 && self.sample.borrow().is_none();
        let task_sample = (used_sockets || (sent_nothing && verdict.is_some())).then(|| TaskSample {
            failure: match outcome {
                TaskOutcome::Passed => None,
                TaskOutcome::Cancelled => Some(FailureKind::Cancelled),
                _ => known.or(verdict),
            },
        });
        Conclusion {
            cut_off: (cut_off > 0).then_some(verdict.unwrap_or(FailureKind::Cancelled)),
            blame: verdict.filter(|_| cut_off == 0 && !is_explained),
            task_sample,
        }
    }
}

/// The end of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskOutcome {
    /// The guest passed it.
    Passed,
    /// The guest failed it, or the host did after the guest had passed it.
    Failed,
    /// It was not done within the step's timeout.
    TimedOut,
    /// The graceful stop was over while the task waited for the target.
    Unfinished,
    /// A person ended the run first, or the run or the user's time ended while the task did not wait for the target.
    Cancelled,
    /// Its instance was lost; the text says why.
    Lost(String),
}

impl TaskOutcome {
    /// Returns this outcome if it says more than that the task could not go on, and otherwise `other`.
    pub fn or(self, other: Self) -> Self {
        if matches!(self, Self::Cancelled) { other } else { self }
    }

    /// Returns `true` if the task failed, in whatever way.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut | Self::Unfinished | Self::Lost(_))
    }
}

/// Records that are still due at the end of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conclusion {
    /// Failure of each exchange that was cut off; `None` if there are none.
    pub cut_off: Option<FailureKind>,
    /// Failure of the open sample or, if none is open, of the task.
    pub blame: Option<FailureKind>,
    /// Sample of the task itself, recorded after the open one, if it has one.
    pub task_sample: Option<TaskSample>,
}

/// A sample of a task as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskSample {
    /// Failure of the task; `None` if it passed.
    pub failure: Option<FailureKind>,
}

#[cfg(test)]
mod tests {
    use super::super::operation;
    use super::TaskOutcome::{Cancelled, Failed, Lost, Passed, TimedOut, Unfinished};
    use super::*;
    use crate::net::Measurements;

    fn sample(status: u16, failure: Option<FailureKind>) -> Sample {
        operation::sample(0, &Measurements { status, ..Measurements::default() }, failure)
    }

    /// A task before its end: what was noted on it so far.
    #[derive(Clone, Copy, Default)]
    struct Before {
        recorded: u32,
        open: bool,
        failure: Option<FailureKind>,
        cut_off: usize,
        used_sockets: bool,
    }

    const NOTHING: Before = Before { recorded: 0, open: false, failure: None, cut_off: 0, used_sockets: false };
    const ONE_OPEN: Before = Before { open: true, ..NOTHING };
    const ONE_CUT_OFF: Before = Before { cut_off: 1, ..NOTHING };
    const SOCKETS: Before = Before { used_sockets: true, ..NOTHING };

    fn conclusion(before: Before, outcome: &TaskOutcome) -> Conclusion {
        let task = OpenSample::default();
        if before.open {
            task.open(sample(200, None));
        }
        if let Some(kind) = before.failure {
            task.fail(kind);
        }
        (0..before.recorded).for_each(|_| task.count_recorded());
        task.conclude(outcome, before.cut_off, before.used_sockets)
    }

    #[test]
    fn a_task_ends_with_one_verdict() {
        use FailureKind::{Cancelled as CancelledKind, Check, Network, Plugin, Timeout, Unfinished as UnfinishedKind};
        let lost = || Lost("trap".into());
        let with = |before: Before, failure| Before { failure: Some(failure), ..before };
        let task = |failure| Some(TaskSample { failure });
        for (case, before, outcome, cut_off, blame, task_sample) in [
            ("nothing sent, passed", NOTHING, Passed, None, None, None),
            ("nothing sent, cancelled", NOTHING, Cancelled, None, None, None),
            ("nothing sent, failed in silence", NOTHING, Failed, None, Some(Plugin), task(Some(Plugin))),
            ("nothing sent, failed with a reason", with(NOTHING, Check), Failed, None, None, task(Some(Check))),
            ("nothing sent, timed out", NOTHING, TimedOut, None, Some(Timeout), task(Some(Timeout))),
            ("a reason, then timed out", with(NOTHING, Check), TimedOut, None, Some(Timeout), task(Some(Check))),
            ("nothing sent, instance lost", NOTHING, lost(), None, Some(Plugin), task(Some(Plugin))),
            ("a reply, passed", ONE_OPEN, Passed, None, None, None),
            ("a reply, failed in silence", ONE_OPEN, Failed, None, Some(Plugin), None),
            ("a reply, failed with a reason", with(ONE_OPEN, Check), Failed, None, None, None),
            ("a reply, timed out later", ONE_OPEN, TimedOut, None, Some(Timeout), None),
            ("a reply, instance lost", ONE_OPEN, lost(), None, Some(Plugin), None),
            ("one under way, passed", ONE_CUT_OFF, Passed, Some(CancelledKind), None, None),
            ("one under way, cancelled", ONE_CUT_OFF, Cancelled, Some(CancelledKind), None, None),
            ("one under way, unfinished", ONE_CUT_OFF, Unfinished, Some(UnfinishedKind), None, None),
            ("a reply, unfinished later", ONE_OPEN, Unfinished, None, Some(UnfinishedKind), None),
            ("sockets, unfinished", SOCKETS, Unfinished, None, Some(UnfinishedKind), task(Some(UnfinishedKind))),
            ("one under way, failed in silence", ONE_CUT_OFF, Failed, Some(Plugin), None, None),
            ("one under way, failed with a reason", with(ONE_CUT_OFF, Check), Failed, Some(Check), None, None),
            ("one under way, timed out", with(ONE_CUT_OFF, Check), TimedOut, Some(Timeout), None, None),
            ("one under way, instance lost", ONE_CUT_OFF, lost(), Some(Plugin), None, None),
            ("recorded before, timed out", Before { recorded: 1, ..NOTHING }, TimedOut, None, Some(Timeout), None),
            ("sockets, passed", SOCKETS, Passed, None, None, task(None)),
            ("sockets, cancelled", SOCKETS, Cancelled, None, None, task(Some(CancelledKind))),
            ("sockets, failed by one", with(SOCKETS, Network), Failed, None, None, task(Some(Network))),
            ("sockets and a reply, passed", Before { open: true, ..SOCKETS }, Passed, None, None, task(None)),
            ("sockets, timed out", SOCKETS, TimedOut, None, Some(Timeout), task(Some(Timeout))),
        ] {
            let expected = Conclusion { cut_off, blame, task_sample };
            assert_eq!(conclusion(before, &outcome), expected, "{case}");
        }
    }

    #[test]
    fn the_first_failure_is_kept_and_the_only_example() {
        let task = OpenSample::default();
        assert!(task.fail(FailureKind::Check));
        assert!(!task.fail(FailureKind::Status));
        assert_eq!(task.failure.get(), Some(FailureKind::Check));
        // An exchange announced later is judged separately.
        assert!(task.open(sample(200, None)).is_none());
        assert!(task.fail(FailureKind::Status));
        assert!(!task.fail(FailureKind::Check));
        assert_eq!(task.close().unwrap().failure, Some(FailureKind::Status));
        assert_eq!(task.failure.get(), Some(FailureKind::Check));
        assert!(!task.note_failure(FailureKind::Network));
    }

    #[test]
    fn a_failure_on_the_wire_is_not_judged_again() {
        let task = OpenSample::default();
        task.open(sample(0, Some(FailureKind::Network)));
        assert!(task.note_failure(FailureKind::Network));
        assert!(!task.fail(FailureKind::Status));
        assert_eq!(task.close().unwrap().failure, Some(FailureKind::Network));
    }

    #[test]
    fn an_abandoned_exchange_is_cancelled_unless_the_guest_gives_a_reason() {
        for (case, reason, failure) in [
            ("without a reason", None, FailureKind::Cancelled),
            ("with a reason", Some(FailureKind::Check), FailureKind::Check),
        ] {
            let task = OpenSample::default();
            assert!(task.open_abandoned(sample(0, None)).is_none(), "{case}");
            assert!(!task.is_judged_by_guest(), "{case}");
            if let Some(kind) = reason {
                assert!(task.fail(kind), "{case}");
            }
            let closed = task.open(sample(200, None)).unwrap();
            assert_eq!(closed.failure, Some(failure), "{case}");
            assert!(task.is_judged_by_guest(), "{case}");
            assert_eq!(task.close().unwrap().failure, None, "{case}");
        }
    }

    #[test]
    fn a_new_task_knows_nothing_of_the_one_before() {
        let task = OpenSample::default();
        task.open_abandoned(sample(200, None));
        task.fail(FailureKind::Check);
        task.set_status(200);
        task.count_recorded();
        task.begin();
        assert!(task.close().is_none());
        assert_eq!((task.failure.get(), task.status()), (None, 0));
        let expected = Some(TaskSample { failure: Some(FailureKind::Timeout) });
        assert_eq!(task.conclude(&TimedOut, 0, false).task_sample, expected);
    }
}
