//! The table at the end of a run, for people: one line per action, the totals, the traffic, what went wrong, and whether
//! the numbers can be trusted.

use unicode_width::UnicodeWidthStr;

use super::format::{count, grouped, grouped_decimal, latency, megabytes, percent, seconds, short};
use super::model::{ErrorCount, Guest, Report, Requests, Row, Times};
use super::{custom, data};
use crate::metrics::interval::one_line;

/// The columns and the least width of each; the first is text, the others are numbers.
const COLUMNS: [(&str, usize); 7] =
    [("Action", 12), ("OK", 4), ("ERR", 4), ("p50", 5), ("p90", 5), ("p99", 5), ("rps", 4)];

type Cells = [String; COLUMNS.len()];

/// The whole text, with a line feed at the end.
pub fn render(report: &Report) -> String {
    let mut text = actions(&report.actions);
    text.push('\n');
    text.push_str(&totals(report));
    if !report.totals.errors.is_empty() {
        text.push('\n');
        text.push_str(&errors(&report.totals.errors, report.totals.requests.total));
    }
    if !report.metrics.is_empty() {
        text.push('\n');
        text.push_str(&custom::lines(report));
    }
    if !report.data.is_empty() {
        text.push('\n');
        text.push_str(&data::lines(&report.data));
    }
    let trapped: Vec<_> = report.generator.guests.iter().filter(|guest| guest.traps > 0).collect();
    if !trapped.is_empty() {
        text.push('\n');
        trapped.into_iter().for_each(|guest| text.push_str(&traps(guest)));
    }
    if report.generator.bottleneck {
        text.push('\n');
        text.push_str(&bottleneck(&report.generator.reasons));
    }
    text
}

fn actions(rows: &[Row]) -> String {
    let mut lines: Vec<Cells> = vec![COLUMNS.map(|(title, _)| title.into())];
    lines.extend(rows.iter().map(cells));
    let widths: [usize; COLUMNS.len()] = std::array::from_fn(|column| {
        let widest = lines.iter().map(|cells| cells[column].width()).max().unwrap_or(0);
        widest.max(COLUMNS[column].1)
    });
    lines.insert(1, widths.map(|width| "─".repeat(width)));
    lines.iter().map(|cells| line(cells, &widths)).collect()
}

fn cells(row: &Row) -> Cells {
    let times = row.response_time_us.as_ref();
    let at = |pick: fn(&Times) -> u64| times.map_or("-".into(), |times| latency(pick(times) as f64, ""));
    let Requests { ok, err, rps, .. } = row.requests;
    [one_line(&row.name), count(ok), count(err), at(|t| t.p50), at(|t| t.p90), at(|t| t.p99), rate(rps)]
}

/// Whole numbers from 10 per second on.
fn rate(rps: f64) -> String {
    if rps < 9.95 { short(rps) } else { count(rps.round() as u64) }
}

fn line(cells: &Cells, widths: &[usize; COLUMNS.len()]) -> String {
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

fn totals(report: &Report) -> String {
    let elapsed = seconds(report.run.elapsed_us);
    let Requests { total, ok, rps, .. } = report.totals.requests;
    if total == 0 {
        return format!("Totals: no request was sent in {elapsed}\n");
    }
    let average = report.totals.response_time_us.as_ref().map_or("-".into(), |times| latency(times.mean, " "));
    let (requests, success, rps) = (grouped(total), percent(ok, total), grouped_decimal(rps));
    let noun = if total == 1 { "request" } else { "requests" };
    format!("Totals: {requests} {noun}, {success} success, {elapsed}, {rps} rps, avg {average}\n{}", bandwidth(report))
}

fn bandwidth(report: &Report) -> String {
    let (received, sent) = (report.totals.bytes.received as f64, report.totals.bytes.out as f64);
    // A run always takes time; a millionth of a second keeps a made-up one from dividing by zero.
    let elapsed = report.run.elapsed_us.max(1) as f64 / 1e6;
    let [rate_in, rate_out, all_in, all_out] = [received / elapsed, sent / elapsed, received, sent].map(megabytes);
    format!("Bandwidth: {rate_in} MB/s in, {rate_out} MB/s out ({all_in} MB in, {all_out} MB out)\n")
}

fn errors(errors: &[ErrorCount], requests: u64) -> String {
    let cells = errors.iter().map(|error| {
        let example = error.example.as_ref();
        let example = example.map_or(String::new(), |e| format!("  e.g. {}: {}", one_line(&e.name), e.text));
        (error.category.as_ref(), grouped(error.count), percent(error.count, requests), example)
    });
    let cells: Vec<_> = cells.collect();
    let width = |get: fn(&(&str, String, String, String)) -> usize| cells.iter().map(get).max().unwrap_or(0);
    let (first, second, third) = (width(|c| c.0.len()), width(|c| c.1.len()), width(|c| c.2.len()));
    let lines = cells.iter().map(|(category, count, share, example)| {
        format!("  {category:first$}  {count:>second$}  {share:>third$}{example}\n")
    });
    format!("Errors, with their share of all requests:\n{}", lines.collect::<String>())
}

/// What the traps of a plugin have cost, and the cure if others paid for them.
fn traps(guest: &Guest) -> String {
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

fn bottleneck(reasons: &[String]) -> String {
    let why = reasons.join(", and ");
    format!(
        "Warning: the generator itself was the bottleneck: {why}. Do not take the numbers above for the \
         target's: use fewer users, a lower --rps, more --workers, or more machines.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    /// Compares with a golden file; `BLESS=1` writes it instead.
    fn golden(name: &str, report: &Report) {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/golden").join(name);
        let text = render(report);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &text).expect("golden file is writable");
        }
        assert_eq!(text, std::fs::read_to_string(&path).unwrap_or_default(), "{name}");
    }

    #[test]
    fn a_usual_run() {
        golden("movies.txt", &samples::movies());
    }

    #[test]
    fn nothing_was_sent() {
        golden("nothing.txt", &samples::nothing());
    }

    #[test]
    fn wide_names_many_requests_and_a_busy_generator() {
        golden("wide.txt", &samples::wide());
    }

    #[test]
    fn rates() {
        assert_eq!([0.0, 0.04, 0.5, 9.94, 9.96, 74.6, 1_240.0].map(rate), ["0", "0", "0.5", "9.9", "10", "75", "1.2k"]);
    }
}
