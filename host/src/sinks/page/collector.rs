//! Makes the ticks of a page's log from the seconds of a run.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::run_info::RunInfo;
use crate::metrics::aggregate::RowInfo;
use crate::metrics::interval::{Interval, IntervalHealth};
use crate::metrics::log_linear::LogLinearHistogram;
use crate::metrics::row_stats::{RowStats, TaskCounts};
use crate::metrics::threshold::LiveThreshold;
use crate::metrics::threshold::live::LiveThresholds;
use crate::report::generator::{MAX_LOOP_LAG_US, MAX_START_DELAY_P99_US, MAX_WAIT_SHARE};
use crate::report::page::{ExampleText, MAX_ROWS, RowTick, RunMark, SharedTimes, ShownThreshold, TickEvent};
use crate::run::SectionKind;
use crate::run::load_controller::{LoadChange, LoadChangeKind};
use crate::run::observer::SecondSnapshot;

/// The greatest number of marks in a log.
const MAX_MARKS: usize = 1_000;

/// The greatest number of examples in a log.
const MAX_EXAMPLES: usize = 1_000;

/// The share of a second above which a worker's processor counts as exhausted in it.
const BUSY_SHARE: f32 = 0.9;

/// Makes ticks, and remembers what came before.
pub(super) struct TickCollector {
    started_at: Duration,
    warm_up: Duration,
    /// The section of the second before; `None` before the first.
    section: Option<SectionKind>,
    /// The end of the tick before.
    end_ms: u64,
    marks: usize,
    /// Rows and kinds whose example is in the log.
    examples: BTreeSet<(u16, u8)>,
    thresholds: LiveThresholds,
    /// True for each row whose times are not in those of all rows together.
    by_design: Vec<bool>,
}

impl TickCollector {
    /// Creates the collector of a run that is about to begin.
    pub(super) fn new(run: &RunInfo) -> Self {
        Self {
            started_at: run.started_at,
            warm_up: run.settings.warm_up,
            section: None,
            end_ms: 0,
            marks: 0,
            examples: BTreeSet::new(),
            thresholds: LiveThresholds::new(&run.thresholds),
            by_design: run.rows.iter().map(RowInfo::is_by_design).collect(),
        }
    }

    /// Returns the tick of a second.
    pub(super) fn tick(&mut self, second: &SecondSnapshot) -> TickEvent {
        let end_ms = millis(second.ended_at.saturating_sub(self.started_at)).max(self.end_ms + 1);
        let is_next = self.section == Some(second.section);
        // The set-up, and the time between two sections, belong to no tick.
        let length = if second.is_partial && is_next { end_ms - self.end_ms } else { 1_000 };
        let at_ms = end_ms.saturating_sub(length).max(self.end_ms);
        let counts = &second.merged.counts;
        if second.is_judged() {
            self.thresholds.add(second.merged.second, counts);
        }
        let mut tick = TickEvent {
            first: second.index,
            last: second.index,
            at_ms,
            end_ms,
            segment: second.section as u8,
            users: counts.users_active,
            paused: second.load.paused,
            memory: second.process.memory.unwrap_or(0),
            open_files: second.process.open_files.unwrap_or(0),
            thresholds: self.thresholds.states().map(shown_threshold).collect(),
            marks: self.marks(second, at_ms),
            examples: self.new_examples(counts, end_ms),
            ..TickEvent::default()
        };
        set_counts(&mut tick, counts, &self.by_design);
        set_health(&mut tick, counts, &second.merged.health);
        (self.end_ms, self.section) = (end_ms, Some(second.section));
        tick
    }

    fn marks(&mut self, second: &SecondSnapshot, at_ms: u64) -> Vec<RunMark> {
        let mut marks = Vec::new();
        if self.section != Some(second.section) {
            let text = ["set-up", "load", "teardown"][second.section as usize];
            marks.push(RunMark { at_ms, text: text.into() });
            if second.section == SectionKind::Load && !self.warm_up.is_zero() {
                marks.push(RunMark { at_ms: at_ms + millis(self.warm_up), text: "warm-up over".into() });
            }
        }
        marks.extend(second.changes.iter().map(|change| RunMark { at_ms, text: words(change) }));
        marks.truncate(MAX_MARKS - self.marks);
        self.marks += marks.len();
        marks
    }

    fn new_examples(&mut self, counts: &Interval, at_ms: u64) -> Vec<ExampleText> {
        let mut examples = Vec::new();
        for example in &counts.examples {
            let (row, category) = (shown_row(example.row.into(), counts.rows.len()), example.kind as u8);
            if self.examples.len() < MAX_EXAMPLES && self.examples.insert((row, category)) {
                examples.push(ExampleText { at_ms, row, category, text: example.text().to_owned() });
            }
        }
        examples
    }
}

/// Returns the index in the log of a row of the report: those beyond the limit are one.
fn shown_row(row: usize, rows: usize) -> u16 {
    if rows <= MAX_ROWS { row as u16 } else { row.min(MAX_ROWS) as u16 }
}

fn set_counts(tick: &mut TickEvent, counts: &Interval, by_design: &[bool]) {
    let (own, others) = counts.rows.split_at(counts.rows.len().min(MAX_ROWS));
    let is_by_design = |index: usize| by_design.get(index).copied().unwrap_or_default();
    let mut rest = RowTick::default();
    for (index, row) in (MAX_ROWS..).zip(others) {
        let more = row_tick(row);
        rest.add(&if is_by_design(index) { more.without_times() } else { more });
    }
    tick.set_rows((0..).zip(own.iter().map(row_tick).chain([rest])));
    let (mut times, mut tasks) = (SharedTimes::default(), TaskCounts::default());
    for (index, row) in counts.rows.iter().enumerate() {
        let shown = shown_row(index, counts.rows.len());
        for (category, count) in row.err.iter().enumerate().filter(|(_, count)| **count > 0) {
            tick.count_errors(shown, category, *count);
        }
        row.statuses.iter().filter(|(_, count)| *count > 0).for_each(|(status, count)| {
            tick.count_statuses(shown, *status, *count);
        });
        if !is_by_design(index) {
            times.service.add_histogram(&row.service);
            times.phases.iter_mut().zip(row.phases.parts()).for_each(|(sum, part)| sum.add_histogram(part));
        }
        tasks.add(&row.tasks);
    }
    times.start_delay.add_histogram(&counts.start_delay);
    tick.set_times(&times);
    tick.tasks = [tasks.started, tasks.passed, tasks.failed, tasks.cancelled, tasks.dropped];
    tick.saturated = times.start_delay.quantile(0.99).is_some_and(|late| late > MAX_START_DELAY_P99_US);
}

fn row_tick(row: &RowStats<u32>) -> RowTick {
    let mut response = LogLinearHistogram::default();
    response.add_histogram(&row.response);
    let mut failed = LogLinearHistogram::default();
    row.failed.iter().for_each(|times| failed.add_histogram(&times.response));
    RowTick {
        ok: row.ok,
        err: row.failures(),
        bytes_out: row.bytes.out,
        bytes_in: row.bytes.received,
        max_us: row.response.max(),
        ok_max_us: row.ok_response().max(),
        response,
        failed,
    }
}

fn set_health(tick: &mut TickEvent, counts: &Interval, workers: &[IntervalHealth]) {
    let share = |part: u64, worker: &IntervalHealth| (part as f32 / worker.wall.max(1) as f32).min(1.0);
    // Three digits are more than a chart can show, and keep the log small.
    let rounded = |share: f32| (share * 1e3).round() / 1e3;
    tick.cpu = workers.iter().map(|worker| rounded(share(worker.cpu, worker))).collect();
    let waits = workers.iter().map(|worker| rounded(share(worker.cpu_wait.unwrap_or(0), worker)));
    tick.cpu_wait = waits.fold(0.0, f32::max);
    tick.connections = workers.iter().map(|worker| worker.connections).sum();
    tick.loop_lag_us = counts.health.loop_lag_max / 1_000;
    tick.traps = counts.health.guest_traps.iter().sum();
    tick.saturated |= tick.cpu.iter().any(|share| *share > BUSY_SHARE)
        || f64::from(tick.cpu_wait) > MAX_WAIT_SHARE
        || tick.loop_lag_us > MAX_LOOP_LAG_US;
}

fn shown_threshold(state: LiveThreshold) -> ShownThreshold {
    let LiveThreshold { holds, value } = state;
    let at_least = value.is_some_and(|value| value.is_lower_bound);
    ShownThreshold { holds, value: value.map(|value| value.value), at_least }
}

fn words(change: &LoadChange) -> String {
    match &change.kind {
        LoadChangeKind::Scale(scale, None) => format!("load × {scale}"),
        LoadChangeKind::Scale(scale, Some(scenario)) => format!("{scenario} × {scale}"),
        LoadChangeKind::Paused => "paused".into(),
        LoadChangeKind::Resumed => "resumed".into(),
        LoadChangeKind::Stopped => "stopped".into(),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
