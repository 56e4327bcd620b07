//! Counts and histograms of one row of the report. One generic type serves a second of one worker (32-bit counters) and
//! the whole run (64-bit counters), so that one function adds them up.

use std::borrow::Cow;

use hdrhistogram::Counter;
use stampede_time::Nanos;

use super::compact_histogram::CompactHistogram;
use super::histogram::{FINE, ROUGH};
use super::sample::{FailureKind, PhaseDurations, Sample};

/// The way a task ended. A task is one run of one step by one user; it may make several exchanges, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TaskEnd {
    /// The step passed.
    Passed,
    /// The step failed.
    Failed,
    /// The run ended first.
    Cancelled,
    /// The task was due but never began because no user was free to run it. It counts as started too.
    Dropped,
}

/// Numbers of tasks. Once a run is over, `started` is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskCounts {
    /// Tasks that were due.
    pub started: u64,
    /// Tasks whose step passed.
    pub passed: u64,
    /// Tasks whose step failed.
    pub failed: u64,
    /// Tasks that the end of the run cut short.
    pub cancelled: u64,
    /// Tasks that were due but never began.
    pub dropped: u64,
}

impl TaskCounts {
    /// Counts the end of a task.
    pub fn end(&mut self, how: TaskEnd) {
        match how {
            TaskEnd::Passed => self.passed += 1,
            TaskEnd::Failed => self.failed += 1,
            TaskEnd::Cancelled => self.cancelled += 1,
            TaskEnd::Dropped => self.dropped += 1,
        }
    }

    /// Returns the number of tasks that have started and not ended yet. Meaningful for a whole run only: a task may
    /// start in one interval and end in another.
    pub const fn open(&self) -> u64 {
        self.started.saturating_sub(self.passed + self.failed + self.cancelled + self.dropped)
    }

    /// Adds another count.
    pub fn add(&mut self, other: &Self) {
        self.started += other.started;
        self.passed += other.passed;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
        self.dropped += other.dropped;
    }
}

/// Numbers of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByteCounts {
    /// Bytes of requests as sent on the connection, above TLS.
    pub out: u64,
    /// Bytes of replies as received on the connection, above TLS.
    pub received: u64,
    /// Bytes of the replies' content, before decoding.
    pub body_in: u64,
}

/// Histograms of the phases of an exchange, in microseconds with 2 significant digits. A phase that did not happen is
/// not counted, so the histograms differ in their counts.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseHistograms<C: Counter>([CompactHistogram<C>; 5]);

impl<C: Counter> PhaseHistograms<C> {
    /// Returns the histograms of phases in the order of [`PhaseDurations`], with [`ROUGH`] digits.
    pub(crate) const fn new(parts: [CompactHistogram<C>; 5]) -> Self {
        Self(parts)
    }

    fn record(&mut self, phases: &PhaseDurations) {
        let parts = [phases.dns, phases.connect, phases.tls, phases.first_byte, phases.receive];
        for (times, part) in self.0.iter_mut().zip(parts) {
            if let Some(duration) = part {
                times.record(duration);
            }
        }
    }

    /// Returns one histogram per phase, to add to.
    pub(super) const fn parts_mut(&mut self) -> &mut [CompactHistogram<C>; 5] {
        &mut self.0
    }

    /// Returns one histogram per phase, in the order of [`PhaseDurations`].
    pub const fn parts(&self) -> &[CompactHistogram<C>; 5] {
        &self.0
    }
}

/// The times of some of a row's exchanges.
#[derive(Clone, Debug, PartialEq)]
pub struct ExchangeTimes<C: Counter> {
    /// From the intended start.
    pub response: CompactHistogram<C>,
    /// From the start.
    pub service: CompactHistogram<C>,
}

/// All counts of one row.
#[derive(Clone, Debug, PartialEq)]
pub struct RowStats<C: Counter> {
    /// Counts of the step's tasks.
    pub tasks: TaskCounts,
    /// Exchanges without a failure.
    pub ok: u64,
    /// Exchanges with a failure, by [`FailureKind`] in the order of its discriminants.
    pub err: [u64; FailureKind::ALL.len()],
    /// Each status code with its count, in no particular order. Only replies count, so there is no code 0. A row sees
    /// only a handful of codes, and the first is the usual one, so a list is faster than a map.
    pub statuses: Vec<(u16, u64)>,
    /// Bytes sent and received.
    pub bytes: ByteCounts,
    /// End − intended start of every exchange that was not cut off.
    pub response: CompactHistogram<C>,
    /// End − start of those exchanges.
    pub service: CompactHistogram<C>,
    /// The phases of those exchanges.
    pub phases: PhaseHistograms<C>,
    /// The times of those exchanges that failed; `None` if there are none. `response` and `service` hold them too.
    pub failed: Option<Box<ExchangeTimes<C>>>,
    /// The times that exchanges had taken when they were cut off, which are lower bounds of their real times; `None` if
    /// there are none.
    pub cut_off: Option<Box<ExchangeTimes<C>>>,
}

impl<C: Counter> ExchangeTimes<C> {
    fn record(&mut self, sample: &Sample) {
        self.response.record(sample.response_time());
        self.service.record(sample.service_time());
    }

    fn add<D: Counter>(&mut self, other: &ExchangeTimes<D>) {
        self.response.add(&other.response);
        self.service.add(&other.service);
    }
}

impl<C: Counter> Default for ExchangeTimes<C> {
    fn default() -> Self {
        Self { response: CompactHistogram::new(FINE), service: CompactHistogram::new(FINE) }
    }
}

impl<C: Counter> Default for RowStats<C> {
    fn default() -> Self {
        Self {
            tasks: TaskCounts::default(),
            ok: 0,
            err: [0; FailureKind::ALL.len()],
            // More codes than a row usually sees, so that recording does not need to allocate.
            statuses: Vec::with_capacity(8),
            bytes: ByteCounts::default(),
            response: CompactHistogram::new(FINE),
            service: CompactHistogram::new(FINE),
            phases: PhaseHistograms(std::array::from_fn(|_| CompactHistogram::new(ROUGH))),
            failed: None,
            cut_off: None,
        }
    }
}

impl<C: Counter> RowStats<C> {
    /// Counts an exchange. Hot.
    pub fn record(&mut self, sample: &Sample) {
        match sample.failure {
            None => self.ok += 1,
            Some(kind) => self.err[kind as usize] += 1,
        }
        self.bytes.out += sample.bytes_out;
        self.bytes.received += sample.bytes_in;
        self.bytes.body_in += sample.body_bytes_in;
        if sample.status != 0 {
            self.count_status(sample.status, 1);
        }
        if sample.failure.is_some_and(FailureKind::is_cut_off) {
            self.cut_off.get_or_insert_default().record(sample);
            return;
        }
        self.record_times(sample.response_time(), sample.service_time(), &sample.phases);
        if sample.failure.is_some() {
            self.failed.get_or_insert_default().record(sample);
        }
    }

    fn record_times(&mut self, response: Nanos, service: Nanos, phases: &PhaseDurations) {
        self.response.record(response);
        self.service.record(service);
        self.phases.record(phases);
    }

    fn count_status(&mut self, status: u16, count: u64) {
        match self.statuses.iter_mut().find(|(code, _)| *code == status) {
            Some((_, total)) => *total += count,
            None => self.statuses.push((status, count)),
        }
    }

    /// Returns the number of exchanges with a failure.
    pub fn failures(&self) -> u64 {
        self.err.iter().sum()
    }

    /// Returns the number of all exchanges.
    pub fn requests(&self) -> u64 {
        self.ok + self.failures()
    }

    /// Returns the response times of the exchanges without a failure.
    pub fn ok_response(&self) -> Cow<'_, CompactHistogram<C>> {
        self.failed
            .as_deref()
            .map_or(Cow::Borrowed(&self.response), |failed| Cow::Owned(self.response.without(&failed.response)))
    }

    /// Returns the service times of the exchanges without a failure.
    pub fn ok_service(&self) -> Cow<'_, CompactHistogram<C>> {
        self.failed
            .as_deref()
            .map_or(Cow::Borrowed(&self.service), |failed| Cow::Owned(self.service.without(&failed.service)))
    }

    /// Adds the counts of another row, whose counters may have any width.
    pub fn add<D: Counter>(&mut self, other: &RowStats<D>) {
        self.add_counts(other);
        self.response.add(&other.response);
        self.service.add(&other.service);
        for (sum, more) in self.phases.0.iter_mut().zip(&other.phases.0) {
            sum.add(more);
        }
        for (sum, more) in [(&mut self.failed, &other.failed), (&mut self.cut_off, &other.cut_off)] {
            if let Some(more) = more {
                sum.get_or_insert_default().add(more);
            }
        }
    }

    /// Adds the counts of another row without its times.
    pub fn add_counts<D: Counter>(&mut self, other: &RowStats<D>) {
        self.tasks.add(&other.tasks);
        self.ok += other.ok;
        self.err.iter_mut().zip(other.err).for_each(|(sum, more)| *sum += more);
        for &(status, count) in &other.statuses {
            self.count_status(status, count);
        }
        self.bytes.out += other.bytes.out;
        self.bytes.received += other.bytes.received;
        self.bytes.body_in += other.bytes.body_in;
    }

    /// Sets all counts to zero and keeps the memory.
    pub fn clear(&mut self) {
        self.tasks = TaskCounts::default();
        self.ok = 0;
        self.err = [0; FailureKind::ALL.len()];
        self.statuses.clear();
        self.bytes = ByteCounts::default();
        self.response.clear();
        self.service.clear();
        self.phases.0.iter_mut().for_each(CompactHistogram::clear);
        (self.failed, self.cut_off) = (None, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(status: u16, failure: Option<FailureKind>) -> Sample {
        Sample {
            row: 0,
            intended: 1_000_000,
            start: 3_000_000,
            end: 9_000_000,
            status,
            bytes_out: 100,
            bytes_in: 250,
            body_bytes_in: 50,
            phases: PhaseDurations { first_byte: Some(4_000_000), ..PhaseDurations::default() },
            failure,
            span: None,
        }
    }

    #[test]
    fn an_exchange_is_counted_everywhere_once() {
        let mut series = RowStats::<u32>::default();
        series.record(&sample(200, None));
        series.record(&sample(503, Some(FailureKind::Status)));
        series.record(&sample(0, Some(FailureKind::Network)));
        assert_eq!((series.ok, series.failures(), series.requests()), (1, 2, 3));
        assert_eq!(series.statuses, [(200, 1), (503, 1)]);
        assert_eq!(series.bytes, ByteCounts { out: 300, received: 750, body_in: 150 });
        assert_eq!((series.response.len(), series.service.len()), (3, 3));
        assert_eq!(
            series.response.middle(series.response.max()),
            series.response.middle(8_000),
            "from the intended start"
        );
        assert_eq!(series.service.middle(series.service.max()), series.service.middle(6_000), "from the start");
    }

    #[test]
    fn parts_that_did_not_happen_are_in_no_histogram() {
        let mut series = RowStats::<u32>::default();
        series.record(&sample(200, None));
        let counts = series.phases.parts().each_ref().map(CompactHistogram::len);
        assert_eq!(counts, [0, 0, 0, 1, 0]);
    }

    #[test]
    fn the_time_of_an_exchange_that_was_cut_off_is_a_lower_bound() {
        for kind in [FailureKind::Cancelled, FailureKind::Unfinished] {
            let mut series = RowStats::<u32>::default();
            series.record(&sample(0, Some(kind)));
            assert_eq!((series.requests(), series.response.len(), series.bytes.out), (1, 0, 100));
            let cut_off = series.cut_off.as_ref().expect("one was cut off");
            assert_eq!(
                cut_off.response.middle(cut_off.response.max()),
                cut_off.response.middle(8_000),
                "from the intended start"
            );
            assert_eq!(cut_off.service.middle(cut_off.service.max()), cut_off.service.middle(6_000), "from the start");
            let mut sum = RowStats::<u64>::default();
            sum.add(&series);
            assert_eq!(sum.cut_off.map(|sum| (sum.response.len(), sum.service.len())), Some((1, 1)));
        }
    }

    #[test]
    fn times_of_failures_are_kept_apart_and_the_rest_are_those_of_success() {
        let (mut series, mut good, mut bad) =
            (RowStats::<u32>::default(), RowStats::<u32>::default(), RowStats::<u32>::default());
        for n in 0..300_u64 {
            let failure = (n % 3 == 0).then_some(FailureKind::Status);
            let one = Sample { end: 9_000_000 + n * n * 1_000, ..sample(200, failure) };
            series.record(&one);
            if failure.is_some() { &mut bad } else { &mut good }.record(&one);
        }
        assert!(good.failed.is_none(), "a row without failures has no second histogram");
        let mut sum = RowStats::<u64>::default();
        sum.add(&series);
        let failed = sum.failed.as_deref().expect("some failed");
        assert!(failed.response.counted_values().eq(bad.response.counted_values()));
        assert!(failed.service.counted_values().eq(bad.service.counted_values()));
        assert!(sum.ok_response().counted_values().eq(good.response.counted_values()));
        assert!(sum.ok_service().counted_values().eq(good.service.counted_values()));
        series.record(&sample(0, Some(FailureKind::Unfinished)));
        assert_eq!(series.failed.map(|failed| failed.response.len()), Some(100), "one that was cut off is not in it");
    }

    #[test]
    fn clearing_leaves_an_empty_series() {
        let mut series = RowStats::<u32>::default();
        series.record(&sample(200, Some(FailureKind::Check)));
        series.tasks.end(TaskEnd::Failed);
        series.clear();
        assert!(RowStats::<u32>::default() == series);
    }
}
