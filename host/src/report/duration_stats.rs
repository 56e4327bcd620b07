//! Two forms of a histogram: the numbers that people compare, and text that other programs can merge.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};

use super::model::DurationStats;
use crate::metrics::custom_metric::{MAX_VALUE, TREND_SCALE};
use crate::metrics::histogram::{self, counted_values};
use crate::metrics::survival::{Estimate, SurvivalEstimate};

/// Returns the numbers of a histogram; `None` if it is empty.
pub(super) fn duration_stats(histogram: &Histogram<u64>) -> Option<DurationStats> {
    if histogram.is_empty() {
        return None;
    }
    let at = |quantile| histogram.value_at_quantile(quantile);
    Some(DurationStats {
        count: histogram.len(),
        cut_off: 0,
        at_least: Vec::new(),
        min: histogram.min(),
        mean: round_to_tenths(histogram.mean()),
        stddev: round_to_tenths(histogram.stdev()),
        p50: at(0.5),
        p75: at(0.75),
        p90: at(0.9),
        p95: at(0.95),
        p99: at(0.99),
        p99_9: at(0.999),
        max: histogram.max(),
        percentiles: Vec::new(),
    })
}

/// Returns the numbers of times of which some were cut off, as [`SurvivalEstimate`] estimates them; `None` if there are
/// neither.
pub(super) fn censored_duration_stats(
    known: &Histogram<u64>,
    cut_off: Option<&Histogram<u64>>,
) -> Option<DurationStats> {
    let Some(cut_off) = cut_off.filter(|cut_off| !cut_off.is_empty()) else { return duration_stats(known) };
    let estimate = SurvivalEstimate::new(counted_values(known), counted_values(cut_off))?;
    let mut at_least = Vec::new();
    let mut note = |name: &'static str, is_lower_bound: bool| {
        if is_lower_bound {
            at_least.push(name.into());
        }
    };
    let mut whole = |name, estimate: Estimate<u64>| {
        note(name, estimate.is_lower_bound);
        estimate.value
    };
    let min = whole("min", estimate.min());
    let [p50, p75, p90, p95, p99, p99_9] =
        [("p50", 0.5), ("p75", 0.75), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99_9", 0.999)]
            .map(|(name, quantile)| whole(name, estimate.quantile(quantile)));
    let max = whole("max", estimate.max());
    let (mean, stddev) = (estimate.mean(), estimate.stddev());
    note("mean", mean.is_lower_bound);
    note("stddev", stddev.is_lower_bound);
    let (mean, stddev) = (round_to_tenths(mean.value), round_to_tenths(stddev.value));
    let (count, cut_off) = (known.len(), cut_off.len());
    let percentiles = Vec::new();
    Some(DurationStats {
        count,
        cut_off,
        at_least,
        min,
        mean,
        stddev,
        p50,
        p75,
        p90,
        p95,
        p99,
        p99_9,
        max,
        percentiles,
    })
}

/// Rounds to a tenth of a microsecond; more decimals would be noise.
fn round_to_tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Encodes a histogram in the V2 compressed format, in base64. Every histogram is written with the same bounds, 1 µs to
/// 1 h, whatever its size in memory, so that any implementation can add two with the same number of digits.
pub(super) fn encode(histogram: &Histogram<u64>) -> String {
    let mut whole =
        Histogram::<u64>::new_with_bounds(1, histogram::MAX_MICROS, histogram.sigfig()).expect("valid bounds");
    histogram::add(&mut whole, histogram);
    serialize_base64(&whole)
}

/// Encodes the histogram of a plugin's trend as [`encode`] does, but in thousandths and with an upper bound of 2^53.
pub(super) fn encode_wide(histogram: &Histogram<u64>) -> String {
    let most = (MAX_VALUE * TREND_SCALE) as u64;
    let mut whole = Histogram::<u64>::new_with_bounds(1, most, histogram.sigfig()).expect("valid bounds");
    histogram::add(&mut whole, histogram);
    serialize_base64(&whole)
}

fn serialize_base64(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new().serialize(histogram, &mut bytes).expect("memory can be written to");
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::Deserializer;

    use super::*;

    fn filled(values: impl Iterator<Item = u64>) -> Histogram<u64> {
        let mut filled = histogram::empty(histogram::FINE);
        values.for_each(|nanos| filled.record(histogram::whole_micros(nanos)).expect("in range"));
        filled
    }

    fn decode(text: &str) -> Histogram<u64> {
        let bytes = STANDARD.decode(text).expect("base64");
        Deserializer::new().deserialize(&mut bytes.as_slice()).expect("V2 compressed")
    }

    #[test]
    fn an_empty_histogram_has_no_times() {
        assert_eq!(duration_stats(&histogram::empty(histogram::FINE)), None);
    }

    #[test]
    fn times_of_a_known_distribution() {
        let times = duration_stats(&filled((1..=1_000).map(|n| n * 1_000))).expect("not empty");
        assert_eq!(
            (times.min, times.p50, times.p90, times.p99, times.p99_9, times.max),
            (1, 500, 900, 990, 999, 1_000)
        );
        assert_eq!((times.count, times.mean, times.stddev), (1_000, 500.5, 288.7));
    }

    #[test]
    fn numbers_that_cut_off_times_decide_are_lower_bounds() {
        let known = filled((1..=900).map(|n| n * 1_000));
        assert_eq!(censored_duration_stats(&known, None), duration_stats(&known));
        let times = censored_duration_stats(&known, Some(&filled((0..100).map(|_| 5_000_000)))).expect("not empty");
        assert_eq!((times.count, times.cut_off, times.p50, times.p90), (900, 100, 500, 900));
        let near = |value: f64, expected: f64| (value - expected).abs() <= expected / 1000.0;
        assert!(
            near(times.p95 as f64, 5_000.0) && near(times.max as f64, 5_000.0) && near(times.mean, 905.45),
            "{times:?}"
        );
        assert_eq!(times.at_least, ["p95", "p99", "p99_9", "max", "mean", "stddev"]);
    }

    #[test]
    fn a_decoded_histogram_gives_the_same_numbers() {
        let original = filled((0..5_000).map(|n| n * n * 777));
        assert_eq!(duration_stats(&decode(&encode(&original))), duration_stats(&original));
    }

    #[test]
    fn decoded_histograms_of_any_size_add_up() {
        let (small, large) = (filled([2_000].into_iter()), filled([u64::MAX].into_iter()));
        let mut sum = decode(&encode(&small));
        sum.add(decode(&encode(&large))).expect("the same bounds");
        assert_eq!((sum.len(), sum.min()), (2, 2));
    }
}
