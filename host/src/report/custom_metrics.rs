//! Metrics that plugins define, as numbers of the report and as lines of the table.

use bytesize::ByteSize;
use hdrhistogram::Histogram;
use stampede_time::Nanos;

use super::duration_stats::encode_wide;
use super::format::{grouped, grouped_decimal, latency, percent};
use super::model::{MetricReport, Report, TrendStats};
use crate::metrics::aggregate::{self, RowInfo};
use crate::metrics::custom_metric::{MetricKind, MetricTally, MetricUnit, TREND_SCALE};
use crate::text::one_line;

/// Returns the numbers of a metric. Those that do not apply to its kind are `None`; without values, all are.
/// `row` is the row whose values alone it counts.
pub(super) fn metric_report(measured: &aggregate::MetricTotal, row: Option<&RowInfo>, load: Nanos) -> MetricReport {
    let aggregate::MetricTotal { info, tally, .. } = measured;
    let of = |kinds: &[MetricKind]| kinds.contains(&info.kind) && tally.count > 0;
    let ranged = of(&[MetricKind::Gauge, MetricKind::Trend]);
    let seconds = load as f64 / 1e9;
    MetricReport {
        plugin: info.plugin.clone(),
        name: info.name.clone(),
        step: row.map(|row| row.name.clone()),
        scenario: row.and_then(|row| row.scenario.clone()),
        kind: info.kind.name().into(),
        unit: info.unit.name().into(),
        count: tally.count,
        sum: of(&[MetricKind::Counter]).then_some(tally.sum),
        per_second: (of(&[MetricKind::Counter]) && load > 0).then(|| tally.sum / seconds),
        hits: of(&[MetricKind::Rate]).then_some(tally.hits),
        share: of(&[MetricKind::Rate]).then(|| tally.hits as f64 / tally.count as f64),
        last: of(&[MetricKind::Gauge]).then_some(tally.last),
        min: ranged.then_some(tally.range.min),
        max: ranged.then_some(tally.range.max),
        distribution: trend(tally).map(|trend| distribution(trend, tally.sum / tally.count as f64)),
        histogram: trend(tally).map(encode_wide),
    }
}

fn trend(tally: &MetricTally) -> Option<&Histogram<u64>> {
    tally.trend.as_ref().filter(|trend| !trend.is_empty())
}

/// Returns the distribution of a trend's values, with the exact mean given by the caller.
pub(super) fn distribution(trend: &Histogram<u64>, mean: f64) -> TrendStats {
    let at = |quantile: f64| trend.value_at_quantile(quantile) as f64 / TREND_SCALE;
    TrendStats { mean, p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), p999: at(0.999) }
}

/// Renders the metrics of a report, one per line; empty if there are none.
pub(super) fn lines(report: &Report) -> String {
    if report.metrics.is_empty() {
        return String::new();
    }
    let names: Vec<String> = report.metrics.iter().map(|metric| one_line(&full_name(metric))).collect();
    let width = names.iter().map(String::len).max().unwrap_or(0);
    let lines = names.iter().zip(&report.metrics).map(|(name, metric)| format!("  {name:width$}  {}\n", line(metric)));
    format!("Metrics:\n{}", lines.collect::<String>())
}

/// Returns a metric's name as thresholds write it.
fn full_name(metric: &MetricReport) -> String {
    let MetricReport { plugin, name, step, scenario, .. } = metric;
    match (step, scenario) {
        (None, _) => format!("{plugin}.{name}"),
        (Some(step), None) => format!("{plugin}.{name}{{step:{step}}}"),
        (Some(step), Some(scenario)) => format!("{plugin}.{name}{{step:{step},scenario:{scenario}}}"),
    }
}

fn line(metric: &MetricReport) -> String {
    let show = |value: f64| value_in(&metric.unit, value);
    match metric {
        MetricReport { count: 0, .. } => "no values".into(),
        MetricReport { sum: Some(sum), per_second, .. } => {
            let rate = per_second.map_or(String::new(), |rate| format!(", {}/s", show(rate)));
            format!("{}{rate}", show(*sum))
        }
        MetricReport { hits: Some(hits), count, .. } => {
            format!("{} ({} of {})", percent(*hits, *count), grouped(*hits), grouped(*count))
        }
        MetricReport { distribution: Some(d), max: Some(max), .. } => format!(
            "avg {}, p50 {}, p90 {}, p99 {}, max {} ({} values)",
            show(d.mean),
            show(d.p50),
            show(d.p90),
            show(d.p99),
            show(*max),
            grouped(metric.count)
        ),
        MetricReport { last: Some(last), min: Some(min), max: Some(max), .. } => {
            format!("{} (least {}, most {})", show(*last), show(*min), show(*max))
        }
        _ => String::new(),
    }
}

fn value_in(unit: &str, value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    let size = value.abs();
    let shown = match unit {
        _ if unit == MetricUnit::Nanoseconds.name() => latency(size / 1e3, " "),
        _ if unit == MetricUnit::Bytes.name() => ByteSize(size.round() as u64).to_string(),
        _ if size.fract() == 0.0 && size < 1e15 => grouped(size as u64),
        _ => grouped_decimal(size),
    };
    format!("{sign}{shown}")
}

#[cfg(test)]
mod tests {
    use super::super::test_reports;

    #[test]
    fn a_line_for_each_kind_and_unit() {
        let text = super::lines(&test_reports::wide());
        let expected = "Metrics:
  login.bytes    3.0 KiB, 7.5 KiB/s
  login.depth    -2 (least -2, most 5)
  login.matched  50 % (2 of 4)
  login.trip     avg 1.50 ms, p50 1.00 ms, p90 2.00 ms, p99 2.00 ms, max 2.00 ms (2 values)
  login.unused   no values
";
        assert_eq!(text, expected);
        assert_eq!(super::lines(&test_reports::movies()), "");
    }
}
