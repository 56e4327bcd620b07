//! The distribution of times of which some are known only to be longer than a value, because an exchange was cut off.
//!
//! Without such exchanges, the numbers would flatter a target that stopped answering: the slower it is, the fewer of
//! its times would count. The estimate is that of Kaplan and Meier ("Nonparametric Estimation from Incomplete
//! Observations", Journal of the American Statistical Association 53, 1958), in the form of Efron ("The Two Sample
//! Problem with Censored Data", 1967): a value that is cut off passes its weight on to all longer ones, in equal parts.
//! So it can raise a percentile but never lower it, and without such values the percentiles are the usual ones.

/// A number, or the least that it can be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate<T> {
    /// The number.
    pub value: T,
    /// True if the number may be greater: the values that decide it were cut off.
    pub is_lower_bound: bool,
}

impl<T> Estimate<T> {
    /// Creates an estimate of a number that is known.
    pub const fn known(value: T) -> Self {
        Self { value, is_lower_bound: false }
    }

    /// Creates an estimate of a number that is at least `value`.
    pub const fn at_least(value: T) -> Self {
        Self { value, is_lower_bound: true }
    }

    /// Converts the number.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Estimate<U> {
        Estimate { value: convert(self.value), is_lower_bound: self.is_lower_bound }
    }
}

/// A value and how often it occurred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CountedValue {
    /// The value.
    pub value: u64,
    /// The number of times that it occurred.
    pub count: u64,
}

/// The estimated distribution. There is at least one value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SurvivalEstimate {
    /// Each known value, in ascending order, with the weight of all up to it. Without values that were cut off, weights
    /// are counts.
    upto: Vec<(u64, f64)>,
    /// The weight that was passed on to no value: that of values beyond the longest one.
    beyond: f64,
    /// The number of all values.
    count: u64,
    /// The smallest of all values, cut off or not.
    shortest: u64,
    /// The greatest of all values, cut off or not.
    longest: u64,
    /// True if any value was cut off.
    has_cut_off: bool,
}

impl SurvivalEstimate {
    /// Estimates the distribution of `known` values and of values that were `cut_off`; `None` if there are neither. Of
    /// equal values, those that are known count as the shorter ones.
    pub(crate) fn new(
        known: impl IntoIterator<Item = CountedValue>,
        cut_off: impl IntoIterator<Item = CountedValue>,
    ) -> Option<Self> {
        let mut all: Vec<(CountedValue, bool)> = known.into_iter().map(|value| (value, false)).collect();
        all.extend(cut_off.into_iter().map(|value| (value, true)));
        all.retain(|(counted, _)| counted.count > 0);
        all.sort_by_key(|(counted, is_cut_off)| (counted.value, *is_cut_off));
        let (shortest, longest) = (all.first()?.0.value, all.last()?.0.value);
        let count: u64 = all.iter().map(|(counted, _)| counted.count).sum();
        let has_cut_off = all.iter().any(|(_, is_cut_off)| *is_cut_off);
        let (mut upto, mut sum, mut beyond, mut left, mut weight) = (Vec::new(), 0.0, 0.0, count, 1.0);
        for (CountedValue { value, count }, is_cut_off) in all {
            left -= count;
            if !is_cut_off {
                sum += count as f64 * weight;
                upto.push((value, sum));
            } else if left > 0 {
                weight *= (left + count) as f64 / left as f64;
            } else {
                beyond = count as f64 * weight;
            }
        }
        Some(Self { upto, beyond, count, shortest, longest, has_cut_off })
    }

    /// Returns the number of all values.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// Returns the number of values up to this one. Those that were cut off count where the estimate places them.
    pub(crate) fn count_upto(&self, value: u64) -> u64 {
        if value >= self.longest {
            return self.count;
        }
        let above = self.upto.partition_point(|(known, _)| *known <= value);
        above.checked_sub(1).map_or(0, |last| self.upto[last].1.round() as u64)
    }

    /// Returns the value that this share of the values does not exceed, counted as HDR histograms do.
    pub(crate) fn quantile(&self, share: f64) -> Estimate<u64> {
        let rank = (share * self.count as f64).ceil().max(1.0);
        // Weights are sums and products of fractions: far more exact than one value in a thousand million.
        let rank = rank - self.count as f64 * 1e-9;
        let reached = self.upto.partition_point(|(_, upto)| *upto < rank);
        self.upto.get(reached).map_or(Estimate::at_least(self.longest), |(value, _)| Estimate::known(*value))
    }

    /// Returns the smallest value. One that was cut off before the smallest that is known may have become any value
    /// from there on.
    pub(crate) fn min(&self) -> Estimate<u64> {
        let is_known = self.upto.first().is_some_and(|(value, _)| *value == self.shortest);
        Estimate { value: self.shortest, is_lower_bound: !is_known }
    }

    /// Returns the greatest value. Any value that was cut off may have become a greater one.
    pub(crate) const fn max(&self) -> Estimate<u64> {
        Estimate { value: self.longest, is_lower_bound: self.has_cut_off }
    }

    /// Returns the mean. What was cut off and exceeds every other value counts as the longest value.
    pub(crate) fn mean(&self) -> Estimate<f64> {
        self.moment(|value| value)
    }

    /// Returns the standard deviation, likewise.
    pub(crate) fn stddev(&self) -> Estimate<f64> {
        let mean = self.mean().value;
        self.moment(|value| (value - mean).powi(2)).map(f64::sqrt)
    }

    fn moment(&self, of: impl Fn(f64) -> f64) -> Estimate<f64> {
        let (mut sum, mut before) = (of(self.longest as f64) * self.beyond, 0.0);
        for (value, upto) in &self.upto {
            sum += of(*value as f64) * (upto - before);
            before = *upto;
        }
        let value = sum / self.count as f64;
        Estimate { value, is_lower_bound: self.beyond > 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(values: &[u64]) -> Vec<CountedValue> {
        let mut values = values.to_vec();
        values.sort_unstable();
        values.into_iter().map(|value| CountedValue { value, count: 1 }).collect()
    }

    fn estimate(known: &[u64], cut_off: &[u64]) -> SurvivalEstimate {
        SurvivalEstimate::new(counted(known), counted(cut_off)).expect("not empty")
    }

    #[test]
    fn without_any_value_there_is_no_estimate() {
        assert_eq!(SurvivalEstimate::new([], []), None);
    }

    #[test]
    fn the_example_of_kaplan_and_meier() {
        // Section 2 of their paper: deaths at 0.8, 3.1, 5.4 and 9.2 months, losses at 1.0, 2.7, 7.0 and 12.1. The
        // shares that survive are 7/8, 7/8 * 4/5 and 7/8 * 4/5 * 3/4; they are 7/8 * 4/5 * 3/4 * 1/2 from 9.2 on.
        let found = estimate(&[8, 31, 54, 92], &[10, 27, 70, 121]);
        for ((value, upto), expected) in found.upto.iter().zip([0.875, 0.7, 0.525, 0.2625]) {
            assert!((1.0 - upto / 8.0 - expected).abs() < 1e-12, "{value}: {upto}");
        }
        assert_eq!(found.quantile(0.125), Estimate::known(8));
        assert_eq!(found.quantile(0.5), Estimate::known(92));
        assert_eq!(found.quantile(0.75), Estimate::at_least(121));
    }

    #[test]
    fn half_of_all_unanswered_shows_in_the_upper_half() {
        let known: Vec<u64> = (1..=600).collect();
        let found = estimate(&known, &vec![5_000; 600]);
        assert_eq!(found.quantile(0.5), Estimate::known(600));
        assert_eq!(found.quantile(0.51), Estimate::at_least(5_000));
        assert_eq!((found.min(), found.max()), (Estimate::known(1), Estimate::at_least(5_000)));
        assert!(found.mean().is_lower_bound && (found.mean().value - (300.5 + 5_000.0) / 2.0).abs() < 1e-6);
    }

    #[test]
    fn with_nothing_but_cut_off_values_every_number_is_a_lower_bound() {
        let found = estimate(&[], &[5, 7]);
        assert_eq!([found.quantile(0.0), found.quantile(0.5), found.max()], [Estimate::at_least(7); 3]);
        assert_eq!(found.min(), Estimate::at_least(5));
        assert_eq!((found.mean(), found.stddev()), (Estimate::at_least(7.0), Estimate::at_least(0.0)));
    }

    #[test]
    fn values_that_were_cut_off_count_where_the_estimate_places_them() {
        let found = estimate(&[10, 20, 30, 40], &[25, 25]);
        assert_eq!([5, 10, 29, 30, 40, 50].map(|value| found.count_upto(value)), [0, 1, 2, 4, 6, 6]);
        let open = estimate(&[10, 20], &[30]);
        assert_eq!([10, 20, 29, 30].map(|value| open.count_upto(value)), [1, 2, 2, 3]);
    }

    #[test]
    fn the_smallest_value_is_known_only_if_none_was_cut_off_before_it() {
        assert_eq!(estimate(&[10, 20], &[15]).min(), Estimate::known(10));
        assert_eq!(estimate(&[10, 20], &[10]).min(), Estimate::known(10));
        assert_eq!(estimate(&[10, 20], &[4]).min(), Estimate::at_least(4));
    }

    proptest! {
        #[test]
        fn cut_off_values_never_lower_a_percentile(
            known in prop::collection::vec(1_u64..1_000, 1..60),
            cut_off in prop::collection::vec(1_u64..1_500, 0..60),
            share in 0.0..1.0_f64,
        ) {
            let (plain, all) = (estimate(&known, &[]), estimate(&known, &cut_off));
            prop_assert!(all.quantile(share).value >= plain.quantile(share).value);
            prop_assert!(all.mean().value >= plain.mean().value - 1e-6);
        }

        #[test]
        fn without_cut_off_values_the_numbers_are_those_of_a_histogram(
            known in prop::collection::vec(1_u64..1_000, 1..60),
            share in 0.0..1.0_f64,
        ) {
            let mut histogram = hdrhistogram::Histogram::<u64>::new(3).expect("valid");
            known.iter().for_each(|value| histogram.record(*value).expect("in range"));
            let found = estimate(&known, &[]);
            prop_assert_eq!(found.quantile(share), Estimate::known(histogram.value_at_quantile(share)));
            prop_assert!((found.mean().value - histogram.mean()).abs() < 1e-6);
            prop_assert!((found.stddev().value - histogram.stdev()).abs() < 1e-6);
        }
    }
}
