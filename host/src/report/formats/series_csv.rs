//! The run over time as CSV (RFC 4180): a header, then one line for each action in each second, in the order of time.
//! Runs of more than an hour have a line for every two, four, … seconds. Lines end in CR LF. Columns:
//!
//! | columns | meaning |
//! |---|---|
//! | `second` | the beginning of the stretch, in seconds after the run's start |
//! | `seconds` | its length |
//! | `users` | active users of all scenarios; the greatest number in the stretch |
//! | `scenario`, `name`, `action` | the scenario, empty in the plain form; the step, and the action it ran |
//! | `ok` `err` | exchanges that ended in the stretch |
//! | `rps` | their number per second |
//! | `bytes_out` `bytes_in` | bytes sent and received |
//! | `response_p50_us` … | percentiles of the response time within 3.2 %: 50 and 95, or those of `--percentiles` |
//! | `response_max_us` | the longest response time |
//!
//! With `--latency-of ok` or `failed` the times are those of such exchanges, in columns `ok_response_p50_us` or
//! `failed_response_p50_us`, and so on.

use std::io::{self, Write};

use super::super::model::{Report, RowReport, RowSeries, SeriesTimes};
use super::super::times::percentile_key;
use crate::script::outcome::OutcomeFilter;

/// The columns before those of times.
const FIXED: [&str; 11] =
    ["second", "seconds", "users", "scenario", "name", "action", "ok", "err", "rps", "bytes_out", "bytes_in"];

/// Writes the series of all actions.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    let outcome = report.settings.latency_of;
    let report = report.with_shown_rows();
    let shown: Vec<_> = report.series.actions.iter().map(|row| row.times(outcome)).collect();
    let header = header(&report.series.actions, outcome);
    let columns = header.len();
    writer.write_record(header)?;
    let resolution = report.series.resolution_s;
    for (at, users) in report.series.users_active.iter().enumerate() {
        for ((row, series), shown) in report.actions.iter().zip(&report.series.actions).zip(&shown) {
            let (requests, second) = (series.ok[at] + series.err[at], at as u64 * u64::from(resolution));
            let mut record = vec![second.to_string(), resolution.to_string(), users.to_string()];
            record.extend(names(row));
            record.extend([series.ok[at], series.err[at]].map(|count| count.to_string()));
            record.push((requests as f64 / f64::from(resolution)).to_string());
            record.extend([series.bytes_out[at], series.bytes_in[at]].map(|count| count.to_string()));
            let unknown = || vec![String::new(); columns - FIXED.len()];
            record.extend(shown.as_ref().map_or_else(unknown, |shown| times(shown, at)));
            writer.write_record(record)?;
        }
    }
    writer.flush()
}

fn header(actions: &[RowSeries], outcome: OutcomeFilter) -> Vec<String> {
    let of = outcome.prefix("_");
    let column = |percentile: f64| format!("{of}response_{}_us", percentile_key(percentile));
    let mut header: Vec<String> = FIXED.map(Into::into).into();
    let chosen = actions.first().map_or(&[][..], |row| row.response_percentiles.as_slice());
    if chosen.is_empty() {
        header.extend([50.0, 95.0].map(column));
    } else {
        header.extend(chosen.iter().map(|series| column(series.percentile)));
    }
    header.push(format!("{of}response_max_us"));
    header
}

fn names(row: &RowReport) -> [String; 3] {
    [row.scenario.clone().unwrap_or_default(), row.name.clone(), row.action.clone().unwrap_or_default()]
}

fn times(series: &SeriesTimes, at: usize) -> Vec<String> {
    let mut values: Vec<Option<u64>> = series.response_percentiles.iter().map(|one| one.values_us[at]).collect();
    if values.is_empty() {
        values.extend([series.response_p50_us[at], series.response_p95_us[at]]);
    }
    values.push(series.response_max_us[at]);
    values.into_iter().map(|value| value.map_or(String::new(), |micros| micros.to_string())).collect()
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

    #[test]
    fn every_second_of_every_action_is_a_line() {
        let report = test_reports::movies();
        let text = written(&report);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = "second,seconds,users,scenario,name,action,ok,err,rps,bytes_out,bytes_in,response_p50_us,\
             response_p95_us,response_max_us";
        assert_eq!(reader.headers().expect("a header").iter().collect::<Vec<_>>().join(","), header);
        let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("valid CSV");
        assert_eq!(rows.len(), report.series.users_active.len() * report.actions.len());
        let sum = |column: usize| -> u64 { rows.iter().map(|row| row[column].parse::<u64>().expect("a count")).sum() };
        assert_eq!((sum(6), sum(7)), (report.totals.requests.ok, report.totals.requests.err));
        assert_eq!((sum(9), sum(10)), (report.totals.bytes.out, report.totals.bytes.received));
        let busy = rows.iter().find(|row| &row[0] == "3" && &row[4] == "StreamInit").expect("a line");
        assert_eq!((&busy[2], &busy[8]), ("500", "3012"));
        assert_eq!((&rows[0][6], &rows[0][11], &rows[0][13]), ("0", "", ""), "nothing was measured");
    }

    #[test]
    fn times_of_one_outcome_have_columns_of_their_own() {
        let mut report = test_reports::two_outcomes(10_000, 40_000);
        for (outcome, expected) in [(OutcomeFilter::Ok, 10), (OutcomeFilter::Failed, 43)] {
            report.settings.latency_of = outcome;
            let text = written(&report);
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let header = reader.headers().expect("a header").clone();
            let titles = ["response_p50_us", "response_p95_us", "response_max_us"];
            assert!(header.iter().skip(11).eq(titles.map(|title| format!("{}{title}", outcome.prefix("_")))));
            let row = reader.records().next().expect("a row").expect("valid CSV");
            let longest: u64 = row[13].parse().expect("a time");
            assert_eq!(longest / 1_000, expected, "{row:?}");
        }
        report.series.actions[0].by_outcome = None;
        let row = written(&report).lines().nth(1).expect("a row").to_owned();
        assert!(row.ends_with(",,,"), "a report of an earlier version does not tell: {row}");
    }

    #[test]
    fn stretches_say_how_long_they_are_and_which_percentiles_they_have() {
        let text = written(&test_reports::with_percentiles(&[99.9]));
        let mut lines = text.lines();
        assert!(lines.next().expect("a header").ends_with("bytes_in,response_p99_9_us,response_max_us"), "{text}");
        assert!(text.contains("\r\n4,4,"), "{}", &text[..200]);
    }
}
