//! The table that people read at the end of a run: one line per action, the totals, the traffic, the errors, and a
//! warning if the numbers cannot be trusted.

use unicode_width::UnicodeWidthStr;

use super::apdex::ApdexReport;
use super::format::{count, grouped, grouped_decimal, latency, megabytes, percent, seconds, short};
use super::model::{DurationStats, ErrorCount, PluginReport, Report, RequestTotals, RowReport, ScenarioReport};
use super::percentiles::shown_percentiles;
use super::settings::whole_micros;
use super::times::percentile_title;
use super::{checks_and_thresholds, custom_metrics, exhausted_data, load_changes, segments};
use crate::cli::LatencyView;
use crate::load_model;
use crate::metrics::aggregate::label;
use crate::text::one_line;

/// The shortest time after the end of the load that is shown, in microseconds.
const MIN_TAIL_US: u64 = 100_000;

/// The percentiles that are shown unless the user asks for others.
pub(super) const PERCENTILES: &[f64] = &[50.0, 90.0, 99.0];

/// A column: its title, its minimum width, and its cell in a row. The first column is text, the others are numbers.
pub(super) struct Column {
    pub(super) title: String,
    width: usize,
    pub(super) cell: Box<dyn Fn(&RowReport) -> String>,
}

/// Renders the whole text, ending with a line feed.
pub(crate) fn render(report: &Report, latency: LatencyView) -> String {
    let mut text = actions(&report.actions, &columns(report, latency));
    text.push('\n');
    text.push_str(&totals(report, latency));
    if let Some(line) = segments::line(report.settings.segments.as_ref()) {
        text.push_str(&format!("{line}\n"));
    }
    text.push_str(&iterations(&report.scenarios));
    if !report.totals.errors.is_empty() {
        text.push('\n');
        text.push_str(&errors(&report.totals.errors, report.totals.requests.total));
    }
    if !report.metrics.is_empty() {
        text.push('\n');
        text.push_str(&custom_metrics::lines(report));
    }
    for lines in [
        checks_and_thresholds::check_lines(report),
        checks_and_thresholds::threshold_lines(report),
        exhausted_data::lines(&report.data),
        load_changes::line(&report.changes),
    ] {
        if !lines.is_empty() {
            text.push('\n');
            text.push_str(&lines);
        }
    }
    let trapped: Vec<_> = report.generator.guests.iter().filter(|guest| guest.traps > 0).collect();
    if !trapped.is_empty() {
        text.push('\n');
        trapped.into_iter().for_each(|guest| text.push_str(&trap_line(guest)));
    }
    if report.generator.bottleneck {
        text.push('\n');
        text.push_str(&bottleneck(&report.generator.reasons));
    }
    text
}

/// Returns the columns of the rows. Times of requests with one outcome alone say so in their titles.
pub(super) fn columns(report: &Report, latency: LatencyView) -> Vec<Column> {
    let column = |title: &str, width, cell: fn(&RowReport) -> String| Column {
        title: title.to_owned(),
        width,
        cell: Box::new(cell),
    };
    let (percentiles, outcome) = (shown_percentiles(report, PERCENTILES), report.settings.latency_of);
    let of = outcome.prefix(" ");
    let response = || percentiles.iter().map(|one| time_column(&of, *one, move |row| row.response_time(outcome)));
    let svc = format!("svc {of}");
    let service = || percentiles.iter().map(|one| time_column(&svc, *one, move |row| row.service_time(outcome)));
    let mut columns = vec![
        column("Action", 12, |row| one_line(&label(row.scenario.as_deref(), &row.name))),
        column("OK", 4, |row| count(row.requests.ok)),
        column("ERR", 4, |row| count(row.requests.err)),
    ];
    match latency {
        LatencyView::Response => columns.extend(response()),
        LatencyView::Service => columns.extend(service()),
        LatencyView::Both => columns.extend(response().chain(service())),
    }
    if report.totals.apdex.is_some() {
        columns.push(column("apdex", 5, |row| row.apdex.map_or_else(|| "-".into(), ApdexReport::cell)));
    }
    columns.push(column("rps", 4, |row| rate_cell(row.requests.rps)));
    columns
}

/// Returns the column of a percentile of some times.
fn time_column(
    before: &str,
    percentile: f64,
    times: impl Fn(&RowReport) -> Option<&DurationStats> + 'static,
) -> Column {
    let cell = move |row: &RowReport| {
        times(row).and_then(|times| times.percentile(percentile)).map_or("-".into(), |found| {
            format!("{}{}", lower_bound_sign(found.at_least), latency(found.value as f64, ""))
        })
    };
    Column { title: format!("{before}{}", percentile_title(percentile)), width: 5, cell: Box::new(cell) }
}

/// Returns the sign before a number that may be greater because exchanges were cut off.
const fn lower_bound_sign(is_lower_bound: bool) -> &'static str {
    if is_lower_bound { "≥" } else { "" }
}

fn actions(rows: &[RowReport], columns: &[Column]) -> String {
    let mut lines: Vec<Vec<String>> = vec![columns.iter().map(|column| column.title.clone()).collect()];
    let shown = rows.iter().filter(|row| row.is_shown());
    lines.extend(shown.map(|row| columns.iter().map(|column| (column.cell)(row)).collect()));
    let widest = |(number, column): (usize, &Column)| {
        lines.iter().map(|cells| cells[number].width()).max().unwrap_or(0).max(column.width)
    };
    let widths: Vec<usize> = columns.iter().enumerate().map(widest).collect();
    lines.insert(1, widths.iter().map(|width| "─".repeat(*width)).collect());
    lines.iter().map(|cells| line(cells, &widths)).collect()
}

/// Renders the iterations of scenarios that have a name or an open load model; for others they follow from the rows.
fn iterations(scenarios: &[ScenarioReport]) -> String {
    let is_listed =
        |scenario: &&ScenarioReport| scenario.load.name.is_some() || load_model::is_open(&scenario.load.model);
    let lines =
        scenarios.iter().filter(is_listed).map(|ScenarioReport { load, iterations, iteration_time_us, .. }| {
            let of = load.name.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
            let took = iteration_time_us.as_ref().map(|times| format!(", p95 {}", latency(times.p95 as f64, " ")));
            let [completed, cut_short, dropped] =
                [iterations.completed, iterations.cut_short, iterations.dropped].map(grouped);
            let took = took.unwrap_or_default();
            format!("Iterations{of}: {completed} completed{took}, {cut_short} cut short, {dropped} dropped\n")
        });
    lines.collect()
}

/// Formats a rate per second; from 10 on it is rounded and shown as a count.
fn rate_cell(rps: f64) -> String {
    if rps < 9.95 { short(rps) } else { count(rps.round() as u64) }
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let padded: Vec<String> = cells
        .iter()
        .zip(widths)
        .enumerate()
        .map(|(column, (cell, width))| {
            let space = " ".repeat(width - cell.width());
            if column == 0 { format!("{cell}{space}") } else { format!("{space}{cell}") }
        })
        .collect();
    format!("{}\n", padded.join(" "))
}

fn totals(report: &Report, which: LatencyView) -> String {
    let elapsed = elapsed(report);
    let RequestTotals { total, ok, rps, .. } = report.totals.requests;
    if total == 0 {
        return format!("Totals: no request was sent in {elapsed}\n");
    }
    let outcome = report.settings.latency_of;
    let shown = match which {
        LatencyView::Response | LatencyView::Both => report.totals.response_time(outcome),
        LatencyView::Service => report.totals.service_time(outcome),
    };
    let average = shown.map_or("-".into(), |times| {
        format!("{}{}", lower_bound_sign(times.is_lower_bound("mean")), latency(times.mean, " "))
    });
    let (requests, success, rps) = (grouped(total), percent(ok, total), grouped_decimal(rps));
    let noun = if total == 1 { "request" } else { "requests" };
    let of = outcome.prefix(" ");
    let warm_up = match report.run.warm_up_requests {
        0 => String::new(),
        before => format!("Warm-up: {} requests before that are not counted\n", grouped(before)),
    };
    let totals = format!("Totals: {requests} {noun}, {success} success, {elapsed}, {rps} rps, {of}avg {average}\n");
    totals + &cut_off(shown) + &warm_up + &bandwidth(report)
}

/// Formats the length of the load, and what came after it.
fn elapsed(report: &Report) -> String {
    let load = report.run.load_us.saturating_add(whole_micros(report.settings.warm_up));
    match report.run.elapsed_us.saturating_sub(load) {
        tail if tail < MIN_TAIL_US => seconds(report.run.elapsed_us),
        tail => format!("{} and {} until the last reply", seconds(load), seconds(tail)),
    }
}

/// Explains the sign `≥`, if exchanges were cut off.
fn cut_off(times: Option<&DurationStats>) -> String {
    match times.map_or(0, |times| times.cut_off) {
        0 => String::new(),
        1 => "Cut off: 1 request before its reply was complete; ≥ marks times that may be longer\n".into(),
        count => format!(
            "Cut off: {} requests before their replies were complete; ≥ marks times that may be longer\n",
            grouped(count)
        ),
    }
}

fn bandwidth(report: &Report) -> String {
    let (received, sent) = (report.totals.bytes.received as f64, report.totals.bytes.out as f64);
    // A real load always takes time; the minimum of 1 µs avoids a division by zero for a synthetic one.
    let load = report.run.load_us.max(1) as f64 / 1e6;
    let [rate_in, rate_out, all_in, all_out] = [received / load, sent / load, received, sent].map(megabytes);
    format!("Bandwidth: {rate_in} MB/s in, {rate_out} MB/s out ({all_in} MB in, {all_out} MB out)\n")
}

/// The cells of a line about one kind of error.
struct ErrorCells<'a> {
    category: &'a str,
    count: String,
    share: String,
    example: String,
}

fn errors(errors: &[ErrorCount], requests: u64) -> String {
    let cells = errors.iter().map(|error| {
        let example = error.example.as_ref();
        ErrorCells {
            category: &error.category,
            count: grouped(error.count),
            share: percent(error.count, requests),
            example: example.map_or(String::new(), |e| format!("  e.g. {}: {}", one_line(&e.name), e.text)),
        }
    });
    let cells: Vec<_> = cells.collect();
    let width =
        |get: for<'c> fn(&'c ErrorCells<'c>) -> &'c str| cells.iter().map(|cells| get(cells).len()).max().unwrap_or(0);
    let (first, second, third) = (width(|c| c.category), width(|c| &c.count), width(|c| &c.share));
    let lines = cells.iter().map(|ErrorCells { category, count, share, example }| {
        format!("  {category:first$}  {count:>second$}  {share:>third$}{example}\n")
    });
    format!("Errors, with their share of all requests:\n{}", lines.collect::<String>())
}

/// Renders a plugin's traps, and the remedy if they made other users' actions fail.
fn trap_line(guest: &PluginReport) -> String {
    let (plugin, times) =
        (&guest.plugin, if guest.traps == 1 { "once".into() } else { format!("{} times", grouped(guest.traps)) });
    match guest.collateral {
        0 => format!("Plugin `{plugin}` trapped {times}; the log has the first trap's backtrace.\n"),
        others => format!(
            "Plugin `{plugin}` trapped {times}, and {} of other users failed with it; the log has the first trap's \
             backtrace. With `isolation: user` in the plugin's entry a trap fails its own action alone.\n",
            if others == 1 { "1 action".into() } else { format!("{} actions", grouped(others)) }
        ),
    }
}

/// Renders the warning about the generator itself.
pub(super) fn bottleneck(reasons: &[String]) -> String {
    let why = reasons.join(", and ");
    format!(
        "Warning: the generator itself was the bottleneck: {why}. Do not take the numbers above for the \
         target's: use fewer users, a lower --rps, more --workers, or more machines.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::super::test_reports;
    use super::*;
    use crate::script::outcome::OutcomeFilter;

    /// Compares with a golden file; `BLESS=1` writes it instead.
    fn golden(name: &str, report: &Report) {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/golden").join(name);
        let text = render(report, LatencyView::Response);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &text).expect("golden file is writable");
        }
        assert_eq!(text, std::fs::read_to_string(&path).unwrap_or_default(), "{name}");
    }

    #[test]
    fn a_usual_run() {
        golden("movies.txt", &test_reports::movies());
        let titles = |latency| {
            let titles = columns(&test_reports::movies(), latency).into_iter().map(|column| column.title);
            titles.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(titles(LatencyView::Service), "Action OK ERR svc p50 svc p90 svc p99 rps");
        assert_eq!(titles(LatencyView::Both), "Action OK ERR p50 p90 p99 svc p50 svc p90 svc p99 rps");
    }

    #[test]
    fn times_of_one_outcome_and_a_score() {
        let mut report = test_reports::two_outcomes(10_000, 40_000);
        let first = |report: &Report| {
            let text = render(report, LatencyView::Both);
            let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
            let average = text.lines().find_map(|line| line.split_once(" rps, ")).expect("totals").1.to_owned();
            (words(text.lines().next().expect("a header")), words(text.lines().nth(2).expect("a row")), average)
        };
        let titles = "p50 p90 p99 svc p50 svc p90 svc p99 apdex rps";
        let (header, row, average) = first(&report);
        assert_eq!((header, average.as_str()), (format!("Action OK ERR {titles}"), "avg 26 ms"));
        assert!(row.starts_with("Catalog 500 500 11ms 43ms 44ms") && row.contains(" 0.50 "), "{row}");
        report.settings.latency_of = OutcomeFilter::Ok;
        let (header, row, average) = first(&report);
        let titles = "ok p50 ok p90 ok p99 svc ok p50 svc ok p90 svc ok p99 apdex rps";
        assert_eq!((header, average.as_str()), (format!("Action OK ERR {titles}"), "ok avg 10 ms"));
        assert!(row.starts_with("Catalog 500 500 10ms 11ms 11ms 10ms"), "{row}");
        report.settings.latency_of = OutcomeFilter::Failed;
        let (header, row, _) = first(&report);
        assert!(header.starts_with("Action OK ERR failed p50") && row.starts_with("Catalog 500 500 42ms"), "{row}");
    }

    #[test]
    fn nothing_was_sent() {
        golden("nothing.txt", &test_reports::nothing());
    }

    #[test]
    fn wide_names_many_requests_and_a_busy_generator() {
        golden("wide.txt", &test_reports::wide());
    }

    #[test]
    fn other_percentiles_than_the_usual_ones() {
        let text = render(&test_reports::with_percentiles(&[95.0, 99.99]), LatencyView::Both);
        let header = text.lines().next().expect("a header");
        let titles: Vec<&str> = header.split_whitespace().collect();
        assert_eq!(titles.join(" "), "Action OK ERR p95 p99.99 svc p95 svc p99.99 rps");
    }

    #[test]
    fn rates() {
        assert_eq!(
            [0.0, 0.04, 0.5, 9.94, 9.96, 74.6, 1_240.0].map(rate_cell),
            ["0", "0", "0.5", "9.9", "10", "75", "1.2k"]
        );
    }
}
