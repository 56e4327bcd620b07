//! HDR histograms of durations, in the unit and range used by the whole tool: microseconds, from 1 µs to 1 h. What is
//! recorded and added up is in [`CompactHistogram`](super::compact_histogram::CompactHistogram)s.

use hdrhistogram::Histogram;
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
pub(crate) fn empty(digits: u8) -> Histogram<u64> {
    Histogram::new(digits).expect("at most 5 digits")
}

/// Rounds a duration to the nearest microsecond; one below 1 µs becomes 1 µs, one above 1 h becomes 1 h.
pub(crate) const fn whole_micros(duration: Nanos) -> u64 {
    let micros = duration.saturating_add(500) / 1000;
    match micros {
        0 => 1,
        MAX_MICROS.. => MAX_MICROS,
        micros => micros,
    }
}

/// Adds `from` to `into`, which must have the same number of digits; their bins are then equal, so nothing is lost.
pub(crate) fn add(into: &mut Histogram<u64>, from: &Histogram<u64>) {
    counted_values(from).for_each(|CountedValue { value, count }| record(into, value, count));
}

/// Adds a value that many times.
pub(crate) fn record(into: &mut Histogram<u64>, value: u64, count: u64) {
    // A histogram of this range can fail to grow only where `usize` has 16 bits.
    let _ = into.record_n(value, count);
}

/// Returns the counts of `whole` without those of `part`, which must have the same number of digits.
pub(crate) fn without(whole: &Histogram<u64>, part: &Histogram<u64>) -> Histogram<u64> {
    let mut rest = empty(whole.sigfig());
    for CountedValue { value, count } in counted_values(whole) {
        let left = count.saturating_sub(part.count_at(value));
        // A value that is recorded no times would still count as the greatest.
        if left > 0 {
            // A histogram of this range can fail to grow only where `usize` has 16 bits.
            let _ = rest.record_n(value, left);
        }
    }
    rest
}

/// Returns the values of a histogram in ascending order.
pub(crate) fn counted_values(histogram: &Histogram<u64>) -> impl Iterator<Item = CountedValue> {
    // Iterating over an empty histogram is not free.
    let bins = (!histogram.is_empty()).then(|| histogram.iter_recorded()).into_iter().flatten();
    bins.map(|bin| CountedValue { value: bin.value_iterated_to(), count: bin.count_at_value() })
}

/// Empties a histogram and keeps its memory. Costs nothing if the histogram is already empty.
pub(crate) fn clear(histogram: &mut Histogram<u64>) {
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
            assert_eq!(whole_micros(nanos), micros, "{case}");
        }
    }

    #[test]
    fn adding_parts_gives_the_whole() {
        let (mut parts, mut whole) = ([empty(FINE), empty(FINE)], empty(FINE));
        for n in 1..2_000_u64 {
            parts[usize::from(n % 3 == 0)].record(n * n).expect("in range");
            whole.record(n * n).expect("in range");
        }
        let mut sum = empty(FINE);
        parts.iter().for_each(|part| add(&mut sum, part));
        assert_eq!(sum, whole);
        assert_eq!((sum.min(), sum.max()), (whole.min(), whole.max()));
        let rest = without(&whole, &parts[0]);
        assert!(counted_values(&rest).eq(counted_values(&parts[1])));
        assert_eq!((rest.len(), rest.min(), rest.max()), (parts[1].len(), parts[1].min(), parts[1].max()));
    }

    #[test]
    fn a_cleared_histogram_is_empty_and_keeps_its_size() {
        let mut histogram = empty(FINE);
        histogram.record(7_000_000).expect("in range");
        let bins = histogram.distinct_values();
        clear(&mut histogram);
        assert_eq!((histogram.len(), histogram.max()), (0, 0));
        assert_eq!(histogram.distinct_values(), bins);
    }
}
