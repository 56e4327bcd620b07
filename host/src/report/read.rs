//! Reads a report back from its JSON. The file may come from anywhere, so each problem is reported in one clear line:
//! not JSON, not a report, a report in another version of the format, or a damaged one.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use serde::Deserialize;

use super::model::{EncodedTimes, OutcomeTimes, Report, RowHistograms, RowReport, SCHEMA, TimesByOutcome};
use super::settings::whole_micros;
use crate::diagnostic::{Diagnostic, io_reason};
use crate::metrics::histogram::{FINE, MAX_MICROS, ROUGH, counted_values, empty, without};
use crate::metrics::survival::SurvivalEstimate;

/// Reads a file.
///
/// # Errors
/// `usage::report` for every problem.
pub(crate) fn read(path: &Path) -> Result<Report, Diagnostic> {
    let name = path.display();
    let text = fs::read_to_string(path).map_err(|error| {
        Diagnostic::new("usage::report", format!("cannot read the report `{name}`: {}", io_reason(&error)))
    })?;
    parse(&text).map_err(|error| {
        let diagnostic = Diagnostic::new("usage::report", format!("`{name}` {}", error.message));
        if error.help.is_empty() { diagnostic } else { diagnostic.help(error.help) }
    })
}

/// The field that distinguishes a report from other JSON.
#[derive(Deserialize)]
struct SchemaProbe {
    schema: Option<serde_json::Value>,
}

/// The help for a file that is not a report.
const HELP: &str = "`--out FILE.json` of a run writes one";

/// The reason why a text could not be read as a report.
#[derive(Debug)]
pub(crate) struct ReportReadError {
    /// The message, to be shown after the file's name.
    pub message: String,
    /// The remedy; empty if there is none.
    pub help: &'static str,
}

/// Reads a report from a text.
///
/// # Errors
/// The first problem found.
pub(crate) fn parse(text: &str) -> Result<Report, ReportReadError> {
    let fail = |message: String| ReportReadError { message, help: HELP };
    let place = |error: &serde_json::Error| format!("(line {}, column {})", error.line(), error.column());
    let probe: SchemaProbe = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => fail("is not a report of stampede-shooter".to_owned()),
        _ => fail(format!("is not valid JSON {}", place(&error))),
    })?;
    match probe.schema.as_ref().and_then(serde_json::Value::as_str) {
        Some(SCHEMA) => {}
        Some(other) if other.starts_with("stampede-report/") => {
            let message = format!("is a report in the format `{other}`, and this version reads `{SCHEMA}`");
            let help = "use the version of stampede-shooter that made it, or a newer one";
            return Err(ReportReadError { message, help });
        }
        _ => return Err(fail("is not a report of stampede-shooter".to_owned())),
    }
    let damaged = |what: String| ReportReadError { message: format!("is a damaged report: {what}"), help: "" };
    let mut report: Report = serde_json::from_str(text).map_err(|error| {
        let text = error.to_string();
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        damaged(format!("{what} {}", place(&error)))
    })?;
    check_consistency(&report).map_err(damaged)?;
    if report.run.load_us == 0 {
        // A report of an earlier version, whose rates are over the whole run.
        report.run.load_us = report.run.elapsed_us.saturating_sub(whole_micros(report.settings.warm_up));
    }
    report.actions.iter_mut().chain([&mut report.totals]).for_each(tell_outcomes_apart);
    Ok(report)
}

/// Fills in what a report of an earlier version does not have, of a row in which nothing failed.
fn tell_outcomes_apart(row: &mut RowReport) {
    if row.by_outcome.is_none() && row.requests.err == 0 {
        let (response_time_us, service_time_us) = (row.response_time_us.clone(), row.service_time_us.clone());
        let ok = OutcomeTimes { response_time_us, service_time_us };
        row.by_outcome = Some(TimesByOutcome { ok, failed: OutcomeTimes::default() });
    }
}

/// Checks what the types cannot: that histograms can be read, and that the lists of the series are equally long.
fn check_consistency(report: &Report) -> Result<(), String> {
    for row in report.actions.iter().chain([&report.totals]) {
        let RowReport { histograms, .. } = row;
        for text in [&histograms.response_time, &histograms.service_time] {
            decode_micros(text, FINE)?;
        }
        let RowHistograms { failed_response_time, failed_service_time, .. } = histograms;
        let cut_off = [&histograms.cut_off_response_time, &histograms.cut_off_service_time];
        for text in cut_off.into_iter().chain([failed_response_time, failed_service_time]).flatten() {
            decode_micros(text, FINE)?;
        }
        for text in histograms.phases.as_array() {
            decode_micros(text, ROUGH)?;
        }
    }
    decode_micros(&report.generator.start_delay_histogram, FINE)?;
    for metric in &report.metrics {
        metric.histogram.as_deref().map_or(Ok(()), |text| decode_histogram(text, FINE).map(drop))?;
    }
    let series = &report.series;
    if !series.resolution_s.is_power_of_two() {
        return Err("its series has no resolution".to_owned());
    }
    let lengths = series.actions.iter().flat_map(|row| {
        let counts = [&row.ok, &row.err, &row.bytes_out, &row.bytes_in].map(Vec::len);
        let times = [&row.response_p50_us, &row.response_p95_us, &row.response_max_us].map(Vec::len);
        let by_outcome = row.by_outcome.iter().flat_map(|times| times.ok.lists().chain(times.failed.lists()));
        let percentiles = row.response_percentiles.iter().map(|series| series.values_us.len());
        counts.into_iter().chain(times).chain(percentiles).chain(by_outcome.map(Vec::len))
    });
    let whole = series.actions.len() == report.actions.len();
    if !whole || lengths.into_iter().any(|length| length != series.users_active.len()) {
        return Err("the lists of its series differ in length".to_owned());
    }
    Ok(())
}

/// The times of exchanges.
pub(crate) struct DecodedTimes {
    /// The times that are known.
    pub known: Histogram<u64>,
    /// Those that were cut off.
    pub cut_off: Histogram<u64>,
}

impl DecodedTimes {
    /// Returns their distribution; `None` if there are none.
    pub(crate) fn estimate(&self) -> Option<SurvivalEstimate> {
        SurvivalEstimate::new(counted_values(&self.known), counted_values(&self.cut_off))
    }
}

/// Decodes the times of exchanges.
///
/// # Errors
/// A message for the user if one of the texts is not a histogram.
pub(crate) fn decode_times(times: EncodedTimes<'_>) -> Result<DecodedTimes, String> {
    let decode = |text: Option<&str>| text.map_or_else(|| Ok(empty(FINE)), |text| decode_micros(text, FINE));
    let known = match times.except {
        Some(except) => without(&decode(times.known)?, &decode_micros(except, FINE)?),
        None => decode(times.known)?,
    };
    Ok(DecodedTimes { known, cut_off: decode(times.cut_off)? })
}

/// Decodes a histogram of microseconds with the given number of significant digits.
///
/// # Errors
/// A message for the user if the text is not such a histogram.
pub(crate) fn decode_micros(text: &str, digits: u8) -> Result<Histogram<u64>, String> {
    let histogram = decode_histogram(text, digits)?;
    if histogram.is_empty() || histogram.max() <= MAX_MICROS + MAX_MICROS / 100 {
        return Ok(histogram);
    }
    Err("a histogram goes beyond an hour".to_owned())
}

/// Decodes a histogram of any values with the given number of significant digits.
///
/// # Errors
/// A message for the user if the text is not such a histogram.
pub(crate) fn decode_histogram(text: &str, digits: u8) -> Result<Histogram<u64>, String> {
    let unreadable = || "a histogram cannot be read".to_owned();
    let bytes = STANDARD.decode(text).map_err(|_| unreadable())?;
    let mut histogram: Histogram<u64> =
        Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(|_| unreadable())?;
    if histogram.sigfig() != digits {
        return Err(format!("a histogram has {} significant digits instead of {digits}", histogram.sigfig()));
    }
    histogram.auto(true);
    Ok(histogram)
}

#[cfg(test)]
mod tests {
    use super::super::formats::json;
    use super::super::test_reports;
    use super::*;
    use crate::script::outcome::OutcomeFilter;

    fn written(report: &Report) -> String {
        let mut bytes = Vec::new();
        json::write(report, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_written_report_reads_back_unchanged() {
        for report in [test_reports::movies(), test_reports::nothing(), test_reports::wide()] {
            let text = written(&report);
            assert_eq!(written(&parse(&text).unwrap()), text);
        }
    }

    #[test]
    fn a_text_that_is_not_a_report_gets_a_one_line_message() {
        let good = written(&test_reports::movies());
        let cases = [
            ("{".to_owned(), "is not valid JSON (line 1, column 1)"),
            ("[1]".to_owned(), "is not a report of stampede-shooter"),
            ("{\"metrics\": {}}".to_owned(), "is not a report of stampede-shooter"),
            (
                good.replace("stampede-report/1", "stampede-report/9"),
                "is a report in the format `stampede-report/9`, and this version reads `stampede-report/1`",
            ),
            (good.replace("\"users\":500", "\"users\":-1"), "is a damaged report: invalid value"),
            (good.replace("\"totals\":", "\"total\":"), "is a damaged report: missing field `totals`"),
            (good.replace("\"response_time\":\"", "\"response_time\":\"AA"), "is a damaged report: a histogram cannot"),
            (
                good.replace("\"users_active\":[", "\"users_active\":[1,"),
                "is a damaged report: the lists of its series",
            ),
        ];
        for (text, expected) in cases {
            let message = parse(&text).unwrap_err().message;
            assert!(message.starts_with(expected) && message.lines().count() == 1, "{message}");
        }
    }

    #[test]
    fn older_reports_without_newer_parts_can_be_read() {
        let text = written(&test_reports::movies()).replace("\"data\":[],", "");
        assert!(parse(&text).unwrap().data.is_empty());
    }

    #[test]
    fn an_older_report_tells_outcomes_apart_where_nothing_failed() {
        let mut value: serde_json::Value = serde_json::from_str(&written(&test_reports::movies())).unwrap();
        value["settings"].as_object_mut().unwrap().remove("latency_of");
        for row in value["actions"].as_array_mut().unwrap() {
            let row = row.as_object_mut().unwrap();
            row.remove("by_outcome");
            row.remove("apdex");
            let histograms = row["histograms"].as_object_mut().unwrap();
            histograms.remove("failed_response_time");
            histograms.remove("failed_service_time");
        }
        for row in value["series"]["actions"].as_array_mut().unwrap() {
            row.as_object_mut().unwrap().remove("by_outcome");
        }
        let (old, new) = (parse(&value.to_string()).unwrap(), test_reports::movies());
        assert_eq!(old.actions[0].by_outcome, new.actions[0].by_outcome, "nothing failed");
        assert_eq!((&old.actions[1].by_outcome, old.settings.latency_of), (&None, OutcomeFilter::All));
        let times = |outcome| [0, 1].map(|row: usize| old.series.actions[row].times(outcome).is_some());
        assert_eq!((times(OutcomeFilter::All), times(OutcomeFilter::Ok)), ([true, true], [true, false]));
    }
}
