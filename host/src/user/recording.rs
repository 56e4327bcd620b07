//! The records of a session: samples, and an example of each kind of failure.
//! [`OpenSample`](super::open_sample::OpenSample) makes the decisions.

use super::operation::{CompletedExchange, Completion, OperationId, sample};
use super::operations::CutOffExchange;
use super::session::Session;
use crate::http::Request;
use crate::metrics::sample::{FailureKind, RowId, Sample};
use crate::net::{Failure, Measurements};

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
            self.record_abandonment(sample.row);
        }
        if sample.failure.is_some() || self.shows_all() {
            self.show_judged(&sample);
        }
        self.record(&sample);
    }

    /// Marks the open sample as failed, or the task when no sample is open. The text is built only for the first
    /// example of its kind.
    pub fn note_failure(&self, kind: FailureKind, text: impl FnOnce() -> String) {
        if self.task.sample.fail(kind) {
            self.record_example(self.task.sample.row().unwrap_or_else(|| self.task.row()), kind, text);
        }
    }

    /// Records an example of a kind of failure, if it is the first of its kind in the row. If the exchange that is
    /// judged is to be shown, this is its reason.
    pub fn record_example(&self, row: RowId, kind: FailureKind, text: impl FnOnce() -> String) {
        let mut recorder = self.shared.recorder.borrow_mut();
        let is_shown = self.task.judged.has_exchange() && recorder.wants_exchange(row, Some(kind));
        let is_traced = self.task.trace.is_kept() && recorder.has_room_for_trace();
        if !is_shown && !is_traced {
            return recorder.record_example(row, kind, || self.redact(&text()));
        }
        let text = self.redact(&text());
        if is_shown {
            self.task.judged.set_reason(&text);
        }
        if is_traced {
            self.task.trace.note_reason(kind, &text);
        }
        recorder.record_example(row, kind, || text);
    }

    /// Records an example of a kind of failure of an exchange that is not judged, if it is the first of its kind in the
    /// row.
    pub fn record_other_example(&self, row: RowId, kind: FailureKind, text: impl FnOnce() -> String) {
        let mut recorder = self.shared.recorder.borrow_mut();
        if self.task.trace.is_kept() && recorder.has_room_for_trace() {
            let text = self.redact(&text());
            self.task.trace.note_reason(kind, &text);
            recorder.record_example(row, kind, || text);
        } else {
            recorder.record_example(row, kind, || self.redact(&text()));
        }
    }

    fn record_abandonment(&self, row: RowId) {
        self.record_other_example(row, FailureKind::Cancelled, || "the plugin gave it up".into());
    }

    /// Abandons an operation of the current task. The sample of an exchange under way becomes the open one, unless a
    /// reply is being judged: the guest judges that reply, and an exchange that it abandons because of it is recorded
    /// as cancelled. A streamed exchange whose head has arrived has a reply: a guest ends it by abandoning it, which is
    /// not a failure.
    pub fn abandon(&self, operation: OperationId) {
        if self.task.operations.channel(operation).is_some_and(|channel| channel.has_head()) {
            return self.finish_stream(operation);
        }
        let Some(CutOffExchange { measured, request }) = self.cut_off_operation(operation) else { return };
        let abandoned = sample(self.task.row(), &measured, None);
        if self.task.sample.is_judged_by_guest() {
            self.record_abandonment(abandoned.row);
            self.record(&Sample { failure: Some(FailureKind::Cancelled), ..abandoned });
        } else {
            self.record_closed(self.task.sample.open_abandoned(abandoned));
            self.judge_abandoned(measured, request);
        }
    }

    /// Ends a streamed exchange of the current task where it stands, without a failure. Its sample becomes the open
    /// one.
    pub fn finish_stream(&self, operation: OperationId) {
        if let Some(CutOffExchange { measured, request }) = self.cut_off_operation(operation) {
            self.open_sample(sample(self.task.row(), &measured, None));
            self.judge_abandoned(measured, request);
        }
    }

    /// Ends an exchange of the current task where it stands, as intended. Its sample counts in `row`, at once: nothing
    /// that happens later makes it a failure.
    pub fn leave_exchange(&self, operation: OperationId, row: RowId) {
        let Some(CutOffExchange { mut measured, request }) = self.cut_off_operation(operation) else { return };
        measured.row = Some(row);
        let left = sample(row, &measured, None);
        if self.shows_all() {
            self.show_cut_off(&left, request.as_ref(), || "the plugin left it".into());
        }
        self.record(&left);
    }

    /// Drops what is kept of an operation that has been announced. A socket that it has opened is closed.
    pub fn discard(&self, operation: OperationId) {
        let socket = self.task.operations.with_completion(operation, Completion::socket).flatten();
        if let Some(exchange) = self.task.operations.discard(operation, &self.task.allowance) {
            self.task.judged.leave(operation, exchange);
        }
        socket.into_iter().for_each(|socket| self.sockets.close_unclaimed(socket));
    }

    /// Drops all operations at the end of a task, and the exchange that was judged. Sockets that the guest was not told
    /// of are closed: it could not close them itself, and a user may have a limited number of them.
    pub fn drop_operations(&self) {
        let unclaimed = self.task.operations.opened_sockets();
        unclaimed.into_iter().for_each(|socket| self.sockets.close_unclaimed(socket));
        self.task.operations.clear();
        self.task.judged.clear();
    }

    /// Keeps an exchange whose sample has just been opened, although it has not ended.
    fn judge_abandoned(&self, measured: Measurements, request: Option<Request>) {
        let Some(request) = request else { return };
        let result = Err(Failure::network("the plugin gave it up"));
        self.task.judged.put(Box::new(CompletedExchange { measured, result, request: Some(request) }));
    }

    /// Drops an operation in flight. Returns the exchange if it was one under way.
    fn cut_off_operation(&self, operation: OperationId) -> Option<CutOffExchange> {
        let mut measured = self.task.operations.abandon(operation)?;
        measured.end = Some(self.shared.clock.now());
        self.end_attempt(&measured);
        Some(CutOffExchange { measured, request: self.task.operations.take_left_request(operation) })
    }

    /// Records the sample of one exchange of the current task, or of the task itself.
    pub fn record(&self, sample: &Sample) {
        self.task.sample.count_recorded();
        if let Some(span) = sample.span {
            self.task.trace.judge(span, sample);
        }
        self.shared.recorder.borrow_mut().record_of_user(self.id, sample);
    }
}
