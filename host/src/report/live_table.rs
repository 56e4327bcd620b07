//! The run as it goes on, as a table on a terminal: a line for each action, the totals, thresholds, the last errors and
//! the health of the generator. It is made of the seconds of the run and fits itself to the size of the terminal; it
//! neither reads the clock nor writes.

use std::collections::VecDeque;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::checks_and_thresholds::format_value;
use super::format::{count, latency};
use crate::metrics::aggregate::{RowInfo, label};
use crate::metrics::interval::IntervalHealth;
use crate::metrics::log_linear::LogLinearHistogram;
use crate::metrics::row_stats::RowStats;
use crate::metrics::second::MergedSecond;
use crate::metrics::threshold::live::LiveThresholds;
use crate::metrics::threshold::{LiveThreshold, ThresholdRule};
use crate::text::one_line;

/// The seconds that a row's chart shows.
const CHART_SECONDS: usize = 20;

/// The errors that are shown.
const MAX_ERRORS: usize = 3;

/// The widest name of an action, in columns.
const MAX_NAME: usize = 32;

/// The parts of a chart, from nothing to the highest value.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The size of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TerminalSize {
    /// Columns of a line.
    pub columns: usize,
    /// Lines.
    pub lines: usize,
}

/// The numbers of a run so far.
pub(crate) struct LiveTable {
    rows: Vec<LiveRow>,
    totals: LiveRow,
    rules: Vec<ThresholdRule>,
    thresholds: LiveThresholds,
    /// The last distinct errors, the newest last.
    errors: VecDeque<String>,
    health: Vec<IntervalHealth>,
}

/// The numbers of a row.
#[derive(Default)]
struct LiveRow {
    name: String,
    /// True if it is below the row of a step, and not shown without requests.
    is_part: bool,
    /// True if its times are not in those of the totals.
    is_by_design: bool,
    ok: u64,
    failed: u64,
    response: LogLinearHistogram,
    /// Requests in each of the last seconds.
    recent: VecDeque<u64>,
}

impl LiveTable {
    /// Creates the table of a run that has not begun.
    pub(crate) fn new(rows: &[RowInfo], thresholds: &[ThresholdRule]) -> Self {
        let row = |info: &RowInfo| LiveRow {
            name: one_line(&label(info.scenario.as_deref(), &info.name)),
            is_part: info.part.is_some(),
            is_by_design: info.is_by_design(),
            ..LiveRow::default()
        };
        Self {
            rows: rows.iter().map(row).collect(),
            totals: LiveRow { name: "Totals".into(), ..LiveRow::default() },
            rules: thresholds.to_vec(),
            thresholds: LiveThresholds::new(thresholds),
            errors: VecDeque::new(),
            health: Vec::new(),
        }
    }

    /// Adds a second of the run. Thresholds are judged by those of the load alone.
    pub(crate) fn add(&mut self, second: &MergedSecond, is_load: bool) {
        let mut requests = 0;
        for (row, stats) in self.rows.iter_mut().zip(&second.counts.rows) {
            row.add(stats);
            self.totals.ok += stats.ok;
            self.totals.failed += stats.failures();
            if !row.is_by_design {
                self.totals.response.add_histogram(&stats.response);
            }
            requests += stats.requests();
        }
        self.totals.note_recent(requests);
        for example in &second.counts.examples {
            let name = self.rows.get(usize::from(example.row)).map_or("", |row| &row.name);
            let text = format!("{}  {name}: {}", example.kind.name(), example.text());
            self.errors.retain(|known| *known != text);
            self.errors.push_back(text);
            if self.errors.len() > MAX_ERRORS {
                self.errors.pop_front();
            }
        }
        if is_load {
            self.thresholds.add(second.second, &second.counts);
        }
        self.health.clone_from(&second.health);
    }

    /// Renders the table under a line about the run, in lines that fit the terminal.
    pub(crate) fn render(&self, progress: &str, size: TerminalSize) -> Vec<String> {
        // The cursor stands on a line below the table.
        let room = size.lines.saturating_sub(1).max(1);
        let mut lines = vec![progress.to_owned()];
        let (mut below, errors) = (self.threshold_lines(), self.error_lines());
        below.push(self.health_line());
        // Rows come first: what does not fit beside at least one of them is left out.
        below.truncate(room.saturating_sub(4 + errors.len()));
        below.splice(0..0, errors.into_iter().take(room.saturating_sub(4)));
        if room >= 4 {
            lines.extend(self.row_lines(room - 1 - below.len()));
        }
        lines.append(&mut below);
        lines.truncate(room);
        lines.iter().map(|line| fit(line, size.columns)).collect()
    }

    /// Renders header, rows and totals in this many lines.
    fn row_lines(&self, room: usize) -> Vec<String> {
        let all: Vec<_> = self.rows.iter().filter(|row| row.is_shown()).collect();
        let width = all.iter().map(|row| row.name.width()).max().unwrap_or(0).clamp(12, MAX_NAME);
        let rows = room.saturating_sub(2);
        let is_cut = all.len() > rows;
        let shown = if is_cut { rows.saturating_sub(1) } else { all.len() };
        let header = ["rps", "OK", "ERR", "p50", "p95", "p99"].map(|title| format!("{title:>7}")).concat();
        let mut lines = vec![format!("{}{header}", pad("Action", width))];
        lines.extend(all.iter().take(shown).map(|row| row.line(width)));
        if is_cut && rows > 0 {
            lines.push(format!("… {} more actions", all.len() - shown));
        }
        lines.push(self.totals.line(width));
        lines
    }

    fn threshold_lines(&self) -> Vec<String> {
        let lines = self.rules.iter().zip(self.thresholds.states()).map(|(rule, LiveThreshold { holds, value })| {
            let state = match holds {
                None => "waiting",
                Some(true) => "holds  ",
                Some(false) => "FAILS  ",
            };
            let value = value.map_or_else(String::new, |value| {
                let sign = if value.is_lower_bound { "≥ " } else { "" };
                format!("  {sign}{}", format_value(rule.quantity.name(), value.value))
            });
            format!("{state}  {}: {}{value}", one_line(&rule.metric), one_line(&rule.expression))
        });
        lines.collect()
    }

    fn error_lines(&self) -> Vec<String> {
        self.errors.iter().map(|error| format!("error    {error}")).collect()
    }

    /// Renders the state of the generator in the last second: that of its busiest worker.
    fn health_line(&self) -> String {
        let busiest = self.health.iter().map(|health| percent_of(health.cpu, health.wall)).max().unwrap_or(0);
        let lag = self.health.iter().map(|health| health.loop_lag_max).max().unwrap_or(0);
        let warning = if busiest > 90 { ", TOO BUSY: its own delays are in the numbers" } else { "" };
        format!("generator  CPU {busiest} % of a core, loop {} late{warning}", latency(lag as f64 / 1e3, " "))
    }
}

impl LiveRow {
    fn add(&mut self, stats: &RowStats<u32>) {
        self.ok += stats.ok;
        self.failed += stats.failures();
        self.response.add_histogram(&stats.response);
        self.note_recent(stats.requests());
    }

    fn is_shown(&self) -> bool {
        !self.is_part || self.ok + self.failed > 0
    }

    fn note_recent(&mut self, requests: u64) {
        self.recent.push_back(requests);
        if self.recent.len() > CHART_SECONDS {
            self.recent.pop_front();
        }
    }

    fn line(&self, width: usize) -> String {
        let rate = self.recent.back().copied().unwrap_or(0);
        let times = [0.5, 0.95, 0.99].map(|share| {
            let time = self.response.quantile(share).map_or("-".into(), |micros| latency(micros as f64, ""));
            format!("{time:>7}")
        });
        let numbers = [count(rate), count(self.ok), count(self.failed)].map(|number| format!("{number:>7}")).concat();
        format!("{}{numbers}{}  {}", pad(&self.name, width), times.concat(), chart(&self.recent))
    }
}

/// Renders values as bars, the highest of which is full.
fn chart(values: &VecDeque<u64>) -> String {
    let highest = values.iter().copied().max().unwrap_or(0).max(1);
    let bar = |value: &u64| BARS[(value * (BARS.len() as u64 - 1)).div_ceil(highest) as usize];
    values.iter().map(bar).collect()
}

fn percent_of(part: u64, whole: u64) -> u64 {
    if whole == 0 { 0 } else { (part as f64 / whole as f64 * 100.0).round() as u64 }
}

/// Pads a text with spaces to a width, or cuts it.
fn pad(text: &str, width: usize) -> String {
    let text = fit(text, width);
    let space = " ".repeat(width - text.width());
    format!("{text}{space}")
}

/// Cuts a text to a width, with a mark at its end.
fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut fitted = String::new();
    for sign in text.chars() {
        if fitted.width() + sign.width().unwrap_or(0) + 1 > width {
            break;
        }
        fitted.push(sign);
    }
    if width > 0 {
        fitted.push('…');
    }
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::interval::WorkerInterval;
    use crate::metrics::recorder::Recorder;
    use crate::metrics::sample::{FailureKind, PhaseDurations, RowId, Sample};
    use crate::metrics::second::SecondMerger;
    use crate::metrics::threshold::{Measure, RowMeasure};
    use crate::script::threshold_syntax::{Aggregation, Comparison, Quantity};

    fn rule(limit: f64) -> ThresholdRule {
        ThresholdRule {
            metric: "http_duration".into(),
            expression: format!("p(95)<{}ms", limit / 1e3),
            measure: Measure::Rows(RowMeasure::Response, vec![0, 1]),
            aggregation: Aggregation::Percentile(95.0),
            comparison: Comparison::Less,
            limit,
            quantity: Quantity::Time,
            window: None,
            abort: None,
        }
    }

    fn sample(row: RowId, millis: u64, failure: Option<FailureKind>) -> Sample {
        Sample {
            row,
            intended: 0,
            start: 0,
            end: millis * 1_000_000,
            status: 200,
            bytes_out: 1,
            bytes_in: 1,
            body_bytes_in: 1,
            phases: PhaseDurations::default(),
            failure,
            span: None,
        }
    }

    /// Returns a table of three seconds with `more` rows that nothing was sent for.
    fn table(more: usize) -> LiveTable {
        let names = ["Catalog", "映画一覧"].map(str::to_owned).into_iter();
        let names = names.chain((0..more).map(|number| format!("Unused {number}")));
        let info = |name| RowInfo {
            scenario: None,
            name,
            action: "http".into(),
            tags: Vec::new(),
            apdex_target: None,
            part: None,
        };
        let infos: Vec<RowInfo> = names.map(info).collect();
        let mut table = LiveTable::new(&infos, &[rule(100_000.0), rule(20_000.0)]);
        let mut recorder = Recorder::new(infos.len(), Vec::new());
        let mut merger = SecondMerger::new(1, infos.len(), Vec::new(), true);
        for second in 0..3 {
            for number in 0..20 * u64::from(second + 1) {
                recorder.record(&sample(0, 10 + number % 30, None));
            }
            recorder.record(&sample(1, 90, Some(FailureKind::Status)));
            recorder.record_example(1, FailureKind::Status, || "expected status `200`, got `503`".into());
            let mut interval = recorder.take(None);
            interval.health =
                IntervalHealth { cpu: 340_000_000, wall: 1_000_000_000, loop_lag_max: 1_240_000, ..Default::default() };
            merger.add(&WorkerInterval { worker: 0, second, interval });
            table.add(&merger.next_remaining().expect("it has counts"), true);
        }
        table
    }

    /// Compares with a golden file; `BLESS=1` writes it instead.
    #[test]
    fn it_fits_terminals_of_any_size() {
        let mut text = String::new();
        for (more, columns, lines) in [(0, 100, 30), (0, 60, 12), (9, 100, 14), (9, 40, 6), (0, 20, 2), (0, 0, 0)] {
            let shown =
                table(more).render("3 s elapsed | 5 users | 62 rps | 2.4 % errors", TerminalSize { columns, lines });
            assert!(shown.len() <= lines.saturating_sub(1).max(1), "{columns} × {lines}: {shown:#?}");
            assert!(shown.iter().all(|line| line.width() <= columns), "{columns} × {lines}: {shown:#?}");
            text += &format!("── {columns} × {lines}\n{}\n", shown.join("\n"));
        }
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/golden/live.txt");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &text).expect("golden file is writable");
        }
        assert_eq!(text, std::fs::read_to_string(&path).unwrap_or_default());
    }

    #[test]
    fn a_chart_shows_something_wherever_there_was_something() {
        assert_eq!(chart(&VecDeque::from([0, 1, 1_000])), " ▁█");
        assert_eq!(chart(&VecDeque::from([0, 0])), "  ");
    }
}
