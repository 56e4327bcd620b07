//! Durations counted in buckets, in two forms at once: the few fixed bounds that every reader of Prometheus
//! understands, and exponential buckets, which are narrow enough for percentiles and can be merged.
//!
//! Both come from HDR histograms whose bins are up to a thousandth wide (phases: a hundredth). A bin counts in the
//! bucket of its least value, so a duration that is just above a bound may count below it.

use std::collections::BTreeMap;

use hdrhistogram::{Counter, Histogram};

use crate::metrics::compact_histogram::CompactHistogram;
use crate::metrics::histogram::counted_values;
use crate::metrics::survival::CountedValue;

/// The upper bounds of the fixed buckets, in seconds: those that OpenTelemetry advises for the durations of HTTP
/// requests.
const BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// The scale of the exponential buckets: each is 2^(1/8), about 9 %, wider than the one before.
pub(in crate::sinks) const EXPONENTIAL_SCALE: i32 = 3;

/// The buckets of a power of two.
const PER_OCTAVE: f64 = (1_u32 << EXPONENTIAL_SCALE) as f64;

/// Durations in buckets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::sinks) struct BucketedTimes {
    /// Number of durations.
    pub count: u64,
    /// Their sum in microseconds, each as the middle of its bin, as in the mean of the report.
    pub sum_us: u64,
    /// The number in each fixed bucket, in the order of [`BOUNDS`]; the last one is for what is above all of them.
    pub fixed: [u64; BOUNDS.len() + 1],
    /// The number in each exponential bucket that has any. Bucket `n` holds durations in seconds above `b^n` and up to
    /// `b^(n + 1)`, where `b` is 2^(1/8).
    pub exponential: BTreeMap<i32, u64>,
}

impl BucketedTimes {
    /// Adds the durations of a histogram.
    pub(in crate::sinks) fn add<C: Counter>(&mut self, histogram: &CompactHistogram<C>) {
        for CountedValue { value, count } in histogram.counted_values() {
            self.add_bin(histogram.lowest_equivalent(value), histogram.middle(value), count);
        }
    }

    /// Adds an HDR histogram of microseconds.
    pub(in crate::sinks) fn add_hdr(&mut self, histogram: &Histogram<u64>) {
        for CountedValue { value, count } in counted_values(histogram) {
            self.add_bin(histogram.lowest_equivalent(value), histogram.median_equivalent(value), count);
        }
    }

    fn add_bin(&mut self, least: u64, middle: u64, count: u64) {
        self.count += count;
        self.sum_us += middle * count;
        self.fixed[fixed_bucket(least)] += count;
        *self.exponential.entry(exponential_bucket(least)).or_default() += count;
    }

    /// Returns the number in each fixed bucket after its upper bound in seconds; the last bound is infinite.
    pub(in crate::sinks) fn with_bounds(&self) -> Vec<(f64, u64)> {
        BOUNDS.into_iter().chain([f64::INFINITY]).zip(self.fixed).collect()
    }

    /// Returns the sum in seconds.
    pub(in crate::sinks) fn sum_seconds(&self) -> f64 {
        self.sum_us as f64 / 1e6
    }
}

fn fixed_bucket(micros: u64) -> usize {
    // The product is exact: a bound has three decimals.
    BOUNDS.iter().position(|bound| micros as f64 <= (bound * 1e6).round()).unwrap_or(BOUNDS.len())
}

fn exponential_bucket(micros: u64) -> i32 {
    ((micros.max(1) as f64 / 1e6).log2() * PER_OCTAVE).ceil() as i32 - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::histogram::FINE;

    fn times(micros: &[u64]) -> BucketedTimes {
        let mut histogram = CompactHistogram::<u32>::new(FINE);
        micros.iter().for_each(|micros| histogram.record(micros * 1000));
        let mut times = BucketedTimes::default();
        times.add(&histogram);
        times
    }

    #[test]
    fn a_duration_on_a_bound_counts_below_it() {
        let times = times(&[1, 5_000, 5_010, 10_000, 10_000_000, 10_100_000, 3_600_000_000]);
        let mut fixed = [0; BOUNDS.len() + 1];
        (fixed[0], fixed[1], fixed[BOUNDS.len() - 1], fixed[BOUNDS.len()]) = (2, 2, 1, 2);
        assert_eq!((times.count, times.fixed), (7, fixed));
    }

    #[test]
    fn an_exponential_bucket_includes_its_upper_bound_and_excludes_its_lower_one() {
        for (case, micros, bucket) in [
            ("a second is the upper bound of bucket -1", 1_000_000, -1),
            ("half a second", 500_000, -9),
            ("a microsecond", 1, -160),
            ("a quarter of a second", 250_000, -17),
        ] {
            assert_eq!(exponential_bucket(micros), bucket, "{case}");
            let (upper, exponent) = (f64::from(bucket + 1) / PER_OCTAVE, (micros as f64 / 1e6).log2());
            assert!(exponent <= upper && exponent > upper - 1.0 / PER_OCTAVE, "{case}");
        }
        let times = times(&[1, 90_000, 90_001, 7_000_000]);
        assert_eq!(times.exponential.values().sum::<u64>(), times.count);
    }

    #[test]
    fn the_sum_is_that_of_the_mean_of_the_report() {
        let mut histogram = CompactHistogram::<u32>::new(FINE);
        (1..=1_000_u64).for_each(|n| histogram.record(n * n * 10_000));
        let (mut times, mut decoded) = (BucketedTimes::default(), BucketedTimes::default());
        times.add(&histogram);
        decoded.add_hdr(&histogram.to_hdr());
        assert_eq!(times, decoded, "those of a second and those of a report have the same bins");
        let (mean, known) = (times.sum_us as f64 / times.count as f64, histogram.to_hdr().mean());
        assert!((mean - known).abs() < 0.51, "{mean} and {known}");
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let mut sum = times(&[3, 70_000, 2_000_000]);
        let mut other = CompactHistogram::<u64>::new(FINE);
        other.record(70_000_000);
        sum.add(&other);
        sum.add(&CompactHistogram::<u64>::new(FINE));
        assert_eq!(sum, times(&[3, 70_000, 70_000, 2_000_000]));
    }
}
