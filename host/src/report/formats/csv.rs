//! The report as CSV (RFC 4180): a header, then one line per action in the order of the script, then one per metric of
//! plugins and groups, and nothing else. Lines end in CR LF. Columns:
//!
//! | columns | meaning |
//! |---|---|
//! | `scenario`, `name`, `action` | the scenario, empty in the plain form; the step, and the action it ran |
//! | `started` `passed` `failed` `cancelled` `dropped` | runs of the step; the first is the sum of the others |
//! | `requests` `ok` `err` | exchanges; the first is the sum of the others |
//! | `err_timeout` … `err_cancelled` | exchanges that failed, by category; their sum is `err` |
//! | `rps` | exchanges per second of the whole run |
//! | `bytes_out` `bytes_in` `body_bytes_in` | bytes sent, received, and of the replies' content |
//! | `response_min_us` … `response_max_us` | response time in microseconds; empty if nothing was measured; the percentiles are those of `--percentiles` |
//! | `service_min_us` … `service_max_us` | service time, in the same form |
//! | `ok_response_min_us` …, `failed_response_min_us` … | in place of these with `--latency-of ok` or `failed`: the times of those exchanges alone |
//! | `apdex` `apdex_target_us` | the Apdex score and its target, if any step has one |
//! | `metric` `kind` `unit` | in the line of a metric only: its name with that of its plugin, whether it is a `counter`, `gauge`, `rate` or `trend`, and the unit of its values; `scenario` and `name` are those of the step whose values it counts, or empty for all |
//! | `values` | the number of its values |
//! | `sum` `per_second` `hits` `share` `last` `min` `max` | its numbers, as far as its kind has them |
//! | `mean` `p50` `p90` `p95` `p99` `p99_9` | the distribution of a trend |

use std::io::{self, Write};

use super::super::model::{DurationStats, MetricReport, Report, RowReport};
use super::super::percentiles::shown_percentiles;
use super::super::times::percentile_key;
use crate::metrics::sample::FailureKind;

/// The percentiles, unless the user asks for others.
const PERCENTILES: &[f64] = &[50.0, 75.0, 90.0, 95.0, 99.0, 99.9];

/// The columns of metrics, after those of actions.
const METRIC_COLUMNS: [&str; 17] = [
    "metric",
    "kind",
    "unit",
    "values",
    "sum",
    "per_second",
    "hits",
    "share",
    "last",
    "min",
    "max",
    "mean",
    "p50",
    "p90",
    "p95",
    "p99",
    "p99_9",
];

/// Writes the whole report.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    let percentiles = shown_percentiles(report, PERCENTILES);
    let header = header(report, percentiles);
    writer.write_record(&header)?;
    let metric_columns = || vec![String::new(); METRIC_COLUMNS.len()];
    for row in report.actions.iter().filter(|row| row.is_shown()) {
        writer.write_record([record(report, row, percentiles), metric_columns()].concat())?;
    }
    for metric in &report.metrics {
        writer.write_record(metric_record(metric, header.len()))?;
    }
    writer.flush()
}

/// Returns the line of a metric, which has nothing in the columns of actions but the names.
fn metric_record(metric: &MetricReport, columns: usize) -> Vec<String> {
    let mut record = vec![String::new(); columns - METRIC_COLUMNS.len()];
    record[0] = metric.scenario.clone().unwrap_or_default();
    record[1] = metric.step.clone().unwrap_or_default();
    record.extend([format!("{}.{}", metric.plugin, metric.name), metric.kind.to_string(), metric.unit.to_string()]);
    record.push(metric.count.to_string());
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    record.extend([number(metric.sum), number(metric.per_second)]);
    record.push(metric.hits.map_or(String::new(), |hits| hits.to_string()));
    record.extend([metric.share, metric.last, metric.min, metric.max].map(number));
    let distribution = metric.distribution.as_ref().map(|d| [d.mean, d.p50, d.p90, d.p95, d.p99, d.p999]);
    record.extend(distribution.map_or_else(Default::default, |values| values.map(|value| number(Some(value)))));
    record
}

fn header(report: &Report, percentiles: &[f64]) -> Vec<String> {
    let tasks =
        ["scenario", "name", "action", "started", "passed", "failed", "cancelled", "dropped", "requests", "ok", "err"];
    let mut header: Vec<String> = tasks.map(Into::into).into();
    header.extend(FailureKind::ALL.map(|kind| format!("err_{}", kind.name())));
    header.extend(["rps", "bytes_out", "bytes_in", "body_bytes_in"].map(Into::into));
    let of = report.settings.latency_of.prefix("_");
    for what in ["response", "service"].map(|what| format!("{of}{what}")) {
        header.extend(["min", "mean", "stddev"].map(|column| format!("{what}_{column}_us")));
        header.extend(percentiles.iter().map(|percentile| format!("{what}_{}_us", percentile_key(*percentile))));
        header.push(format!("{what}_max_us"));
    }
    if report.totals.apdex.is_some() {
        header.extend(["apdex", "apdex_target_us"].map(Into::into));
    }
    header.extend(METRIC_COLUMNS.map(Into::into));
    header
}

fn record(report: &Report, row: &RowReport, percentiles: &[f64]) -> Vec<String> {
    let (tasks, requests, bytes) = (&row.tasks, &row.requests, &row.bytes);
    let mut record =
        vec![row.scenario.clone().unwrap_or_default(), row.name.clone(), row.action.clone().unwrap_or_default()];
    let counts = [tasks.started, tasks.passed, tasks.failed, tasks.cancelled, tasks.dropped];
    record.extend(counts.map(|count| count.to_string()));
    record.extend([requests.total, requests.ok, requests.err].map(|count| count.to_string()));
    record.extend(FailureKind::ALL.map(|kind| failures(row, kind).to_string()));
    record.push(format!("{:.3}", requests.rps));
    record.extend([bytes.out, bytes.received, bytes.body_in].map(|count| count.to_string()));
    let outcome = report.settings.latency_of;
    record.extend(times(row.response_time(outcome), percentiles));
    record.extend(times(row.service_time(outcome), percentiles));
    if report.totals.apdex.is_some() {
        let score = row.apdex.and_then(|apdex| apdex.score).map(|score| score.to_string());
        let target = row.apdex.and_then(|apdex| apdex.target_us).map(|target| target.to_string());
        record.extend([score, target].map(Option::unwrap_or_default));
    }
    record
}

fn failures(row: &RowReport, kind: FailureKind) -> u64 {
    row.errors.iter().find(|error| error.category == kind.name()).map_or(0, |error| error.count)
}

fn times(times: Option<&DurationStats>, percentiles: &[f64]) -> Vec<String> {
    let Some(times) = times else { return vec![String::new(); 4 + percentiles.len()] };
    let mut cells = vec![times.min.to_string(), times.mean.to_string(), times.stddev.to_string()];
    let value = |percentile: &f64| times.percentile(*percentile).map_or(String::new(), |one| one.value.to_string());
    cells.extend(percentiles.iter().map(value));
    cells.push(times.max.to_string());
    cells
}

#[cfg(test)]
mod tests {
    use super::super::super::test_reports;
    use super::*;
    use crate::script::outcome::OutcomeFilter;

    fn written(report: &Report) -> String {
        let mut bytes = Vec::new();
        write(report, &mut bytes).expect("memory can be written to");
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn the_header_is_stable() {
        let text = written(&test_reports::nothing());
        let header = "scenario,name,action,started,passed,failed,cancelled,dropped,requests,ok,err,err_timeout,err_status,\
             err_network,err_check,err_protocol,err_redirects,err_plugin,err_unfinished,err_cancelled,rps,bytes_out,\
             bytes_in,body_bytes_in,\
             response_min_us,response_mean_us,response_stddev_us,response_p50_us,response_p75_us,response_p90_us,\
             response_p95_us,response_p99_us,response_p99_9_us,response_max_us,\
             service_min_us,service_mean_us,service_stddev_us,service_p50_us,service_p75_us,service_p90_us,\
             service_p95_us,service_p99_us,service_p99_9_us,service_max_us,\
             metric,kind,unit,values,sum,per_second,hits,share,last,min,max,mean,p50,p90,p95,p99,p99_9\r\n";
        assert!(text.starts_with(header), "{text}");
    }

    #[test]
    fn a_row_without_requests_has_zeros_and_no_times() {
        let text = written(&test_reports::nothing());
        let expected = format!(",Catalog,http,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0.000,0,0,0{}\r\n", ",".repeat(37));
        assert_eq!(text.lines().nth(1), expected.strip_suffix("\r\n"));
    }

    #[test]
    fn a_metric_has_a_line_of_its_own() {
        let mut report = test_reports::wide();
        report.metrics[0].step = Some("Log in".into());
        let text = written(&report);
        // The name of an action may have a line break.
        let all: Vec<&str> = text.lines().collect();
        let lines = &all[all.len() - report.metrics.len()..];
        let empty = ",".repeat(header(&report, PERCENTILES).len() - METRIC_COLUMNS.len() - 2);
        assert_eq!(lines[0], format!(",Log in{empty},login.bytes,counter,bytes,2,3072,7680,,,,,,,,,,,"));
        let trip = lines.iter().find(|line| line.contains("login.trip")).expect("a trend");
        assert!(trip.contains(",trend,nanoseconds,2,,,,,,1000000,2000000,1500000,"), "{trip}");
    }

    #[test]
    fn the_percentiles_are_those_that_were_asked_for() {
        let text = written(&test_reports::with_percentiles(&[50.0, 97.5]));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().expect("a header").clone();
        let columns: Vec<&str> = header.iter().filter(|column| column.starts_with("service_")).collect();
        let expected = ["min", "mean", "stddev", "p50", "p97_5", "max"].map(|name| format!("service_{name}_us"));
        assert_eq!(columns, expected);
        let at = header.iter().position(|column| column == "response_p97_5_us").expect("a column");
        let row = reader.records().next().expect("a row").expect("valid CSV");
        assert!(row[at].parse::<u64>().expect("a time") >= 12_300_000, "{row:?}");
    }

    #[test]
    fn times_of_one_outcome_and_scores_have_columns_of_their_own() {
        let mut report = test_reports::two_outcomes(10_000, 40_000);
        report.settings.latency_of = OutcomeFilter::Failed;
        let text = written(&report);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().expect("a header").clone();
        let row = reader.records().next().expect("a row").expect("valid CSV");
        let cell = |name: &str| row[header.iter().position(|column| column == name).expect(name)].to_owned();
        assert!(!header.iter().any(|column| column == "response_p50_us"), "{header:?}");
        let failed = report.actions[0].response_time(OutcomeFilter::Failed).expect("some failed");
        assert_eq!(cell("failed_response_p50_us"), failed.p50.to_string());
        assert_eq!(cell("failed_service_max_us"), failed.max.to_string());
        assert_eq!((cell("apdex"), cell("apdex_target_us")), ("0.5".into(), "15000".into()));
    }

    #[test]
    fn names_with_commas_and_quotes_survive() {
        let mut report = test_reports::nothing();
        report.actions[0].name = "a, \"b\"\nc".into();
        let text = written(&report);
        assert!(text.contains("\r\n,\"a, \"\"b\"\"\nc\",http,"), "{text}");
    }

    #[test]
    fn a_written_file_reads_back_equal_to_the_report() {
        let report = test_reports::movies();
        let text = written(&report);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("valid CSV");
        assert_eq!(rows.len(), report.actions.len());
        for (record, row) in rows.iter().zip(&report.actions) {
            assert_eq!((&record[1], &record[8]), (row.name.as_str(), row.requests.total.to_string().as_str()));
            let errors: u64 = (11..18).map(|column| record[column].parse::<u64>().expect("a count")).sum();
            assert_eq!(errors, row.requests.err);
        }
    }
}
