//! The distribution of response times as text, in the form that HdrHistogram's `outputPercentileDistribution` prints
//! and its plotters read: lines of value, percentile, number of values up to there and 1/(1 − percentile), five for
//! each halving of the distance to 100 %. Values are milliseconds. All rows are one distribution, of the requests that
//! `--latency-of` chooses, without rows whose times are by design. Of exchanges that were cut off the estimate of the
//! report is shown, so that the numbers are those of the table.

use std::io::{self, Write};

use super::super::model::{DurationStats, Report};
use super::super::percentiles;
use crate::metrics::survival::SurvivalEstimate;

/// The lines for each halving of the distance to 100 %.
const TICKS_PER_HALF: f64 = 5.0;

/// The buckets of a histogram of microseconds up to an hour with three significant digits.
const BUCKETS: u32 = 22;

/// The divisions of each of its buckets.
const SUB_BUCKETS: u32 = 2048;

/// Writes the response times of all rows.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{:>12} {:>14} {:>10} {:>14}\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)")?;
    let outcome = report.settings.latency_of;
    let is_known = report.totals.response_time(outcome).is_some();
    let times = is_known.then(|| report.totals.histograms.response_times(outcome));
    if let Some(estimate) = times.and_then(percentiles::estimate) {
        write_percentiles(&estimate, out)?;
    }
    write_footer(report.totals.response_time(outcome), out)
}

fn write_percentiles(estimate: &SurvivalEstimate, out: &mut dyn Write) -> io::Result<()> {
    let mut share = 0.0_f64;
    loop {
        // Rounding must not carry a share that ends at a value over to the next one.
        let value = estimate.quantile((share - 1e-12).max(0.0)).value;
        let upto = estimate.count_upto(value);
        // The last value is shown once for the share that led to it, and once for 100 %.
        writeln!(out, "{:>12.3} {share:.12} {upto:>10} {:>14.2}", millis(value), 1.0 / (1.0 - share))?;
        if upto >= estimate.count() {
            break;
        }
        let halvings = (1.0 / (1.0 - share)).log2().floor() + 1.0;
        share += 1.0 / (TICKS_PER_HALF * halvings.exp2());
    }
    writeln!(out, "{:>12.3} {:.12} {:>10}", millis(estimate.max().value), 1.0, estimate.count())
}

fn write_footer(times: Option<&DurationStats>, out: &mut dyn Write) -> io::Result<()> {
    let (mean, stddev, max) =
        times.map_or((0.0, 0.0, 0.0), |times| (times.mean / 1e3, times.stddev / 1e3, millis(times.max)));
    let count = times.map_or(0, |times| times.count + times.cut_off);
    writeln!(out, "#[Mean    = {mean:>12.3}, StdDeviation   = {stddev:>12.3}]")?;
    writeln!(out, "#[Max     = {max:>12.3}, Total count    = {count:>12}]")?;
    writeln!(out, "#[Buckets = {BUCKETS:>12}, SubBuckets     = {SUB_BUCKETS:>12}]")
}

fn millis(micros: u64) -> f64 {
    micros as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::super::super::test_reports;
    use super::*;

    fn written(report: &Report) -> String {
        let mut bytes = Vec::new();
        write(report, &mut bytes).expect("memory can be written to");
        String::from_utf8(bytes).expect("UTF-8")
    }

    /// Reads the columns of the lines that have values.
    fn lines(text: &str) -> Vec<Vec<f64>> {
        let data = text.lines().skip(2).filter(|line| !line.starts_with('#'));
        data.map(|line| line.split_whitespace().map(|cell| cell.parse().expect("a number")).collect()).collect()
    }

    /// Compares with a golden file; `BLESS=1` writes it instead.
    #[test]
    fn a_usual_run() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/golden/movies.hgrm");
        let text = written(&test_reports::movies());
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &text).expect("golden file is writable");
        }
        assert_eq!(text, std::fs::read_to_string(&path).unwrap_or_default());
    }

    #[test]
    fn the_lines_are_those_of_the_reference_implementation() {
        let report = test_reports::steady(50, (1_000, 900_000), 0);
        let bytes = {
            use base64::Engine;
            base64::engine::general_purpose::STANDARD.decode(&report.totals.histograms.response_time).expect("base64")
        };
        let histogram: hdrhistogram::Histogram<u64> =
            hdrhistogram::serialization::Deserializer::new().deserialize(&mut bytes.as_slice()).expect("a histogram");
        let written = lines(&written(&report));
        let mut upto = 0;
        let expected: Vec<Vec<f64>> = histogram
            .iter_quantiles(5)
            .map(|step| {
                upto += step.count_since_last_iteration();
                vec![step.value_iterated_to() as f64 / 1e3, step.quantile_iterated_to(), upto as f64]
            })
            .collect();
        assert_eq!(written.len(), expected.len());
        for (line, expected) in written.iter().zip(&expected) {
            assert!((line[1] - expected[1]).abs() < 1e-9, "{line:?} {expected:?}");
            // There a share ends exactly at a value, and rounding alone decides whether that or the next one is shown.
            let rank = line[1] * histogram.len() as f64;
            if line[1] < 1.0 && (rank - rank.round()).abs() < 1e-6 {
                continue;
            }
            assert_eq!((line[0], line[2]), (expected[0], expected[2]), "{line:?}");
        }
    }

    #[test]
    fn values_and_percentiles_never_fall() {
        for report in [test_reports::movies(), test_reports::wide()] {
            let lines = lines(&written(&report));
            assert!(lines.windows(2).all(|pair| pair[0].iter().zip(&pair[1]).all(|(a, b)| a <= b)), "{lines:?}");
            let last = lines.last().expect("there were requests");
            assert_eq!((last[1], last[2], last.len()), (1.0, report.totals.requests.total as f64, 3));
        }
    }

    #[test]
    fn a_run_without_a_request_has_a_header_and_a_footer() {
        let text = written(&test_reports::nothing());
        assert!(lines(&text).is_empty() && text.contains("Total count    =            0]"), "{text}");
    }
}
