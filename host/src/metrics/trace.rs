//! Traces as plain data: the numbers of traces and spans, the context that a request carries to the target (W3C Trace
//! Context), and the runs of steps that are to be exported. Their texts hold no secret. Memory is bounded by the number
//! of spans in an interval.

use std::num::NonZeroU64;
use std::time::Duration;

use stampede_time::Nanos;

use super::sample::{FailureKind, RowId, Sample, SpanId};

/// The length of a `traceparent`, in bytes.
pub(crate) const CONTEXT_BYTES: usize = 55;

/// The most spans that all workers together keep in a second.
pub(crate) const MAX_SPANS_PER_SECOND: usize = 2_000;

/// The part of the step runs that is traced if neither a flag nor a variable says: one in this many.
pub(crate) const DEFAULT_ONE_IN: u64 = 1_000;

/// The settings of the traces of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceSettings {
    /// `true` if requests carry a `traceparent`.
    pub sends_context: bool,
    /// `true` if spans are exported.
    pub exports: bool,
    /// One in this many runs of a step is sampled; none if it is 0.
    pub one_in: u64,
}

/// The number of a trace, 16 bytes that are not all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId {
    /// The first 8 bytes.
    pub high: u64,
    /// The last 8 bytes.
    pub low: NonZeroU64,
}

impl TraceId {
    /// Returns the bytes, in the order in which they are sent.
    pub fn bytes(self) -> [u8; 16] {
        (u128::from(self.high) << 64 | u128::from(self.low.get())).to_be_bytes()
    }
}

/// The context that a request carries: its place in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub trace: TraceId,
    /// The span of the attempt, which is the parent of the target's spans.
    pub span: SpanId,
    /// `true` if the trace is sampled.
    pub is_sampled: bool,
}

impl TraceContext {
    /// Returns the value of `traceparent`. Each request has one, so it is written without a formatter.
    pub fn header_value(self) -> [u8; CONTEXT_BYTES] {
        let mut value = *b"00-00000000000000000000000000000000-0000000000000000-00";
        write_hex(&mut value[3..19], self.trace.high);
        write_hex(&mut value[19..35], self.trace.low.get());
        write_hex(&mut value[36..52], self.span.0.get());
        value[54] += u8::from(self.is_sampled);
        value
    }
}

/// Writes the last digits of a number, as many as there is room for.
fn write_hex(room: &mut [u8], mut number: u64) {
    for digit in room.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 0xf) as usize];
        number >>= 4;
    }
}

/// One run of a step that is exported: a span of its own, and one for each attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct TracedStep {
    /// The row of the step.
    pub row: RowId,
    /// The trace.
    pub trace: TraceId,
    /// The span of the run.
    pub span: SpanId,
    /// `true` if it was sampled; otherwise it is exported because something failed.
    pub is_sampled: bool,
    /// The number of the user.
    pub user: u32,
    /// The iteration of the user, from 0.
    pub iteration: u64,
    /// The time since the Unix epoch at which the clock of all other times began.
    pub epoch: Duration,
    /// The start of the run.
    pub start: Nanos,
    /// The end of the run.
    pub end: Nanos,
    /// The kind of the failure; `None` if the step passed.
    pub failure: Option<FailureKind>,
    /// The reason of the failure in one line; empty if there is none.
    pub reason: String,
    /// The attempts, in the order of their starts.
    pub attempts: Vec<TracedAttempt>,
    /// The number of further attempts, of which nothing is kept.
    pub omitted: u32,
}

impl TracedStep {
    /// Counts its spans.
    pub(crate) fn spans(&self) -> usize {
        1 + self.attempts.iter().map(|attempt| 1 + attempt.phases.len()).sum::<usize>()
    }
}

/// One request on the wire, with its reply: a hop of an exchange, or a handshake.
#[derive(Clone, Debug, PartialEq)]
pub struct TracedAttempt {
    /// The span.
    pub span: SpanId,
    /// The method.
    pub method: String,
    /// The URL, without secrets.
    pub url: String,
    /// The host's name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The version that was spoken, such as `1.1`; `None` if nothing was sent.
    pub version: Option<&'static str>,
    /// The number of times that the request was sent before.
    pub resends: u32,
    /// Its times, its status, and the kind of its failure.
    pub sample: Sample,
    /// The reason of the failure in one line; empty if there is none.
    pub reason: String,
    /// The phases that happened, in order.
    pub phases: Vec<TracedPhase>,
}

/// A phase of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TracedPhase {
    /// The span.
    pub span: SpanId,
    /// The name, such as `connect`.
    pub name: &'static str,
    /// The start.
    pub start: Nanos,
    /// The end.
    pub end: Nanos,
}

/// The share of the spans of a second that one worker may keep, and what it has kept since its counts were handed over.
#[derive(Debug)]
pub(super) struct TraceBudget {
    share: usize,
    kept: usize,
}

impl TraceBudget {
    /// Creates the share of each of `workers`.
    pub(super) fn new(workers: usize) -> Self {
        Self { share: (MAX_SPANS_PER_SECOND / workers.max(1)).max(1), kept: 0 }
    }

    /// Returns `true` if there is room for another step. The last one may be larger than the room.
    pub(super) const fn has_room(&self) -> bool {
        self.kept < self.share
    }

    /// Counts a step that is kept.
    pub(super) fn take(&mut self, step: &TracedStep) {
        self.kept += step.spans();
    }

    /// Begins the next interval.
    pub(super) fn renew(&mut self) {
        self.kept = 0;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Returns a step that sent nothing.
    pub(in crate::metrics) fn step() -> TracedStep {
        let one = SpanId(NonZeroU64::MIN);
        TracedStep {
            row: 0,
            trace: TraceId { high: 0, low: NonZeroU64::MIN },
            span: one,
            is_sampled: true,
            user: 0,
            iteration: 0,
            epoch: Duration::ZERO,
            start: 0,
            end: 1,
            failure: None,
            reason: String::new(),
            attempts: Vec::new(),
            omitted: 0,
        }
    }

    #[test]
    fn a_context_is_written_as_w3c_has_it() {
        let number = |number| NonZeroU64::new(number).unwrap();
        let trace = TraceId { high: 0x0af7_6519_16cd_43dd, low: number(0x8448_eb21_1c80_319c) };
        let context = TraceContext { trace, span: SpanId(number(0xb7ad_6b71_6920_3331)), is_sampled: true };
        let value = |context: TraceContext| String::from_utf8(context.header_value().to_vec()).unwrap();
        assert_eq!(value(context), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        assert_eq!(trace.bytes()[..2], [0x0a, 0xf7]);
        assert_eq!(context.span.bytes()[6..], [0x33, 0x31]);
        let small = TraceContext { trace: TraceId { high: 0, low: number(1) }, is_sampled: false, ..context };
        assert_eq!(value(small), "00-00000000000000000000000000000001-b7ad6b7169203331-00");
    }

    #[test]
    fn a_worker_keeps_its_share_of_the_spans_of_an_interval() {
        let step = step();
        let mut budget = TraceBudget::new(4);
        for _ in 0..MAX_SPANS_PER_SECOND / 4 {
            assert!(budget.has_room());
            budget.take(&step);
        }
        assert!(!budget.has_room());
        budget.renew();
        assert!(budget.has_room());
    }
}
