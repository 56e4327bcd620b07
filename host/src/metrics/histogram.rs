//! HDR histograms of durations, in the unit and range used by the whole tool: microseconds, from 1 µs to 1 h.
//!
//! The counters of an interval are 32 bits wide, those of a run 64. An interval lasts about a second and exists twice
//! per worker, so half the width saves much memory, and no second contains 2^32 requests. Histograms start small and
//! grow to fit the largest value seen, which happens at most 21 times.

use hdrhistogram::{Counter, Histogram};
use stampede_time::Nanos;

use super::survival::CountedValue;

/// The largest duration that is distinguished from longer ones, in microseconds: one hour.
pub(crate) const MAX_MICROS: u64 = 3_600_000_000;

/// Significant digits kept of response times, service times and start delays.
pub(crate) const FINE: u8 = 3;

/// Significant digits kept of phases.
pub(crate) const ROUGH: u8 = 2;

/// Returns an empty histogram that keeps `digits` significant digits, at most 5.
///
/// # Panics
/// If `digits` is above 5, which is a bug in this crate.
pub(crate) fn empty<C: Counter>(digits: u8) -> Histogram<C> {
    Histogram::new(digits).expect("at most 5 digits")
}

/// Counts a duration, rounded to the nearest microsecond; one below 1 µs counts as 1 µs, one above 1 h as 1 h.
pub(crate) fn record<C: Counter>(histogram: &mut Histogram<C>, duration: Nanos) {
    let micros = (duration.saturating_add(500) / 1000).clamp(1, MAX_MICROS);
    // A histogram of this range can fail to grow only where `usize` has 16 bits.
    let _ = histogram.record(micros);
}

/// Adds `from` to `into`, which must have the same number of digits; their bins are then equal, so nothing is lost.
pub(crate) fn add<C: Counter, D: Counter>(into: &mut Histogram<C>, from: &Histogram<D>) {
    if from.is_empty() {
        return;
    }
    for bin in from.iter_recorded() {
        let count = C::from_u64(bin.count_at_value().as_u64()).unwrap_or_else(C::one);
        let _ = into.record_n(bin.value_iterated_to(), count);
    }
}

/// Returns the values of a histogram in ascending order.
pub(crate) fn counted_values<C: Counter>(histogram: &Histogram<C>) -> impl Iterator<Item = CountedValue> {
    // Iterating over an empty histogram is not free.
    let bins = (!histogram.is_empty()).then(|| histogram.iter_recorded()).into_iter().flatten();
    bins.map(|bin| CountedValue { value: bin.value_iterated_to(), count: bin.count_at_value().as_u64() })
}

/// Empties a histogram and keeps its memory. Costs nothing if the histogram is already empty.
pub(crate) fn clear<C: Counter>(histogram: &mut Histogram<C>) {
    if !histogram.is_empty() {
        histogram.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_rounded_and_held_within_the_range() {
        let cases = [
            ("nothing counts as the shortest", 0, 1),
            ("below half a microsecond", 499, 1),
            ("rounds down", 2_499, 2),
            ("rounds up", 2_500, 3),
            ("an hour", 3_600_000_000_000, MAX_MICROS),
            ("longer than an hour", u64::MAX, MAX_MICROS),
        ];
        for (case, nanos, micros) in cases {
            let mut histogram = empty::<u32>(FINE);
            record(&mut histogram, nanos);
            assert!(histogram.equivalent(histogram.max(), micros), "{case}: {}", histogram.max());
        }
    }

    #[test]
    fn three_digits_are_kept() {
        let mut histogram = empty::<u32>(FINE);
        record(&mut histogram, 50_000_000);
        assert!(histogram.value_at_quantile(0.5).abs_diff(50_000) <= 50);
    }

    #[test]
    fn adding_loses_nothing_between_counter_widths() {
        let mut parts = [empty::<u32>(FINE), empty::<u32>(FINE)];
        let mut whole = empty::<u64>(FINE);
        for n in 0..2_000_u64 {
            record(&mut parts[usize::from(n % 3 == 0)], n * n * 1_000);
            record(&mut whole, n * n * 1_000);
        }
        let mut sum = empty::<u64>(FINE);
        for part in &parts {
            add(&mut sum, part);
        }
        assert_eq!(sum, whole);
        assert_eq!((sum.min(), sum.max()), (whole.min(), whole.max()));
    }

    #[test]
    fn a_cleared_histogram_is_empty_and_keeps_its_size() {
        let mut histogram = empty::<u32>(FINE);
        record(&mut histogram, 7_000_000_000);
        let bins = histogram.distinct_values();
        clear(&mut histogram);
        assert_eq!((histogram.len(), histogram.max()), (0, 0));
        assert_eq!(histogram.distinct_values(), bins);
    }
}
