//! The sum of a measure over a period: a second, a window, or the whole run. One type serves all three, so that a
//! window is the sum of its seconds.

use std::collections::BTreeMap;

use hdrhistogram::Counter;

use super::{IterationMeasure, Measure, MeasureKind, RowMeasure, ThresholdRule};
use crate::metrics::aggregate::Aggregate;
use crate::metrics::apdex::ApdexCounts;
use crate::metrics::compact_histogram::CompactHistogram;
use crate::metrics::custom_metric::{MetricTally, MetricUnit, TREND_SCALE, ValueRange};
use crate::metrics::interval::Interval;
use crate::metrics::iteration_stats::IterationStats;
use crate::metrics::row_stats::RowStats;
use crate::metrics::sample::FailureKind;
use crate::metrics::survival::{CountedValue, Estimate, SurvivalEstimate};
use crate::script::threshold_syntax::Aggregation;

/// The sum of a measure. Times are in microseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sums {
    /// The number of values in each bin. Bins are in thousandths of a unit for a plugin's trend.
    bins: BTreeMap<u64, u64>,
    /// Likewise the times of exchanges that were cut off.
    cut_off: BTreeMap<u64, u64>,
    /// The number of values.
    count: u64,
    /// The number of values that are not 0, or of exchanges that failed.
    hits: u64,
    /// The number of exchanges that the graceful stop did not let finish. They count in `count` and `hits`, too.
    unfinished: u64,
    /// The sum of the values.
    sum: f64,
    /// The least and the greatest value.
    range: ValueRange,
    /// The last value.
    last: Option<f64>,
}

impl Sums {
    /// Sums up a measure over a second.
    pub(crate) fn of_interval(measure: &Measure, interval: &Interval) -> Self {
        let mut sums = Self::default();
        match measure {
            Measure::Rows(what, rows) => {
                rows.iter().for_each(|row| sums.add_row(*what, &interval.rows[usize::from(*row)]));
            }
            Measure::Iterations(what, scenarios) => {
                let of = scenarios.iter().filter_map(|scenario| interval.iterations.get(*scenario));
                of.for_each(|iterations| sums.add_iterations(*what, iterations));
            }
            Measure::Apdex(rows) => {
                rows.iter().for_each(|one| sums.add_apdex(one.target, &interval.rows[usize::from(one.row)]));
            }
            Measure::StartDelay => sums.add_histogram(&interval.start_delay),
            Measure::Users => sums.gauge(f64::from(interval.users_active)),
            Measure::Metrics { ids, unit, .. } => {
                ids.iter().for_each(|id| sums.add_tally(*unit, &interval.tallies[usize::from(*id)]));
            }
        }
        sums
    }

    /// Sums up a measure over the run so far.
    pub(crate) fn of_run(measure: &Measure, aggregate: &Aggregate) -> Self {
        let mut sums = Self::default();
        match measure {
            Measure::Rows(what, rows) => {
                rows.iter().for_each(|row| sums.add_row(*what, &aggregate.rows()[usize::from(*row)]));
            }
            Measure::Iterations(what, scenarios) => {
                let of = scenarios.iter().filter_map(|scenario| aggregate.iterations().get(*scenario));
                of.for_each(|iterations| sums.add_iterations(*what, iterations));
            }
            Measure::Apdex(rows) => {
                rows.iter().for_each(|one| sums.add_apdex(one.target, &aggregate.rows()[usize::from(one.row)]));
            }
            Measure::StartDelay => sums.add_histogram(aggregate.start_delay()),
            Measure::Users => {
                let timeline = aggregate.timeline();
                // Users are counted at the end of a second, and none are left at the end of the last one.
                let points = timeline.length().saturating_sub(1).max(1).min(timeline.length());
                (0..points).for_each(|index| sums.gauge(f64::from(timeline.users_at(index))));
            }
            Measure::Metrics { ids, unit, .. } => {
                ids.iter().for_each(|id| sums.add_tally(*unit, &aggregate.metrics()[usize::from(*id)].tally));
            }
        }
        sums
    }

    /// Adds the sum of a later period.
    pub(crate) fn add(&mut self, other: &Self) {
        for (bins, others) in [(&mut self.bins, &other.bins), (&mut self.cut_off, &other.cut_off)] {
            for (value, count) in others {
                *bins.entry(*value).or_default() += count;
            }
        }
        self.count += other.count;
        self.hits += other.hits;
        self.unfinished += other.unfinished;
        self.sum += other.sum;
        self.range.merge(other.range);
        self.last = other.last.or(self.last);
    }

    /// Returns the part of the sum that comes from exchanges that were cut off.
    pub(crate) fn cut_off_part(&self) -> Self {
        let (cut_off, unfinished) = (self.cut_off.clone(), self.unfinished);
        Self { cut_off, count: unfinished, hits: unfinished, unfinished, ..Self::default() }
    }

    /// Returns the number that a threshold compares, over this many seconds; `None` if there are no values.
    pub(crate) fn number(&self, threshold: &ThresholdRule, seconds: f64) -> Option<Estimate<f64>> {
        let share = || (self.count > 0).then(|| self.hits as f64 / self.count as f64);
        let in_range = |value: f64| value.is_finite().then_some(value);
        let number = match (threshold.measure.kind(), threshold.aggregation) {
            (MeasureKind::Share | MeasureKind::Trend { .. }, Aggregation::Rate) => share(),
            (MeasureKind::Counter, Aggregation::Rate) => (seconds > 0.0).then(|| self.sum / seconds),
            (MeasureKind::Counter, _) => Some(self.sum),
            (MeasureKind::Gauge, Aggregation::Min) => in_range(self.range.min),
            (MeasureKind::Gauge, Aggregation::Max) => in_range(self.range.max),
            (MeasureKind::Gauge, _) => self.last,
            (MeasureKind::Score, _) => (self.count > 0).then(|| self.sum / self.count as f64),
            (_, Aggregation::Count) => Some(self.values() as f64),
            (_, Aggregation::Avg) if self.cut_off.is_empty() => {
                (self.values() > 0).then(|| self.sum / self.values() as f64)
            }
            (_, aggregation) => {
                let estimate = SurvivalEstimate::new(counted(&self.bins), counted(&self.cut_off))?;
                let number = match aggregation {
                    Aggregation::Avg => return Some(estimate.mean()),
                    Aggregation::Min => estimate.min(),
                    Aggregation::Max => estimate.max(),
                    other => estimate.quantile(other.quantile().unwrap_or(1.0)),
                };
                return Some(number.map(|value| value as f64 * scale(&threshold.measure)));
            }
        };
        number.map(Estimate::known)
    }

    fn values(&self) -> u64 {
        self.bins.values().sum()
    }

    fn add_row<C: Counter>(&mut self, what: RowMeasure, series: &RowStats<C>) {
        let cancelled = series.err[FailureKind::Cancelled as usize];
        match what {
            RowMeasure::Response => {
                self.add_histogram(&series.response);
                series.cut_off.iter().for_each(|times| self.add_cut_off(&times.response));
            }
            RowMeasure::Service => {
                self.add_histogram(&series.service);
                series.cut_off.iter().for_each(|times| self.add_cut_off(&times.service));
            }
            RowMeasure::OkResponse => self.add_histogram(&*series.ok_response()),
            RowMeasure::OkService => self.add_histogram(&*series.ok_service()),
            RowMeasure::FailedResponse => {
                series.failed.iter().for_each(|times| self.add_histogram(&times.response));
                series.cut_off.iter().for_each(|times| self.add_cut_off(&times.response));
            }
            RowMeasure::FailedService => {
                series.failed.iter().for_each(|times| self.add_histogram(&times.service));
                series.cut_off.iter().for_each(|times| self.add_cut_off(&times.service));
            }
            RowMeasure::Phase(part) => self.add_histogram(&series.phases.parts()[part]),
            RowMeasure::Failed => {}
            RowMeasure::Requests => self.sum += series.requests() as f64,
            RowMeasure::BytesIn => self.sum += series.bytes.received as f64,
            RowMeasure::BytesOut => self.sum += series.bytes.out as f64,
        }
        // An exchange that a person or the plugin ended is not a failure of the site.
        self.count += series.requests() - cancelled;
        self.hits += series.failures() - cancelled;
        self.unfinished += series.err[FailureKind::Unfinished as usize];
    }

    /// Adds the requests of a row and their score. Those that were cut off did not satisfy.
    fn add_apdex<C: Counter>(&mut self, target: u64, series: &RowStats<C>) {
        let counts = ApdexCounts::of_row(series, target);
        self.count += counts.total;
        self.sum += counts.points();
        self.unfinished +=
            [FailureKind::Unfinished, FailureKind::Cancelled].map(|kind| series.err[kind as usize]).iter().sum::<u64>();
    }

    fn add_iterations<C: Counter>(&mut self, what: IterationMeasure, iterations: &IterationStats<C>) {
        match what {
            IterationMeasure::Completed => self.sum += iterations.completed as f64,
            IterationMeasure::Dropped => self.sum += iterations.dropped as f64,
            IterationMeasure::Duration => self.add_histogram(&iterations.duration),
        }
    }

    fn add_histogram<C: Counter>(&mut self, histogram: &CompactHistogram<C>) {
        for CountedValue { value, count } in histogram.counted_values() {
            *self.bins.entry(value).or_default() += count;
            self.sum += histogram.middle(value) as f64 * count as f64;
        }
    }

    fn add_cut_off<C: Counter>(&mut self, histogram: &CompactHistogram<C>) {
        for CountedValue { value, count } in histogram.counted_values() {
            *self.cut_off.entry(value).or_default() += count;
        }
    }

    fn add_tally(&mut self, unit: MetricUnit, tally: &MetricTally) {
        if tally.count == 0 {
            return;
        }
        let factor = factor(unit);
        if let Some(trend) = &tally.trend {
            for bin in trend.iter_recorded() {
                *self.bins.entry(bin.value_iterated_to()).or_default() += bin.count_at_value();
            }
        }
        self.count += tally.count;
        self.hits += tally.hits;
        self.sum += tally.sum * factor;
        self.range.include(tally.range.min * factor);
        self.range.include(tally.range.max * factor);
        self.last = Some(tally.last * factor);
    }

    fn gauge(&mut self, value: f64) {
        self.range.include(value);
        self.last = Some(value);
    }
}

/// Returns the values of bins.
fn counted(bins: &BTreeMap<u64, u64>) -> impl Iterator<Item = CountedValue> {
    bins.iter().map(|(&value, &count)| CountedValue { value, count })
}

/// Returns the number of base units (microseconds, bytes or plain numbers) in one unit of a plugin's metric.
const fn factor(unit: MetricUnit) -> f64 {
    match unit {
        MetricUnit::Nanoseconds => 1e-3,
        MetricUnit::Number | MetricUnit::Bytes => 1.0,
    }
}

/// Returns the number of base units in one unit of a bin.
fn scale(measure: &Measure) -> f64 {
    match measure {
        Measure::Metrics { unit, .. } => factor(*unit) / TREND_SCALE,
        _ => 1.0,
    }
}
