//! Tests of sums with seconds of our own, and with the reports of synthetic runs.

use std::sync::Arc;
use std::time::Duration;

use stampede_time::RunPhase;

use super::*;
use crate::metrics::aggregate::{RowInfo, Snapshot};
use crate::metrics::interval::{Interval, WorkerInterval};
use crate::metrics::row_stats::TaskEnd;
use crate::metrics::sample::{FailureKind, PhaseDurations, Sample};
use crate::metrics::second::SecondMerger;
use crate::report::test_reports;
use crate::run::SectionKind;
use crate::run::load_controller::LoadState;
use crate::run::observer::SecondSnapshot;
use crate::run::process_usage::ProcessUsage;
use crate::sinks::run_info::RunInfo;

fn run_info(steps: &[&str]) -> RunInfo {
    let row = |name: &&str| RowInfo {
        scenario: None,
        name: (*name).into(),
        action: "http".into(),
        tags: Vec::new(),
        apdex_target: None,
        part: None,
    };
    RunInfo {
        id: 0x5eed,
        started_at: Duration::from_secs(9),
        settings: test_reports::nothing().settings,
        rows: steps.iter().map(row).collect(),
        metrics: Vec::new(),
        checks: Vec::new(),
        thresholds: Vec::new(),
    }
}

/// Returns a second in which each of two rows had an exchange that took these milliseconds.
fn second(index: u32, millis: [u64; 2]) -> Arc<SecondSnapshot> {
    let mut interval = Box::new(Interval::new(2));
    for (row, millis) in millis.into_iter().enumerate() {
        let failure = (row == 1).then_some(FailureKind::Status);
        interval.rows[row].record(&Sample {
            row: row as u16,
            intended: 0,
            start: 0,
            end: millis * 1_000_000,
            status: if row == 1 { 500 } else { 200 },
            bytes_out: 10,
            bytes_in: 100,
            body_bytes_in: 50,
            phases: PhaseDurations { first_byte: Some(millis * 500_000), ..PhaseDurations::default() },
            failure,
            span: None,
        });
        interval.rows[row].tasks.started += 1;
        interval.rows[row].tasks.end(TaskEnd::Passed);
    }
    let mut merger = SecondMerger::new(1, 2, Vec::new(), true);
    merger.add(&WorkerInterval { worker: 0, second: index, interval });
    Arc::new(SecondSnapshot {
        index,
        section: SectionKind::Load,
        ended_at: Duration::from_secs(10 + u64::from(index)),
        merged: merger.next_remaining().expect("it has counts"),
        process: ProcessUsage::default(),
        totals: Snapshot { users_active: 3, ..Snapshot::default() },
        is_newest: true,
        is_partial: false,
        phase: RunPhase::Running,
        load: LoadState { paused: false, scales: vec![1.5] },
        changes: Vec::new(),
    })
}

#[test]
fn seconds_add_up_and_those_that_were_missed_are_counted() {
    let mut sums = RunSums::new(&run_info(&["a", "b"]));
    [second(0, [4, 30]), second(3, [4, 30])].iter().for_each(|second| sums.add(second));
    let (a, b) = (&sums.rows[0], &sums.rows[1]);
    assert_eq!((a.ok, a.failed(), b.ok, b.failed(), b.codes[&500]), (2, 0, 0, 2, 2));
    assert_eq!((a.response.count, a.response.fixed[0], b.response.fixed[3], a.phases[3].count), (2, 2, 2, 2));
    assert_eq!((a.bytes.received, a.tasks.passed), (200, 2));
    assert_eq!((sums.users, sums.missed_seconds, sums.updated_at), (3, 2, Duration::from_secs(13)));
    assert_eq!(sums.scenarios[0].scale, 1.5);
}

#[test]
fn rows_of_the_same_name_are_one_row() {
    let mut sums = RunSums::new(&run_info(&["a", "a"]));
    let apart = sums.add_apart(&second(0, [4, 30]));
    assert_eq!((sums.rows.len(), sums.rows[0].ok, sums.rows[0].failed()), (1, 1, 1));
    let times = apart.response[0].expect("it had requests");
    assert!(times.p50.abs_diff(4_000) <= 4 && times.max.abs_diff(30_000) <= 30, "{times:?}");
}

#[test]
fn seconds_apart_and_the_rest_add_up_to_the_report() {
    let report = test_reports::movies();
    let mut sums = RunSums::new(&run_info(&["Catalog", "StreamInit"]));
    let parts = [sums.add_apart(&second(0, [4, 30])), sums.add_apart(&second(1, [4, 30])), sums.finish_apart(&report)];
    let sum = |get: fn(&RowSums) -> u64| parts.iter().flat_map(|part| part.counts.rows.iter().map(get)).sum::<u64>();
    assert_eq!(sum(|row| row.ok), report.totals.requests.ok);
    assert_eq!(sum(|row| row.failed() + row.aborted()), report.totals.requests.err);
    assert_eq!(sum(|row| row.bytes.received), report.totals.bytes.received);
    assert_eq!(sum(|row| row.tasks.cancelled), report.totals.tasks.cancelled);
    assert_eq!(sums.rows.iter().map(|row| row.ok).sum::<u64>(), report.totals.requests.ok);
    assert!(sums.is_final && parts[2].counts.is_final && !parts[1].counts.is_final);
}

#[test]
fn the_last_sums_are_those_of_the_report_however_many_seconds_were_missed() {
    let report = test_reports::movies();
    let mut sums = RunSums::new(&run_info(&["Catalog", "StreamInit"]));
    sums.add(&second(7, [4, 30]));
    sums.finish(&report);
    for (row, expected) in sums.rows.iter().zip(&report.actions) {
        assert_eq!((row.ok, row.failed() + row.aborted()), (expected.requests.ok, expected.requests.err));
        let times = expected.response_time_us.as_ref().expect("there were requests");
        assert_eq!(row.response.count, times.count);
        assert!((row.response.sum_us as f64 / row.response.count as f64 - times.mean).abs() < 1.0);
        assert_eq!(row.response.fixed.iter().sum::<u64>(), row.response.count);
    }
    assert_eq!(sums.users, 0);
}
