//! The records of a session: samples, and an example of each kind of failure.
//! [`OpenSample`](super::open_sample::OpenSample) makes the decisions.

use super::operation::{Completion, OperationId, sample};
use super::session::Session;
use crate::metrics::sample::{FailureKind, Sample};

impl Session {
    /// Opens the sample of an exchange that is about to be announced, and records the one before it.
    pub fn open_sample(&self, sample: Sample) {
        self.record_closed(self.task.sample.open(sample));
    }

    /// Records the open sample, if there is one.
    pub fn close_sample(&self) {
        self.record_closed(self.task.sample.close());
    }

    fn record_closed(&self, closed: Option<Sample>) {
        let Some(sample) = closed else { return };
        if sample.failure == Some(FailureKind::Cancelled) {
            self.record_abandonment();
        }
        self.record(&sample);
    }

    /// Marks the open sample as failed, or the task when no sample is open. The text is built only for the first
    /// example of its kind.
    pub fn note_failure(&self, kind: FailureKind, text: impl FnOnce() -> String) {
        if self.task.sample.fail(kind) {
            self.record_example(kind, text);
        }
    }

    /// Records an example of a kind of failure, if it is the first of its kind in the task's row.
    pub fn record_example(&self, kind: FailureKind, text: impl FnOnce() -> String) {
        self.shared.recorder.borrow_mut().record_example(self.task.row(), kind, || self.redact(&text()));
    }

    fn record_abandonment(&self) {
        self.record_example(FailureKind::Cancelled, || "the plugin gave it up".into());
    }

    /// Abandons an operation of the current task. The sample of an exchange under way becomes the open one, unless a
    /// reply is being judged: the guest judges that reply, and an exchange that it abandons because of it is recorded
    /// as cancelled. A streamed exchange whose head has arrived has a reply: a guest ends it by abandoning it, which is
    /// not a failure.
    pub fn abandon(&self, operation: OperationId) {
        if self.task.operations.channel(operation).is_some_and(|channel| channel.has_head()) {
            return self.finish_stream(operation);
        }
        let Some(abandoned) = self.cut_off_operation(operation) else { return };
        if self.task.sample.is_judged_by_guest() {
            self.record_abandonment();
            self.record(&Sample { failure: Some(FailureKind::Cancelled), ..abandoned });
        } else {
            self.record_closed(self.task.sample.open_abandoned(abandoned));
        }
    }

    /// Ends a streamed exchange of the current task where it stands, without a failure. Its sample becomes the open
    /// one.
    pub fn finish_stream(&self, operation: OperationId) {
        if let Some(finished) = self.cut_off_operation(operation) {
            self.open_sample(finished);
        }
    }

    /// Drops what is kept of an operation that has been announced. A socket that it has opened is closed.
    pub fn discard(&self, operation: OperationId) {
        let socket = self.task.operations.with_completion(operation, Completion::socket).flatten();
        self.task.operations.discard(operation, &self.task.allowance);
        socket.into_iter().for_each(|socket| self.sockets.close_unclaimed(socket));
    }

    /// Drops all operations at the end of a task. Sockets that the guest was not told of are closed: it could not close
    /// them itself, and a user may have a limited number of them.
    pub fn drop_operations(&self) {
        let unclaimed = self.task.operations.opened_sockets();
        unclaimed.into_iter().for_each(|socket| self.sockets.close_unclaimed(socket));
        self.task.operations.clear();
    }

    /// Drops an operation in flight. Returns how far it had come if it was an exchange under way.
    fn cut_off_operation(&self, operation: OperationId) -> Option<Sample> {
        let mut measured = self.task.operations.abandon(operation)?;
        measured.end = Some(self.shared.clock.now());
        Some(sample(self.task.row(), &measured, None))
    }

    /// Records the sample of one exchange of the current task, or of the task itself.
    pub fn record(&self, sample: &Sample) {
        self.task.sample.count_recorded();
        self.shared.recorder.borrow_mut().record(sample);
    }
}
