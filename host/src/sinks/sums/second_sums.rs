//! The counts of one second apart from the sums, for outputs whose reader adds up itself.

use super::run_sums::{RowSums, RunSums};
use crate::metrics::compact_histogram::CompactHistogram;
use crate::metrics::histogram::FINE;
use crate::report::Report;
use crate::run::observer::SecondSnapshot;

/// The counts of one second, or what the report has more than all seconds together.
#[derive(Debug)]
pub(in crate::sinks) struct SecondSums {
    /// The counts, with the users and the workers as they stand.
    pub counts: RunSums,
    /// The response times of each row; `None` without requests.
    pub response: Vec<Option<SecondPercentiles>>,
}

/// Percentiles of the response times of one second, in microseconds, each within 0.1 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sinks) struct SecondPercentiles {
    /// The median.
    pub p50: u64,
    /// 95 % are at most this.
    pub p95: u64,
    /// 99 % are at most this.
    pub p99: u64,
    /// The longest.
    pub max: u64,
}

impl SecondPercentiles {
    fn of(times: &CompactHistogram<u64>) -> Option<Self> {
        let times = times.to_hdr();
        let at = |quantile| times.value_at_quantile(quantile);
        (!times.is_empty()).then(|| Self { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: times.max() })
    }

    /// Returns names and values.
    pub(in crate::sinks) const fn named(&self) -> [(&'static str, u64); 4] {
        [("p50", self.p50), ("p95", self.p95), ("p99", self.p99), ("max", self.max)]
    }
}

impl RunSums {
    /// Adds a second, and returns its counts apart.
    pub(in crate::sinks) fn add_apart(&mut self, second: &SecondSnapshot) -> SecondSums {
        self.add(second);
        let mut counts = self.without_counts();
        counts.add(second);
        counts.copy_verdicts(self);
        let mut times: Vec<CompactHistogram<u64>> = Vec::new();
        times.resize_with(self.rows.len(), || CompactHistogram::new(FINE));
        for (place, row) in self.places.iter().zip(&second.merged.counts.rows) {
            times[*place].add(&row.response);
        }
        SecondSums { counts, response: times.iter().map(SecondPercentiles::of).collect() }
    }

    /// Replaces the sums by the numbers of the report, and returns what those have more: the counts of seconds that
    /// were missed, and of tasks that the end of the run cut short. It has no response times.
    pub(in crate::sinks) fn finish_apart(&mut self, report: &Report) -> SecondSums {
        let mut seen = self.without_counts();
        std::mem::swap(&mut seen, self);
        self.finish(report);
        let mut counts = self.without_counts();
        (counts.is_final, counts.users) = (true, 0);
        for (more, (all, seen)) in counts.rows.iter_mut().zip(self.rows.iter().zip(&seen.rows)) {
            more.set_difference(all, seen);
        }
        for (more, (all, seen)) in counts.scenarios.iter_mut().zip(self.scenarios.iter().zip(&seen.scenarios)) {
            more.completed = all.completed.saturating_sub(seen.completed);
            more.cut_short = all.cut_short.saturating_sub(seen.cut_short);
            more.dropped = all.dropped.saturating_sub(seen.dropped);
        }
        for (more, (all, seen)) in counts.checks.iter_mut().zip(self.checks.iter().zip(&seen.checks)) {
            more.passed = all.passed.saturating_sub(seen.passed);
            more.failed = all.failed.saturating_sub(seen.failed);
        }
        counts.copy_verdicts(self);
        let response = vec![None; self.rows.len()];
        SecondSums { counts, response }
    }

    fn copy_verdicts(&mut self, from: &Self) {
        for (own, known) in self.thresholds.iter_mut().zip(&from.thresholds) {
            own.passed = known.passed;
        }
    }
}

impl RowSums {
    /// Sets the counts to what `all` has more than `seen`.
    fn set_difference(&mut self, all: &Self, seen: &Self) {
        self.ok = all.ok.saturating_sub(seen.ok);
        for (more, (all, seen)) in self.err.iter_mut().zip(all.err.iter().zip(seen.err)) {
            *more = all.saturating_sub(seen);
        }
        for (code, count) in &all.codes {
            let more = count.saturating_sub(seen.codes.get(code).copied().unwrap_or(0));
            if more > 0 {
                self.codes.insert(*code, more);
            }
        }
        self.other_codes = all.other_codes.saturating_sub(seen.other_codes);
        self.tasks.started = all.tasks.started.saturating_sub(seen.tasks.started);
        self.tasks.passed = all.tasks.passed.saturating_sub(seen.tasks.passed);
        self.tasks.failed = all.tasks.failed.saturating_sub(seen.tasks.failed);
        self.tasks.cancelled = all.tasks.cancelled.saturating_sub(seen.tasks.cancelled);
        self.tasks.dropped = all.tasks.dropped.saturating_sub(seen.tasks.dropped);
        self.bytes.out = all.bytes.out.saturating_sub(seen.bytes.out);
        self.bytes.received = all.bytes.received.saturating_sub(seen.bytes.received);
        self.bytes.body_in = all.bytes.body_in.saturating_sub(seen.bytes.body_in);
    }
}
