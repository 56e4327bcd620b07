//! A run over time: one point per second and row. When there would be too many points, neighbours merge and each point
//! covers twice the time. Memory is bounded however long the run is, and the result does not depend on the order in
//! which intervals arrive.

use super::interval::WorkerInterval;
use super::log_linear::LogLinearHistogram;
use super::row_stats::RowStats;

/// The maximum number of points of a row. Beyond it, each pair of points becomes one.
const MAX_POINTS: usize = 3_600;

/// The counts of one row in one stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimelinePoint {
    /// Exchanges without a failure.
    pub ok: u64,
    /// Exchanges with a failure.
    pub err: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Response times, for percentiles.
    pub response: LogLinearHistogram,
    /// The longest response time in microseconds; 0 if there was none.
    pub response_max: u64,
    /// The times of those exchanges that failed; `None` if there are none.
    pub failed: Option<Box<FailedPoint>>,
}

/// The failed exchanges of a row in one stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailedPoint {
    /// Their response times.
    pub response: LogLinearHistogram,
    /// The longest of them in microseconds.
    pub response_max: u64,
    /// The longest response time of the other exchanges; 0 if there was none.
    pub ok_max: u64,
}

impl TimelinePoint {
    fn add_series(&mut self, series: &RowStats<u32>) {
        self.ok += series.ok;
        self.err += series.failures();
        self.bytes_out += series.bytes.out;
        self.bytes_in += series.bytes.received;
        self.response.add_histogram(&series.response);
        let failed = series.failed.as_deref().map(|failed| {
            let mut response = LogLinearHistogram::default();
            response.add_histogram(&failed.response);
            FailedPoint { response, response_max: failed.response.max(), ok_max: series.ok_response().max() }
        });
        self.add_failed(failed.as_ref(), series.response.max());
        self.response_max = self.response_max.max(series.response.max());
    }

    /// Adds the failed exchanges of a stretch whose longest response time is `longest`.
    fn add_failed(&mut self, more: Option<&FailedPoint>, longest: u64) {
        if let Some(more) = more {
            let longest_before = self.response_max;
            let failed = self
                .failed
                .get_or_insert_with(|| FailedPoint { ok_max: longest_before, ..FailedPoint::default() }.into());
            failed.response.add(&more.response);
            failed.response_max = failed.response_max.max(more.response_max);
            failed.ok_max = failed.ok_max.max(more.ok_max);
        } else if let Some(failed) = &mut self.failed {
            failed.ok_max = failed.ok_max.max(longest);
        }
    }

    /// Returns the response times of the exchanges without a failure, and the longest of them.
    pub fn ok_response(&self) -> (LogLinearHistogram, u64) {
        match &self.failed {
            Some(failed) => (self.response.without(&failed.response), failed.ok_max),
            None => (self.response.clone(), self.response_max),
        }
    }

    fn add(&mut self, other: &Self) {
        self.ok += other.ok;
        self.err += other.err;
        self.bytes_out += other.bytes_out;
        self.bytes_in += other.bytes_in;
        self.response.add(&other.response);
        self.add_failed(other.failed.as_deref(), other.response_max);
        self.response_max = self.response_max.max(other.response_max);
    }
}

/// All rows over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    seconds_per_point: u32,
    /// Points by row, then by time. Rows may differ in length: missing points are empty.
    rows: Vec<Vec<TimelinePoint>>,
    /// The greatest number of users of each worker, by worker, then by time.
    users: Vec<Vec<u32>>,
}

impl Timeline {
    /// Creates a timeline without points.
    pub fn new(rows: usize, workers: usize) -> Self {
        Self { seconds_per_point: 1, rows: vec![Vec::new(); rows], users: vec![Vec::new(); workers] }
    }

    /// Returns a timeline without exchanges, of a single worker that had these users.
    pub fn of_users(rows: usize, seconds_per_point: u32, users: Vec<u32>) -> Self {
        Self { seconds_per_point, rows: vec![Vec::new(); rows], users: vec![users] }
    }

    /// Adds the counts of a worker in a second of the run, the first of which is 0.
    pub fn add(&mut self, from: &WorkerInterval) {
        let (second, interval) = (from.second, &from.interval);
        while (second / self.seconds_per_point) as usize >= MAX_POINTS {
            self.halve();
        }
        let index = (second / self.seconds_per_point) as usize;
        for (points, series) in self.rows.iter_mut().zip(&interval.rows) {
            if series.requests() > 0 {
                entry_at(points, index).add_series(series);
            }
        }
        let users = entry_at(&mut self.users[from.worker], index);
        *users = interval.users_active.max(*users);
    }

    /// Merges each point with an odd index into the point before it.
    fn halve(&mut self) {
        self.seconds_per_point *= 2;
        for points in &mut self.rows {
            merge_pairs(points, |into, from| into.add(from));
        }
        for users in &mut self.users {
            merge_pairs(users, |into, from| *into = (*into).max(*from));
        }
    }

    /// Returns the number of seconds that a point covers: 1, or a higher power of two after an hour.
    pub const fn seconds_per_point(&self) -> u32 {
        self.seconds_per_point
    }

    /// Returns the number of points, including those without any exchange.
    pub fn length(&self) -> usize {
        self.users.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// Returns the points of a row by time. There are fewer than [`length`](Self::length) if the row fell silent.
    pub fn row(&self, row: usize) -> &[TimelinePoint] {
        &self.rows[row]
    }

    /// Returns the users of all workers at a point: the sum of each worker's greatest number.
    pub fn users_at(&self, index: usize) -> u32 {
        self.users.iter().filter_map(|users| users.get(index)).sum()
    }
}

/// Returns the element at an index, and grows the list as needed.
fn entry_at<T: Default + Clone>(list: &mut Vec<T>, index: usize) -> &mut T {
    if list.len() <= index {
        list.resize(index + 1, T::default());
    }
    &mut list[index]
}

fn merge_pairs<T: Default>(list: &mut Vec<T>, merge: impl Fn(&mut T, &T)) {
    let half = list.len().div_ceil(2);
    for index in 0..half {
        let mut first = std::mem::take(&mut list[index * 2]);
        if let Some(second) = list.get(index * 2 + 1) {
            merge(&mut first, second);
        }
        list[index] = first;
    }
    list.truncate(half);
}

#[cfg(test)]
mod tests {
    use super::super::interval::Interval;
    use super::super::sample::{FailureKind, PhaseDurations, Sample};
    use super::*;

    fn interval(worker: usize, second: u32, ok: u64, users: u32) -> WorkerInterval {
        let mut interval = Box::new(Interval::new(1));
        interval.rows[0].ok = ok;
        interval.users_active = users;
        WorkerInterval { worker, second, interval }
    }

    #[test]
    fn workers_add_up_within_a_second() {
        let mut timeline = Timeline::new(1, 2);
        timeline.add(&interval(0, 3, 10, 4));
        timeline.add(&interval(1, 3, 5, 6));
        assert_eq!((timeline.length(), timeline.row(0)[3].ok, timeline.users_at(3)), (4, 15, 10));
        assert_eq!(timeline.row(0)[0], TimelinePoint::default());
    }

    #[test]
    fn past_the_limit_neighbours_merge_and_nothing_is_lost() {
        let mut timeline = Timeline::new(1, 1);
        for second in 0..3_601 {
            timeline.add(&interval(0, second, 1, 2));
        }
        assert_eq!((timeline.seconds_per_point(), timeline.length()), (2, 1_801));
        assert_eq!(timeline.row(0).iter().map(|point| point.ok).sum::<u64>(), 3_601);
        assert_eq!((timeline.row(0)[0].ok, timeline.row(0)[1_800].ok, timeline.users_at(0)), (2, 1, 2));
    }

    #[test]
    fn failures_are_told_apart_however_points_merge() {
        // Milliseconds of successful and failed exchanges, by second.
        let seconds = [(vec![5], vec![]), (vec![3], vec![90]), (vec![], vec![40]), (vec![20, 30], vec![])];
        let row = |millis: &[u64], failure: Option<FailureKind>, into: &mut RowStats<u32>| {
            millis.iter().for_each(|millis| into.record(&sample(*millis, failure)));
        };
        let (mut merged, mut whole) = (TimelinePoint::default(), RowStats::default());
        for (ok, failed) in &seconds {
            let (mut stats, mut point) = (RowStats::default(), TimelinePoint::default());
            for into in [&mut stats, &mut whole] {
                row(ok, None, into);
                row(failed, Some(FailureKind::Status), into);
            }
            point.add_series(&stats);
            merged.add(&point);
        }
        let mut at_once = TimelinePoint::default();
        at_once.add_series(&whole);
        assert_eq!(merged, at_once);
        let (ok, longest) = merged.ok_response();
        assert_eq!((longest / 1_000, ok.quantile(0.5)), (30, at_once.ok_response().0.quantile(0.5)));
        assert_eq!(merged.failed.map(|failed| failed.response_max / 1_000), Some(90));
    }

    fn sample(millis: u64, failure: Option<FailureKind>) -> Sample {
        Sample {
            row: 0,
            intended: 0,
            start: 0,
            end: millis * 1_000_000,
            status: 200,
            bytes_out: 0,
            bytes_in: 0,
            body_bytes_in: 0,
            phases: PhaseDurations::default(),
            failure,
            span: None,
        }
    }

    #[test]
    fn the_last_second_that_can_be_counted_still_fits() {
        let mut timeline = Timeline::new(1, 1);
        timeline.add(&interval(0, u32::MAX, 1, 1));
        assert!(timeline.length() <= MAX_POINTS);
    }
}
