//! The trace of the task under way, if the run has traces: its numbers, and its attempts as they begin and end. An
//! attempt costs no copy of its texts before it is known that it is exported. [`tracing`](super::tracing) decides that.

use std::cell::RefCell;
use std::mem;
use std::num::NonZeroU64;

use hyper::Method;

use crate::http::RequestTarget;
use crate::metrics::sample::{FailureKind, Sample, SpanId};
use crate::metrics::trace::{TraceId, TraceSettings};
use crate::net::Measurements;
use crate::random::SplitMix64;

/// The most attempts of one task that are kept.
pub(super) const MAX_ATTEMPTS: usize = 128;

/// Makes the numbers of traces on one worker, and decides which runs of steps are sampled. Its generator is not that of
/// a user: the same seed gives the same requests with traces and without.
pub struct Tracer {
    pub(super) settings: TraceSettings,
    random: RefCell<SplitMix64>,
}

impl Tracer {
    /// Creates a tracer whose numbers follow from `seed`, which must be random.
    pub const fn new(settings: TraceSettings, seed: u64) -> Self {
        Self { settings, random: RefCell::new(SplitMix64(seed)) }
    }

    fn number(&self) -> NonZeroU64 {
        NonZeroU64::new(self.random.borrow_mut().next()).unwrap_or(NonZeroU64::MIN)
    }

    /// Returns the number of a span.
    pub(super) fn span(&self) -> SpanId {
        SpanId(self.number())
    }

    fn is_sampled(&self) -> bool {
        let one_in = self.settings.one_in;
        one_in == 1 || (one_in > 1 && self.number().get().is_multiple_of(one_in))
    }
}

/// The trace of a task; empty if the run has none.
#[derive(Default)]
pub(super) struct TaskTrace(pub RefCell<Option<Box<OpenTrace>>>);

/// A trace whose task has not ended.
pub(super) struct OpenTrace {
    /// The number of the trace.
    pub id: TraceId,
    /// The span of the task.
    pub span: SpanId,
    /// `true` if it is sampled.
    pub is_sampled: bool,
    /// `true` if it may be exported.
    pub is_kept: bool,
    /// The attempts so far.
    pub attempts: Vec<OpenAttempt>,
    /// The number of attempts that are not kept.
    pub omitted: u32,
    /// The reason of a failure whose sample is not recorded yet.
    pub noted: Option<(FailureKind, String)>,
    /// The first reason of a failure.
    pub reason: String,
}

/// An attempt of a task that has not ended.
pub(super) struct OpenAttempt {
    /// Its span.
    pub span: SpanId,
    /// The method.
    pub method: Method,
    /// The destination.
    pub target: RequestTarget,
    /// The number of times that the request was sent before.
    pub resends: u32,
    /// Its measurements, once it has ended.
    pub measured: Measurements,
    /// Its sample, once it is recorded.
    pub sample: Option<Sample>,
    /// The reason of its failure.
    pub reason: String,
}

impl OpenTrace {
    /// Takes the memory for attempts and for a reason, both empty.
    fn take_buffers(&mut self) -> (Vec<OpenAttempt>, String) {
        self.attempts.clear();
        self.reason.clear();
        (mem::take(&mut self.attempts), mem::take(&mut self.reason))
    }
}

impl TaskTrace {
    /// Begins the trace of the next task.
    pub(super) fn begin(&self, tracer: &Tracer) {
        let id = TraceId { high: tracer.number().get(), low: tracer.number() };
        let (span, is_sampled, is_kept) = (tracer.span(), tracer.is_sampled(), tracer.settings.exports);
        let mut slot = self.0.borrow_mut();
        // The memory is used again from task to task.
        let (attempts, reason) = slot.as_deref_mut().map(OpenTrace::take_buffers).unwrap_or_default();
        let open = OpenTrace { id, span, is_sampled, is_kept, attempts, omitted: 0, noted: None, reason };
        match slot.as_deref_mut() {
            Some(former) => *former = open,
            None => *slot = Some(Box::new(open)),
        }
    }

    /// Returns `true` if the trace may be exported.
    pub(super) fn is_kept(&self) -> bool {
        self.0.borrow().as_ref().is_some_and(|open| open.is_kept)
    }

    /// Keeps the reason of a failure, without secrets, until its sample is recorded. A cancelled exchange has none.
    pub(super) fn note_reason(&self, kind: FailureKind, reason: &str) {
        if let Some(open) = &mut *self.0.borrow_mut()
            && kind != FailureKind::Cancelled
        {
            open.noted = Some((kind, reason.to_owned()));
            if open.reason.is_empty() {
                reason.clone_into(&mut open.reason);
            }
        }
    }

    /// Calls `change` with an attempt.
    pub(super) fn with_attempt(
        &self,
        span: SpanId,
        change: impl FnOnce(&mut OpenAttempt, &mut Option<(FailureKind, String)>),
    ) {
        if let Some(OpenTrace { attempts, noted, .. }) = self.0.borrow_mut().as_deref_mut()
            && let Some(attempt) = attempts.iter_mut().rev().find(|attempt| attempt.span == span)
        {
            change(attempt, noted);
        }
    }

    /// Keeps the sample of an attempt, with the reason of its failure.
    #[cold]
    pub(super) fn judge(&self, span: SpanId, sample: &Sample) {
        self.with_attempt(span, |attempt, noted| {
            attempt.sample = Some(*sample);
            if let Some((_, reason)) = noted.take_if(|(kind, _)| sample.failure == Some(*kind)) {
                attempt.reason = reason;
            }
        });
    }
}
