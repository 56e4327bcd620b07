//! Tests that totals do not depend on the order of intervals and that they agree with each other.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::super::interval::Interval;
use super::super::recorder::Recorder;
use super::super::row_stats::TaskEnd;
use super::super::sample::{PhaseDurations, Sample};
use super::*;

const ROWS: usize = 3;
const WORKERS: usize = 4;

fn infos() -> Vec<RowInfo> {
    let row = |row| {
        let (name, action) = (format!("step {row}"), "http".into());
        RowInfo { scenario: None, name, action, tags: Vec::new(), apdex_target: None, part: None }
    };
    (0..ROWS).map(row).collect()
}

fn sample(random: &mut Pcg64) -> Sample {
    let intended = random.random_range(0..1_000_000_000);
    let start = intended + random.random_range(0..5_000_000);
    let failed = random.random_bool(0.2);
    Sample {
        row: random.random_range(0..ROWS as u16),
        intended,
        start,
        end: start + random.random_range(0..30_000_000_000),
        status: if failed { 0 } else { random.random_range(200..210) },
        bytes_out: random.random_range(0..1_000),
        bytes_in: random.random_range(0..1_000_000),
        body_bytes_in: random.random_range(0..1_000),
        phases: PhaseDurations { tls: random.random_bool(0.5).then_some(start), ..PhaseDurations::default() },
        failure: failed.then(|| FailureKind::ALL[random.random_range(0..FailureKind::ALL.len())]),
        span: None,
    }
}

/// Returns a random second of one worker. Every other task is still running when the second ends.
fn interval(random: &mut Pcg64, label: usize) -> Box<Interval> {
    let mut recorder = Recorder::new(ROWS, Vec::new());
    for n in 0..random.random_range(0..40) {
        let sample = sample(random);
        recorder.task_started(sample.row);
        recorder.record(&sample);
        recorder.record_start_delay(sample.start - sample.intended);
        if let Some(kind) = sample.failure {
            recorder.record_example(sample.row, kind, || format!("interval {label}"));
        }
        if n % 2 == 0 {
            recorder.task_ended(sample.row, if sample.failure.is_some() { TaskEnd::Failed } else { TaskEnd::Passed });
        }
    }
    recorder.set_users_active(random.random_range(0..50));
    let mut interval = recorder.take(None);
    let wall = random.random_range(1..1_000_000_000);
    let guest = (0..random.random_range(0..3)).collect();
    interval.health = IntervalHealth {
        cpu: random.random_range(0..=wall),
        wall,
        loop_lag_max: wall / 7,
        guest,
        guest_calls: vec![3],
        ..IntervalHealth::default()
    };
    interval
}

fn aggregate(intervals: &[WorkerInterval]) -> Aggregate {
    let mut aggregate = Aggregate::new(infos(), WORKERS);
    intervals.iter().for_each(|interval| aggregate.add(interval));
    aggregate
}

fn handed_over(worker: usize, second: u32, interval: impl Into<Box<Interval>>) -> WorkerInterval {
    WorkerInterval { worker, second, interval: interval.into() }
}

#[test]
fn the_order_of_intervals_does_not_matter() {
    for seed in 0..20 {
        let mut random = Pcg64::seed_from_u64(seed);
        // Each worker hands over a second at most once; the seconds span several doublings of `seconds_per_point`.
        let one = |n| handed_over(n % WORKERS, (n / WORKERS) as u32 * 700, interval(&mut random, n));
        let mut intervals: Vec<_> = (0..WORKERS * 30).map(one).collect();
        let in_order = aggregate(&intervals);
        intervals.shuffle(&mut random);
        assert!(agree(&in_order, &aggregate(&intervals)), "seed {seed}");
    }
}

/// Returns `true` if both aggregates are equal, ignoring the order of status codes, which is the order of arrival.
fn agree(one: &Aggregate, other: &Aggregate) -> bool {
    let sorted = |aggregate: &Aggregate| {
        let mut aggregate = aggregate.clone();
        aggregate.rows.iter_mut().for_each(|row| row.statuses.sort_unstable());
        aggregate
    };
    sorted(one) == sorted(other)
}

#[test]
fn rows_add_up_to_the_total_and_to_what_was_recorded() {
    let mut random = Pcg64::seed_from_u64(7);
    let intervals: Vec<_> = (0..20).map(|n| handed_over(n % WORKERS, n as u32, interval(&mut random, n))).collect();
    let recorded: u64 = intervals.iter().flat_map(|from| &from.interval.rows).map(RowStats::requests).sum();
    let aggregate = aggregate(&intervals);
    let total = aggregate.total();
    assert_eq!(total.requests(), recorded);
    assert_eq!(total.requests(), aggregate.rows().iter().map(RowStats::requests).sum::<u64>());
    let cut_off = total.cut_off.as_ref().map_or(0, |times| times.response.len());
    assert_eq!(cut_off, total.err[FailureKind::Cancelled as usize] + total.err[FailureKind::Unfinished as usize]);
    assert_eq!(total.response.len() + cut_off, recorded);
    assert_eq!(aggregate.start_delay().len(), recorded);
    let shown: u64 = (0..ROWS).flat_map(|row| aggregate.timeline().row(row)).map(|point| point.ok + point.err).sum();
    assert_eq!(shown, recorded);
    let tasks = total.tasks;
    assert_eq!(tasks.started, tasks.passed + tasks.failed + tasks.cancelled + tasks.dropped + tasks.open());
}

#[test]
fn a_task_may_end_in_a_later_interval() {
    let mut recorder = Recorder::new(ROWS, Vec::new());
    let mut aggregate = Aggregate::new(infos(), 1);
    recorder.task_started(1);
    aggregate.add(&handed_over(0, 0, recorder.take(None)));
    assert_eq!(aggregate.total().tasks.open(), 1);
    recorder.task_ended(1, TaskEnd::Passed);
    aggregate.add(&handed_over(0, 1, recorder.take(None)));
    assert_eq!((aggregate.total().tasks.open(), aggregate.total().tasks.passed), (0, 1));
}

fn second_of(ok: u64, users: u32, wall: Nanos) -> Interval {
    let mut interval = Interval::new(ROWS);
    interval.rows[0].ok = ok;
    interval.rows[1].err[0] = 1;
    interval.users_active = users;
    interval.health.wall = wall;
    interval
}

#[test]
fn the_snapshot_shows_each_workers_last_second() {
    let mut aggregate = Aggregate::new(infos(), 3);
    assert_eq!(aggregate.snapshot(5), Snapshot { elapsed: 5, ..Snapshot::default() });
    aggregate.add(&handed_over(0, 0, second_of(999, 50, 1_000_000_000)));
    aggregate.add(&handed_over(0, 1, second_of(99, 5, 1_000_000_000)));
    aggregate.add(&handed_over(1, 1, second_of(49, 3, 500_000_000)));
    let snapshot = aggregate.snapshot(2_000_000_000);
    assert_eq!((snapshot.users_active, snapshot.rps), (8, 200.0));
    assert_eq!((snapshot.requests, snapshot.errors), (1_150, 3));
}

#[test]
fn a_worker_that_has_ended_leaves_the_snapshot_with_the_next_second() {
    let mut aggregate = Aggregate::new(infos(), 2);
    aggregate.add(&handed_over(0, 0, second_of(9, 5, 1_000_000_000)));
    aggregate.worker_ended(0);
    let snapshot = aggregate.snapshot(1_000_000_000);
    assert_eq!((snapshot.users_active, snapshot.rps), (0, 10.0), "the rate of its last second");
    aggregate.add(&handed_over(1, 1, second_of(19, 3, 1_000_000_000)));
    let snapshot = aggregate.snapshot(2_000_000_000);
    assert_eq!((snapshot.users_active, snapshot.rps, snapshot.requests), (3, 20.0, 30));
    aggregate.begin_section();
    assert_eq!(aggregate.snapshot(0), Snapshot { requests: 30, errors: 2, ..Snapshot::default() });
}

#[test]
fn a_worker_that_is_left_behind_keeps_its_users_but_has_no_rate() {
    let mut aggregate = Aggregate::new(infos(), 2);
    aggregate.add(&handed_over(0, 0, second_of(9, 5, 1_000_000_000)));
    for (second, expected) in [(2, (8, 30.0)), (3, (8, 20.0))] {
        aggregate.add(&handed_over(1, second, second_of(19, 3, 1_000_000_000)));
        let snapshot = aggregate.snapshot(4_000_000_000);
        assert_eq!((snapshot.users_active, snapshot.rps), expected, "second {second}");
    }
}

#[test]
fn busy_time_counts_whole_intervals_above_the_limit() {
    let mut aggregate = Aggregate::new(infos(), 1);
    for (second, cpu) in [(0, 901), (1, 900), (2, 100)] {
        let mut interval = Interval::new(ROWS);
        interval.health = IntervalHealth { cpu, wall: 1_000, ..IntervalHealth::default() };
        aggregate.add(&handed_over(0, second, interval));
    }
    let worker = &aggregate.workers()[0];
    assert_eq!((worker.busy, worker.total.cpu, worker.total.wall), (1_000, 1_901, 3_000));
}

#[test]
fn times_by_design_are_in_no_total() {
    let mut infos = infos();
    infos[1].part = Some(RowPart { of: 0, step: "step 0".into(), what: "poll".into(), is_by_design: true });
    let (mut aggregate, mut random) = (Aggregate::new(infos, 1), Pcg64::seed_from_u64(1));
    for second in 0..5 {
        aggregate.add(&WorkerInterval { worker: 0, second, interval: interval(&mut random, 0) });
    }
    let (total, rows) = (aggregate.total(), aggregate.rows());
    let sum = |get: fn(&RowStats<u64>) -> u64| rows.iter().map(get).sum::<u64>();
    let counts: [fn(&RowStats<u64>) -> u64; 4] =
        [RowStats::requests, RowStats::failures, |row| row.bytes.received, |row| row.tasks.started];
    assert!(counts.iter().all(|count| count(&total) == sum(*count)));
    let times: [fn(&RowStats<u64>) -> u64; 3] =
        [|row| row.response.len(), |row| row.service.len(), |row| row.phases.parts()[2].len()];
    assert!(times.iter().all(|count| count(&total) == sum(*count) - count(&rows[1]) && count(&rows[1]) > 0));
}
