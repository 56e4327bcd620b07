//! A stretch of a run in a page's log. Neighbours merge without loss but for the moments within the stretch: counts and
//! histograms add up, and of users and delays the greatest stays.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::metrics::log_linear::LogLinearHistogram;

/// Something that happened at a moment: a segment began, the load changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunMark {
    /// Milliseconds after the start of the run.
    pub at_ms: u64,
    /// A few words.
    pub text: String,
}

/// The first failure of its kind in a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ExampleText {
    /// Milliseconds after the start of the run.
    pub at_ms: u64,
    /// Index of the row.
    pub row: u16,
    /// Index of the kind among all kinds.
    pub category: u8,
    /// The failure in one line.
    pub text: String,
}

/// A threshold as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ShownThreshold {
    /// True if it holds so far; `None` while there is nothing to judge.
    pub holds: Option<bool>,
    /// The number that shows it, in the threshold's unit.
    pub value: Option<f64>,
    /// True if the number may be greater, because exchanges were cut off.
    pub at_least: bool,
}

/// The counts of one row in a stretch.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RowTick {
    /// Exchanges without a failure.
    pub ok: u64,
    /// Exchanges with a failure.
    pub err: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// The longest response time in microseconds; 0 if there was none.
    pub max_us: u64,
    /// Response times of exchanges that were not cut off.
    pub response: LogLinearHistogram,
    /// Those of them that failed.
    pub failed: LogLinearHistogram,
    /// The longest response time of an exchange without a failure; 0 if there was none.
    pub ok_max_us: u64,
}

impl RowTick {
    /// Adds the counts of another row.
    pub(crate) fn add(&mut self, other: &Self) {
        self.ok += other.ok;
        self.err += other.err;
        self.bytes_out += other.bytes_out;
        self.bytes_in += other.bytes_in;
        self.max_us = self.max_us.max(other.max_us);
        self.response.add(&other.response);
        self.failed.add(&other.failed);
        self.ok_max_us = self.ok_max_us.max(other.ok_max_us);
    }

    /// Returns the counts without times.
    pub(crate) fn without_times(self) -> Self {
        let Self { ok, err, bytes_out, bytes_in, .. } = self;
        Self { ok, err, bytes_out, bytes_in, ..Self::default() }
    }
}

/// A stretch of a run. The lists from `rows` to `response` are parallel: one element for each row that counted
/// anything. A histogram is a list of bin, count, distance to the next bin, its count, and so on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "tick")]
pub(crate) struct TickEvent {
    /// Number of its first second, from 0 over all segments.
    pub first: u32,
    /// Number of its last second.
    pub last: u32,
    /// Its begin, in milliseconds after the start of the run.
    pub at_ms: u64,
    /// Its end.
    pub end_ms: u64,
    /// 0 for the set-up, 1 for the load, 2 for the teardown.
    pub segment: u8,
    /// The greatest number of users.
    pub users: u32,
    /// True if no iteration began because of a pause.
    pub paused: bool,
    /// Index of the row.
    pub rows: Vec<u16>,
    /// Exchanges without a failure.
    pub ok: Vec<u64>,
    /// Exchanges with a failure.
    pub err: Vec<u64>,
    /// Bytes sent.
    pub bytes_out: Vec<u64>,
    /// Bytes received.
    pub bytes_in: Vec<u64>,
    /// The longest response time in microseconds.
    pub max_us: Vec<u64>,
    /// The length of each row's histogram in `response`, where they stand one after the other.
    pub lengths: Vec<usize>,
    /// Histograms of response times.
    pub response: Vec<u32>,
    /// Index of each row of which a time is one of a failure. The next three lists are parallel to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_rows: Vec<u16>,
    /// The length of each row's histogram in `failed_response`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_lengths: Vec<usize>,
    /// The longest response time of the row's other exchanges; 0 if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ok_max_us: Vec<u64>,
    /// Histograms of the response times of failures, whose counts `response` has too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_response: Vec<u32>,
    /// Row, category, count, and so on.
    pub errors: Vec<u64>,
    /// Row, status, count, and so on.
    pub statuses: Vec<u64>,
    /// Tasks started, passed, failed, cancelled, dropped, of all rows.
    pub tasks: [u64; 5],
    /// Histogram of service times of all rows.
    pub service: Vec<u32>,
    /// One histogram for each phase, of all rows.
    pub phases: Vec<Vec<u32>>,
    /// Histogram of start − intended start.
    pub start_delay: Vec<u32>,
    /// The share of each worker's time that it used the processor, 0 to 1.
    pub cpu: Vec<f32>,
    /// The greatest share of a worker's time for which it waited for a processor.
    pub cpu_wait: f32,
    /// The longest delay of a worker's loop.
    pub loop_lag_us: u64,
    /// The greatest number of open connections.
    pub connections: u32,
    /// The greatest resident memory of the generator in bytes; 0 if it is not known.
    pub memory: u64,
    /// The greatest number of files that the generator has open, connections among them; 0 if it is not known.
    pub open_files: u64,
    /// Instances of plugins lost to traps.
    pub traps: u64,
    /// True if the generator itself was too slow.
    pub saturated: bool,
    /// The thresholds at its end, in the order of the report.
    pub thresholds: Vec<ShownThreshold>,
    /// Events in it: segments that began, changes of the load.
    pub marks: Vec<RunMark>,
    /// Failures that were the first of their kind.
    pub examples: Vec<ExampleText>,
}

/// The times of all rows together in a stretch.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedTimes {
    /// Service times.
    pub service: LogLinearHistogram,
    /// One for each phase.
    pub phases: [LogLinearHistogram; 5],
    /// Start − intended start.
    pub start_delay: LogLinearHistogram,
}

impl TickEvent {
    /// Sets the counts of all rows, in their order; rows without any are left out.
    pub(crate) fn set_rows(&mut self, rows: impl Iterator<Item = (u16, RowTick)>) {
        for (row, counts) in rows.filter(|(_, counts)| *counts != RowTick::default()) {
            self.rows.push(row);
            self.ok.push(counts.ok);
            self.err.push(counts.err);
            self.bytes_out.push(counts.bytes_out);
            self.bytes_in.push(counts.bytes_in);
            self.max_us.push(counts.max_us);
            let distances = counts.response.to_distances();
            self.lengths.push(distances.len());
            self.response.extend(distances);
            if counts.ok_max_us != counts.max_us || counts.failed != LogLinearHistogram::default() {
                let failed = counts.failed.to_distances();
                self.failed_rows.push(row);
                self.failed_lengths.push(failed.len());
                self.ok_max_us.push(counts.ok_max_us);
                self.failed_response.extend(failed);
            }
        }
    }

    /// Sets the times of all rows together.
    pub(crate) fn set_times(&mut self, times: &SharedTimes) {
        self.service = times.service.to_distances();
        self.phases = times.phases.iter().map(LogLinearHistogram::to_distances).collect();
        self.start_delay = times.start_delay.to_distances();
    }

    /// Counts failures of a category in a row.
    pub(crate) fn count_errors(&mut self, row: u16, category: usize, count: u64) {
        self.errors.extend([u64::from(row), category as u64, count]);
    }

    /// Counts replies with a status in a row.
    pub(crate) fn count_statuses(&mut self, row: u16, status: u16, count: u64) {
        self.statuses.extend([u64::from(row), u64::from(status), count]);
    }

    /// Merges neighbours, the earliest first.
    pub(crate) fn merge(ticks: &[Self]) -> Self {
        let (Some(first), Some(last)) = (ticks.first(), ticks.last()) else { return Self::default() };
        let mut merged = Self {
            first: first.first,
            last: last.last,
            at_ms: first.at_ms,
            end_ms: last.end_ms,
            segment: last.segment,
            paused: ticks.iter().all(|tick| tick.paused),
            thresholds: last.thresholds.clone(),
            ..Self::default()
        };
        let (mut rows, mut times) = (BTreeMap::<u16, RowTick>::new(), SharedTimes::default());
        for tick in ticks {
            merged.add_plain(tick);
            tick.each_row(|row, counts| rows.entry(row).or_default().add(counts));
            times.add(tick);
        }
        merged.set_rows(rows.into_iter());
        merged.set_times(&times);
        merged.errors = add_triples(ticks.iter().map(|tick| &tick.errors));
        merged.statuses = add_triples(ticks.iter().map(|tick| &tick.statuses));
        merged
    }

    /// Calls `visit` with each row that counted anything.
    fn each_row(&self, mut visit: impl FnMut(u16, &RowTick)) {
        let (mut response, mut failed) = (self.response.as_slice(), self.failed_response.as_slice());
        let mut next_failed = 0;
        for (index, row) in self.rows.iter().enumerate() {
            let own = take(&mut response, self.lengths[index]);
            let (mut failures, mut ok_max_us) = (LogLinearHistogram::default(), self.max_us[index]);
            if self.failed_rows.get(next_failed) == Some(row) {
                failures = LogLinearHistogram::from_distances(take(&mut failed, self.failed_lengths[next_failed]));
                ok_max_us = self.ok_max_us[next_failed];
                next_failed += 1;
            }
            let counts = RowTick {
                ok: self.ok[index],
                err: self.err[index],
                bytes_out: self.bytes_out[index],
                bytes_in: self.bytes_in[index],
                max_us: self.max_us[index],
                response: LogLinearHistogram::from_distances(own),
                failed: failures,
                ok_max_us,
            };
            visit(*row, &counts);
        }
    }

    fn add_plain(&mut self, other: &Self) {
        self.users = self.users.max(other.users);
        self.tasks.iter_mut().zip(other.tasks).for_each(|(sum, more)| *sum += more);
        self.cpu.resize(self.cpu.len().max(other.cpu.len()), 0.0);
        self.cpu.iter_mut().zip(&other.cpu).for_each(|(most, share)| *most = most.max(*share));
        self.cpu_wait = self.cpu_wait.max(other.cpu_wait);
        self.loop_lag_us = self.loop_lag_us.max(other.loop_lag_us);
        self.connections = self.connections.max(other.connections);
        self.memory = self.memory.max(other.memory);
        self.open_files = self.open_files.max(other.open_files);
        self.traps += other.traps;
        self.saturated |= other.saturated;
        self.marks.extend(other.marks.iter().cloned());
        self.examples.extend(other.examples.iter().cloned());
    }
}

impl SharedTimes {
    fn add(&mut self, tick: &TickEvent) {
        self.service.add(&LogLinearHistogram::from_distances(&tick.service));
        self.start_delay.add(&LogLinearHistogram::from_distances(&tick.start_delay));
        for (sum, more) in self.phases.iter_mut().zip(&tick.phases) {
            sum.add(&LogLinearHistogram::from_distances(more));
        }
    }
}

/// Takes the first elements off a list.
fn take<'l>(list: &mut &'l [u32], length: usize) -> &'l [u32] {
    let (taken, rest) = list.split_at(length.min(list.len()));
    *list = rest;
    taken
}

/// Adds up lists of (row, key, count), which stay one list of them.
fn add_triples<'t>(lists: impl Iterator<Item = &'t Vec<u64>>) -> Vec<u64> {
    let mut counts = BTreeMap::<[u64; 2], u64>::new();
    for triple in lists.flat_map(|list| list.chunks_exact(3)) {
        *counts.entry([triple[0], triple[1]]).or_default() += triple[2];
    }
    counts.into_iter().flat_map(|([row, key], count)| [row, key, count]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::test_reports::times_of;
    use super::*;

    fn tick(second: u32, rows: &[(u16, u64)]) -> TickEvent {
        let at_ms = u64::from(second) * 1_000;
        let mut tick = TickEvent { first: second, last: second, at_ms, end_ms: at_ms + 1_000, ..TickEvent::default() };
        let counts = |&(row, ok): &(u16, u64)| {
            let (max_us, response) = (ok * 10, times_of(&[ok * 10; 2]));
            (row, RowTick { ok, max_us, ok_max_us: max_us, response, ..RowTick::default() })
        };
        tick.set_rows(rows.iter().map(counts));
        tick.count_statuses(rows[0].0, 200, rows[0].1);
        tick.users = second + 1;
        tick.cpu = vec![0.5];
        tick
    }

    #[test]
    fn neighbours_add_up() {
        let merged = TickEvent::merge(&[tick(5, &[(0, 3), (2, 1)]), tick(6, &[(1, 7)]), tick(7, &[(0, 4)])]);
        assert_eq!((merged.first, merged.last, merged.at_ms, merged.end_ms), (5, 7, 5_000, 8_000));
        assert_eq!((merged.rows.clone(), merged.ok.clone(), merged.users), (vec![0, 1, 2], vec![7, 7, 1], 8));
        assert_eq!((merged.max_us.clone(), merged.statuses.clone()), (vec![40, 70, 10], vec![0, 200, 7, 1, 200, 7]));
        let mut first = None;
        merged.each_row(|row, counts| first = first.take().or((row == 0).then(|| counts.response.clone())));
        assert_eq!(first, Some(times_of(&[30, 30, 40, 40])));
    }

    #[test]
    fn failures_are_told_apart_where_there_are_any() {
        let plain = tick(5, &[(0, 3), (2, 1)]);
        assert!(!serde_json::to_string(&plain).expect("JSON").contains("failed"));
        let mut with_failures = tick(6, &[(1, 7)]);
        let (response, failed) = (times_of(&[20, 900, 900]), times_of(&[900, 900]));
        let counts = RowTick { ok: 1, err: 2, max_us: 900, ok_max_us: 20, response, failed, ..RowTick::default() };
        with_failures.set_rows([(2, counts.clone())].into_iter());
        let merged = TickEvent::merge(&[plain, with_failures]);
        assert_eq!((merged.failed_rows.as_slice(), merged.ok_max_us.as_slice()), (&[2][..], &[20][..]));
        let mut rows = BTreeMap::new();
        merged.each_row(|row, counts| drop(rows.insert(row, counts.clone())));
        assert_eq!((&rows[&2].failed, rows[&2].max_us), (&counts.failed, 900));
        assert_eq!(rows[&2].response.without(&rows[&2].failed), times_of(&[10, 10, 20]));
        assert_eq!((rows[&0].ok_max_us, &rows[&0].failed), (30, &LogLinearHistogram::default()));
        let line = serde_json::to_string(&merged).expect("JSON");
        assert_eq!(serde_json::from_str::<TickEvent>(&line).expect("a tick"), merged);
    }

    #[test]
    fn a_row_without_counts_is_left_out_and_a_line_reads_back() {
        let mut written = tick(1, &[(0, 2)]);
        written.set_rows([(9, RowTick::default())].into_iter());
        let line = serde_json::to_string(&written).expect("JSON");
        assert!(line.starts_with("{\"type\":\"tick\",\"first\":1,"), "{line}");
        assert_eq!(serde_json::from_str::<TickEvent>(&line).expect("a tick"), written);
        assert_eq!(written.rows, [0]);
    }
}
