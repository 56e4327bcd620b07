//! Metrics that plugins define, and how values of each kind add up. Tallies of workers and seconds merge in any order.

use hdrhistogram::Histogram;

use super::histogram;
use super::sample::RowId;

/// Index of a metric of the run.
pub(crate) type MetricId = u16;

/// The kind of a metric, which decides how its values become a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// The sum of the values.
    Counter,
    /// The last, the least and the greatest value.
    Gauge,
    /// The share of values that are not 0.
    Rate,
    /// The distribution of the values.
    Trend,
}

/// The unit of a metric's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricUnit {
    /// A plain number.
    Number,
    /// Nanoseconds.
    Nanoseconds,
    /// Bytes.
    Bytes,
}

/// The names, kind and unit of a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricInfo {
    /// The plugin that defined the metric.
    pub plugin: String,
    /// The metric's name.
    pub name: String,
    /// The kind, which decides how values become a number.
    pub kind: MetricKind,
    /// The unit of its values.
    pub unit: MetricUnit,
    /// The row whose values alone it counts; `None` for those of the whole run.
    pub row: Option<RowId>,
}

impl MetricInfo {
    /// Returns `true` if both have the same name in the same plugin.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.plugin == other.plugin && self.name == other.name
    }
}

/// The largest value that a trend distinguishes from larger ones: 2^53, up to which a float holds every whole number.
pub(crate) const MAX_VALUE: f64 = 9_007_199_254_740_992.0;

/// The units of a trend's bins per unit of its values: thousandths, so that a plain number may have a fraction.
pub(crate) const TREND_SCALE: f64 = 1_000.0;

impl MetricKind {
    /// All kinds.
    pub(crate) const ALL: [Self; 4] = [Self::Counter, Self::Gauge, Self::Rate, Self::Trend];

    /// Returns the name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Rate => "rate",
            Self::Trend => "trend",
        }
    }

    /// Returns `true` if a metric of this kind accepts the value.
    pub fn accepts(self, value: f64) -> bool {
        match self {
            Self::Counter | Self::Trend => (0.0..=MAX_VALUE).contains(&value),
            Self::Gauge | Self::Rate => (-MAX_VALUE..=MAX_VALUE).contains(&value),
        }
    }
}

impl MetricUnit {
    /// All units.
    pub(crate) const ALL: [Self; 3] = [Self::Number, Self::Nanoseconds, Self::Bytes];

    /// Returns the name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Nanoseconds => "nanoseconds",
            Self::Bytes => "bytes",
        }
    }
}

/// The least and the greatest of some values. While there are none, `min` is +∞ and `max` is −∞.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueRange {
    /// The least value.
    pub min: f64,
    /// The greatest value.
    pub max: f64,
}

impl Default for ValueRange {
    fn default() -> Self {
        Self { min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl ValueRange {
    /// Extends the range to include a value. Hot.
    pub fn include(&mut self, value: f64) {
        (self.min, self.max) = (self.min.min(value), self.max.max(value));
    }

    /// Extends the range to include another range.
    pub fn merge(&mut self, other: Self) {
        (self.min, self.max) = (self.min.min(other.min), self.max.max(other.max));
    }
}

/// The values of a metric, summed up in every form that its kind may need.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricTally {
    /// Number of values.
    pub count: u64,
    /// Sum of the values.
    pub sum: f64,
    /// Number of values that were not 0.
    pub hits: u64,
    /// The least and the greatest value.
    pub range: ValueRange,
    /// The last value.
    pub last: f64,
    /// Distribution of the values in thousandths, if the metric is a trend.
    pub trend: Option<Histogram<u64>>,
}

impl MetricTally {
    /// Creates a tally without values.
    pub fn new(kind: MetricKind) -> Self {
        let trend = (kind == MetricKind::Trend).then(|| histogram::empty(histogram::FINE));
        Self { count: 0, sum: 0.0, hits: 0, range: ValueRange::default(), last: 0.0, trend }
    }

    /// Adds a value that the kind accepts. Hot: allocates nothing once a trend has seen its largest value.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        self.hits += u64::from(value != 0.0);
        self.range.include(value);
        self.last = value;
        if let Some(trend) = &mut self.trend {
            // A histogram of this range can fail to grow only where `usize` has 16 bits.
            let _ = trend.record((value * TREND_SCALE).round() as u64);
        }
    }

    /// Adds another tally. `is_later` is `true` if its last value came after the last value of this one.
    pub fn merge(&mut self, other: &Self, is_later: bool) {
        if other.count == 0 {
            return;
        }
        if is_later || self.count == 0 {
            self.last = other.last;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.hits += other.hits;
        self.range.merge(other.range);
        if let (Some(into), Some(from)) = (&mut self.trend, &other.trend) {
            histogram::add(into, from);
        }
    }

    /// Removes all values and keeps the memory.
    pub fn clear(&mut self) {
        let trend = self.trend.take().map(|mut trend| {
            histogram::clear(&mut trend);
            trend
        });
        *self = Self { trend, ..Self::new(MetricKind::Counter) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(kind: MetricKind, values: &[f64]) -> MetricTally {
        let mut tally = MetricTally::new(kind);
        values.iter().for_each(|value| tally.add(*value));
        tally
    }

    #[test]
    fn values_out_of_a_kinds_range_are_rejected() {
        for (kind, takes) in [
            (MetricKind::Counter, [true, false, false, false, false]),
            (MetricKind::Gauge, [true, false, true, false, false]),
            (MetricKind::Rate, [true, false, true, false, false]),
            (MetricKind::Trend, [true, false, false, false, false]),
        ] {
            assert_eq!([0.5, 1e17, -1.0, f64::NAN, f64::INFINITY].map(|value| kind.accepts(value)), takes, "{kind:?}");
        }
    }

    #[test]
    fn values_add_up_by_kind() {
        let counted = tally(MetricKind::Counter, &[1.0, 2.5]);
        assert_eq!((counted.sum, counted.count), (3.5, 2));
        let rated = tally(MetricKind::Rate, &[1.0, 0.0, 0.0, 7.0]);
        assert_eq!((rated.hits, rated.count), (2, 4));
        let gauged = tally(MetricKind::Gauge, &[3.0, -2.0, 1.0]);
        assert_eq!((gauged.range, gauged.last), (ValueRange { min: -2.0, max: 3.0 }, 1.0));
        let trend = tally(MetricKind::Trend, &[0.25, 1_000_000.0]).trend.unwrap();
        assert_eq!((trend.min(), trend.len()), (250, 2));
        assert!(trend.equivalent(trend.max(), 1_000_000_000));
    }

    #[test]
    fn tallies_merge_in_any_order_and_the_last_value_is_the_latest() {
        let (early, late) = (tally(MetricKind::Trend, &[1.0, 9.0]), tally(MetricKind::Trend, &[4.0]));
        let mut forth = MetricTally::new(MetricKind::Trend);
        forth.merge(&early, true);
        forth.merge(&late, true);
        let mut back = MetricTally::new(MetricKind::Trend);
        back.merge(&late, true);
        back.merge(&early, false);
        assert_eq!(forth, back);
        assert_eq!((forth.last, forth.count, forth.range), (4.0, 3, ValueRange { min: 1.0, max: 9.0 }));
    }

    #[test]
    fn a_cleared_tally_is_empty() {
        for kind in [MetricKind::Counter, MetricKind::Trend] {
            let mut used = tally(kind, &[5.0]);
            used.clear();
            let trend = used.trend.take();
            assert!(trend.is_none_or(|trend| trend.is_empty()));
            assert_eq!(used, MetricTally::new(MetricKind::Counter));
        }
    }
}
