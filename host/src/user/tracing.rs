//! The traces that a session makes. Whether a task's is exported is known only at its end, since a task that fails is
//! exported although it was not sampled. Texts are made then, without their secrets, and only for what is exported.

use stampede_time::Nanos;

use super::operation::sample;
use super::session::Session;
use super::task_trace::{MAX_ATTEMPTS, OpenAttempt, OpenTrace};
use crate::diagnostic;
use crate::http::{Request, RequestTarget};
use crate::metrics::sample::{FailureKind, RowId, Sample, SpanId};
use crate::metrics::trace::{TraceContext, TracedAttempt, TracedPhase, TracedStep};
use crate::net::{Failure, Measurements, Meter};

/// The most bytes of a URL that are kept.
const MAX_URL_BYTES: usize = 2048;

impl Session {
    /// Begins the trace of the task that begins now, if the run has traces.
    pub fn begin_trace(&self) {
        if let Some(tracer) = &self.shared.tracer {
            self.task.trace.begin(tracer);
        }
    }

    /// Begins an attempt at the time `start`, and has it carry its context. `hop` is the number of redirects before it.
    /// Returns its span, if it may be exported.
    pub(super) fn begin_attempt(&self, meter: &Meter, request: &Request, start: Nanos, hop: u32) -> Option<SpanId> {
        let tracer = self.shared.tracer.as_ref()?;
        let (mut open, span) = (self.task.trace.0.borrow_mut(), tracer.span());
        let OpenTrace { id, is_sampled, is_kept, attempts, omitted, .. } = open.as_deref_mut()?;
        let context = TraceContext { trace: *id, span, is_sampled: *is_sampled };
        meter.set_trace(tracer.settings.sends_context.then_some(context));
        if !*is_kept {
            return None;
        }
        if attempts.len() == MAX_ATTEMPTS {
            *omitted = omitted.saturating_add(1);
            return None;
        }
        attempts.push(OpenAttempt {
            span,
            method: request.method.clone(),
            target: request.destination(),
            resends: self.repeat.get().saturating_add(hop),
            measured: Measurements { start, ..Measurements::default() },
            sample: None,
            reason: String::new(),
        });
        Some(span)
    }

    /// Returns the context that an attempt of the task has carried, if it has carried any.
    pub(super) fn sent_context(&self, span: SpanId) -> Option<TraceContext> {
        self.shared.tracer.as_ref().filter(|tracer| tracer.settings.sends_context)?;
        let open = self.task.trace.0.borrow();
        open.as_ref().map(|open| TraceContext { trace: open.id, span, is_sampled: open.is_sampled })
    }

    /// Keeps the measurements of an attempt that has ended, or was cut off.
    pub fn end_attempt(&self, measured: &Measurements) {
        if let Some(span) = measured.span {
            self.task.trace.with_attempt(span, |attempt, _| attempt.measured = *measured);
        }
    }

    /// Ends an attempt that has no sample of its own: a handshake, which began at `start` and was measured with other
    /// activity of its task.
    pub(super) fn end_handshake(&self, span: SpanId, start: Nanos, failure: Option<&Failure>) {
        let end = Some(self.shared.clock.now());
        let measured = Measurements { start, late: 0, end, ..*self.task.sockets.meter.read() };
        let of_handshake = sample(self.task.row(), &measured, failure.map(|failure| failure.kind));
        self.task.trace.with_attempt(span, |attempt, _| {
            attempt.measured = measured;
            attempt.sample = Some(of_handshake);
            attempt.reason = failure.map(|failure| self.redact(&failure.detail)).unwrap_or_default();
        });
    }

    /// Ends the trace of the task, which began at `start`, and keeps it if it is to be exported: it was sampled and has
    /// done anything, or something in it has failed.
    pub fn end_trace(&self, start: Nanos, failure: Option<FailureKind>) {
        if self.shared.tracer.is_none() {
            return;
        }
        let mut open = self.task.trace.0.borrow_mut();
        let Some(open) = open.as_deref_mut().filter(|open| open.is_kept) else { return };
        let is_failure = |kind: FailureKind| kind != FailureKind::Cancelled;
        let any_failed = open
            .attempts
            .iter()
            .any(|attempt| attempt.sample.as_ref().and_then(|sample| sample.failure).is_some_and(is_failure));
        let has_acted = !open.attempts.is_empty() || self.task.sockets.has_begun();
        if failure.is_some() || any_failed || (open.is_sampled && has_acted) {
            if self.shared.recorder.borrow().has_room_for_trace() {
                let step = self.traced(open, start, failure);
                self.shared.recorder.borrow_mut().keep_trace(step);
            } else {
                self.shared.recorder.borrow_mut().leave_trace_out();
            }
        }
        open.attempts.clear();
    }

    #[cold]
    fn traced(&self, open: &mut OpenTrace, start: Nanos, failure: Option<FailureKind>) -> TracedStep {
        let (row, end, clock) = (self.task.row(), self.shared.clock.now(), self.shared.clock);
        let cut_off = failure.unwrap_or(FailureKind::Cancelled);
        let attempts = open.attempts.drain(..).map(|attempt| self.traced_attempt(attempt, row, end, cut_off));
        TracedStep {
            row,
            trace: open.id,
            span: open.span,
            is_sampled: open.is_sampled,
            user: self.id,
            iteration: self.iteration.get(),
            epoch: clock.wall(0),
            start,
            end,
            failure,
            reason: failure.map(|_| std::mem::take(&mut open.reason)).unwrap_or_default(),
            attempts: attempts.collect(),
            omitted: open.omitted,
        }
    }

    /// Describes an attempt. One without a sample was cut off at `end`, for the reason `cut_off`.
    fn traced_attempt(&self, attempt: OpenAttempt, row: RowId, end: Nanos, cut_off: FailureKind) -> TracedAttempt {
        let OpenAttempt { span, method, target, resends, measured, sample: recorded, reason } = attempt;
        let unrecorded = || sample(row, &Measurements { end: measured.end.or(Some(end)), ..measured }, Some(cut_off));
        let sample = recorded.unwrap_or_else(unrecorded);
        let was_sent = measured.bytes_out > 0 || sample.status > 0;
        let version = if measured.is_http2 { "2" } else { "1.1" };
        TracedAttempt {
            span,
            method: method.to_string(),
            url: self.shown_url(&target),
            host: target.origin.host().to_owned(),
            port: target.origin.port(),
            version: was_sent.then_some(version),
            resends,
            phases: self.traced_phases(&measured, &sample),
            sample,
            reason,
        }
    }

    /// Returns a URL without secrets.
    fn shown_url(&self, target: &RequestTarget) -> String {
        let url = target.url().map(String::from).unwrap_or_default();
        let mut shown = diagnostic::hide_literal_secrets(&self.redact_whole(&url));
        shown.truncate(shown.floor_char_boundary(MAX_URL_BYTES));
        shown
    }

    /// Returns the phases that happened within the time of an attempt.
    fn traced_phases(&self, measured: &Measurements, attempt: &Sample) -> Vec<TracedPhase> {
        let (took, ends) = (&measured.phases, &measured.ends);
        let received = took.receive.map(|took| (took, ends.first_byte.saturating_add(took)));
        let all = [
            ("dns", took.dns.map(|took| (took, ends.dns))),
            ("connect", took.connect.map(|took| (took, ends.connect))),
            ("tls", took.tls.map(|took| (took, ends.tls))),
            ("wait", took.first_byte.map(|took| (took, ends.first_byte))),
            ("receive", received),
        ];
        let Some(tracer) = &self.shared.tracer else { return Vec::new() };
        let phases = all.into_iter().filter_map(|(name, phase)| {
            let (took, end) = phase?;
            let (start, end) = (end.saturating_sub(took).max(attempt.start), end.min(attempt.end));
            (start <= end).then(|| TracedPhase { span: tracer.span(), name, start, end })
        });
        phases.collect()
    }
}
