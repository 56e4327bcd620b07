//! A page from a finished report alone, for reports that were read back, merged or compared. Its tables are exact; of
//! its charts over time it has those whose numbers are in the report's series, which has no histograms.

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde_json::value::RawValue;

use super::super::compare::ReportComparison;
use super::super::comparison_table::{self, COLUMNS};
use super::super::model::{Report, RowReport, RowSeries, TimeSeries};
use super::super::read::decode_micros;
use super::{HelloEvent, MAX_ROWS, RowName, RowTick, TickEvent, end_event, write_log};
use crate::metrics::aggregate::label;
use crate::metrics::histogram::FINE;
use crate::metrics::log_linear::LogLinearHistogram;

/// Writes the page of a report.
pub(in super::super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    write_log(out, |log| write_events(report, log))
}

/// Writes the page of a report that was compared with an earlier one.
///
/// # Errors
/// Writing fails, or the build has no page.
pub(crate) fn write_comparison(report: &Report, base: &ComparedBase, out: &mut dyn Write) -> io::Result<()> {
    write_log(out, |log| {
        write_events(report, log)?;
        line(log, &base.event()?)
    })
}

/// The report that another was compared with.
pub(crate) struct ComparedBase<'a> {
    /// The name of its file.
    pub name: &'a str,
    /// The report.
    pub report: &'a Report,
    /// The changes.
    pub comparison: &'a ReportComparison,
    /// The largest change for the worse that passes, as a part of 1.
    pub tolerance: f64,
}

/// The last event of a page that compares: the events of the other run, and the changes as the terminal shows them.
#[derive(Serialize)]
#[serde(tag = "type", rename = "base")]
struct BaseEvent<'a> {
    name: &'a str,
    summary: String,
    rows: Vec<[String; COLUMNS]>,
    events: Vec<Box<RawValue>>,
}

impl ComparedBase<'_> {
    fn event(&self) -> serde_json::Result<String> {
        let lines = [
            serde_json::to_string(&hello(self.report))?,
            serde_json::to_string(&TimesEvent::of(self.report))?,
            end_event(self.report)?,
        ];
        serde_json::to_string(&BaseEvent {
            name: self.name,
            summary: comparison_table::summary(self.comparison, self.name, self.tolerance),
            rows: comparison_table::rows(self.comparison).collect(),
            events: lines.into_iter().map(RawValue::from_string).collect::<Result<_, _>>()?,
        })
    }
}

/// Histograms of the response times of each row, of which the ticks of such a page have none.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "times")]
struct TimesEvent {
    /// One for each row of the log, as in [`TickEvent`].
    rows: Vec<Vec<u32>>,
}

impl TimesEvent {
    fn of(report: &Report) -> Self {
        let times = |rows: &[RowReport]| {
            let mut times = LogLinearHistogram::default();
            // One row has times of its own; several are a sum.
            let counted = rows.iter().filter(|row| rows.len() == 1 || !row.by_design);
            for row in counted {
                // A report that was read was checked, so its histograms can be read again.
                let decoded = decode_micros(&row.histograms.response_time, FINE);
                decoded.iter().for_each(|decoded| times.add_hdr(decoded));
            }
            times.to_distances()
        };
        let (own, others) = report.actions.split_at(report.actions.len().min(MAX_ROWS));
        let others = (!others.is_empty()).then(|| times(others));
        Self { rows: own.chunks(1).map(times).chain(others).collect() }
    }
}

fn write_events(report: &Report, log: &mut dyn Write) -> io::Result<()> {
    line(log, &serde_json::to_string(&hello(report))?)?;
    for index in 0..report.series.users_active.len() {
        line(log, &serde_json::to_string(&tick(&report.series, index))?)?;
    }
    line(log, &serde_json::to_string(&TimesEvent::of(report))?)?;
    line(log, &end_event(report)?)
}

fn line(log: &mut dyn Write, text: &str) -> io::Result<()> {
    log.write_all(text.as_bytes())?;
    log.write_all(b"\n")
}

fn hello(report: &Report) -> HelloEvent {
    let started = humantime::parse_rfc3339(&report.run.started_at).ok();
    let started = started.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or(Duration::ZERO);
    let rows = report.actions.iter().map(|row| RowName {
        label: label(row.scenario.as_deref(), &row.name),
        action: row.action.clone().unwrap_or_default(),
        part: row.step.is_some(),
        by_design: row.by_design,
        rows: None,
    });
    let thresholds =
        report.thresholds.iter().map(|it| [it.metric.clone(), it.expression.clone(), it.unit.clone().into_owned()]);
    HelloEvent::new(&report.settings, started).with_rows(rows).with_thresholds(thresholds)
}

fn tick(series: &TimeSeries, index: usize) -> TickEvent {
    let (length, start) = (series.resolution_s, index as u32 * series.resolution_s);
    let mut tick = TickEvent {
        first: start,
        last: start + length.max(1) - 1,
        at_ms: u64::from(start) * 1_000,
        end_ms: u64::from(start + length) * 1_000,
        segment: 1,
        users: series.users_active[index],
        ..TickEvent::default()
    };
    let (own, others) = series.actions.split_at(series.actions.len().min(MAX_ROWS));
    let mut rest = RowTick::default();
    others.iter().for_each(|row| rest.add(&row_tick(row, index)));
    let rows = own.iter().map(|row| row_tick(row, index)).chain([rest]);
    tick.set_rows((0..).zip(rows));
    tick
}

fn row_tick(row: &RowSeries, index: usize) -> RowTick {
    let by_outcome = row.by_outcome.as_ref().map(|times| &times.ok.response_max_us);
    let ok_max = by_outcome.or((row.err[index] == 0).then_some(&row.response_max_us));
    RowTick {
        ok: row.ok[index],
        err: row.err[index],
        bytes_out: row.bytes_out[index],
        bytes_in: row.bytes_in[index],
        max_us: row.response_max_us[index].unwrap_or(0),
        ok_max_us: ok_max.and_then(|list| list[index]).unwrap_or(0),
        ..RowTick::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::test_reports;
    use super::super::file::tests::log_of;
    use super::super::template;
    use super::*;

    #[test]
    fn a_merged_report_has_its_counts_over_time() {
        if template().is_none() {
            return;
        }
        let (report, mut page) = (test_reports::movies(), Vec::new());
        write(&report, &mut page).expect("memory");
        let log = log_of(&String::from_utf8(page).expect("UTF-8"));
        let events: Vec<serde_json::Value> =
            log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let types: Vec<_> = events.iter().map(|event| event["type"].as_str().expect("a type")).collect();
        assert_eq!(
            (types[0], types[types.len() - 1], types.len()),
            ("hello", "end", report.series.users_active.len() + 3)
        );
        let times = events[types.len() - 2]["rows"].as_array().expect("histograms").iter().map(|row| {
            let bins = row.as_array().expect("bins").iter().skip(1).step_by(2);
            bins.filter_map(serde_json::Value::as_u64).sum::<u64>()
        });
        let responses = |row: &RowReport| row.response_time_us.as_ref().map_or(0, |times| times.count);
        assert_eq!(times.collect::<Vec<_>>(), report.actions.iter().map(responses).collect::<Vec<_>>());
        let counted: u64 = events
            .iter()
            .flat_map(|event| event["ok"].as_array().cloned().unwrap_or_default())
            .filter_map(|count| count.as_u64())
            .sum();
        assert_eq!(counted, report.series.actions.iter().flat_map(|row| &row.ok).sum::<u64>());
    }
}
