//! Whether an exchange was a failure. The host knows of failures on the wire; the guest judges replies, and may do so
//! late: after a sleep, or by never finishing. So the sample of a task's last exchange stays open until another exchange
//! of the task is announced or the task ends, and is recorded then. Its times were taken before.

use super::operation::{OperationId, sample};
use super::session::Session;
use crate::metrics::sample::{FailureKind, Sample};

impl Session {
    /// Opens the sample of an exchange that is about to be announced, and records the one before it.
    pub fn open_sample(&self, sample: Sample) {
        self.close_sample();
        self.task.open.set(Some(sample));
    }

    /// Opens the sample of an exchange that the guest has given up: it may say why, and else it is cancelled.
    fn open_abandoned(&self, sample: Sample) {
        self.open_sample(sample);
        self.task.is_abandoned.set(true);
    }

    /// Records the open sample, if there is one.
    pub fn close_sample(&self) {
        let given_up = self.task.is_abandoned.take();
        if let Some(mut sample) = self.task.open.take() {
            if given_up && sample.failure.is_none() {
                self.record_example(FailureKind::Cancelled, || "the plugin gave it up".into());
                sample.failure = Some(FailureKind::Cancelled);
            }
            self.record(&sample);
        }
    }

    /// Holds something against the current task: against its open sample, unless that is a failure already. The text is
    /// made only if it is the first example of its kind.
    pub fn note_failure(&self, kind: FailureKind, text: impl FnOnce() -> String) {
        let task = &self.task;
        let earlier = match task.open.get() {
            Some(mut sample) => {
                let earlier = sample.failure;
                sample.failure = earlier.or(Some(kind));
                task.open.set(Some(sample));
                earlier
            }
            None => task.failure.get(),
        };
        if earlier.is_some() {
            return;
        }
        task.failure.set(task.failure.get().or(Some(kind)));
        self.record_example(kind, text);
    }

    /// Shows what a failure of this kind looks like, if it is the first.
    pub fn record_example(&self, kind: FailureKind, text: impl FnOnce() -> String) {
        self.shared.recorder.borrow_mut().record_example(self.task.row.get(), kind, || self.redact(&text()));
    }

    /// Gives up an operation of the current task. The sample of an exchange that was under way is open then, unless that of
    /// one that was announced is: a reply is what a guest judges, and what it gives up for that reply was not at fault.
    /// A streamed one whose head has come has a reply: giving it up is how a guest ends it, and no failure by itself.
    pub fn abandon(&self, operation: OperationId) {
        if self.task.channel(operation).is_some_and(|flow| flow.has_head()) {
            return self.finish_stream(operation);
        }
        let Some(given_up) = self.cut_off_operation(operation) else { return };
        if self.task.open.get().is_some() && !self.task.is_abandoned.get() {
            self.record_example(FailureKind::Cancelled, || "the plugin gave it up".into());
            self.record(&Sample { failure: Some(FailureKind::Cancelled), ..given_up });
        } else {
            self.open_abandoned(given_up);
        }
    }

    /// Ends a streamed exchange of the current task where it stands, and as it should: its sample is open then.
    pub fn finish_stream(&self, operation: OperationId) {
        if let Some(left) = self.cut_off_operation(operation) {
            self.open_sample(left);
        }
    }

    /// Drops an operation in flight; how far it has come if it was an exchange under way.
    fn cut_off_operation(&self, operation: OperationId) -> Option<Sample> {
        let mut measured = self.task.abandon(operation)?;
        measured.end = Some(self.shared.clock.now());
        Some(sample(self.task.row.get(), &measured, None))
    }

    /// Counts one exchange of the current task.
    pub fn record(&self, sample: &Sample) {
        self.task.exchanges.set(self.task.exchanges.get() + 1);
        self.shared.recorder.borrow_mut().record(sample);
    }
}
