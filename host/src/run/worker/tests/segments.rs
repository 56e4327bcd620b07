//! The schedule of a run in segments, in virtual time: whatever the load model, what all segments begin is what one
//! process begins, at the same times.

use super::schedules::{ScheduledRun, planned, run_to_end, sorted};
use crate::cli::{DivisionArgs, RunArgs};
use crate::diagnostic::render;
use crate::segment::Segment;

/// Runs a segment of a script. One without users has no run, and begins nothing.
fn ran(text: &str, segment: Segment) -> Option<ScheduledRun> {
    // Machines differ in their workers.
    let (workers, division) = (Some(1 + segment.index() % 3), DivisionArgs { segment: Some(segment) });
    match planned(text, RunArgs { workers, division, seed: Some(7), ..RunArgs::default() }) {
        Ok(plan) => Some(run_to_end(plan)),
        Err(diagnostics) => {
            let text = render(&diagnostics, false);
            assert!(text.starts_with("error[usage::segment]: segment ") && text.contains("has no users"), "{text}");
            None
        }
    }
}

/// Compares what the segments of a script begin with what one process begins: the times of the requests of each name,
/// and the iterations of each scenario.
#[track_caller]
fn check(text: &str, names: &[&str], scenarios: usize, counts: &[u32]) {
    let alone = ran(text, Segment::WHOLE).unwrap();
    for &count in counts {
        let segments = (1..=count).filter_map(|number| Segment::new(number, count));
        let parts: Vec<_> = segments.filter_map(|segment| ran(text, segment)).collect();
        for name in names {
            let together: Vec<_> = parts.iter().map(|part| part.milliseconds(name)).collect();
            assert_eq!(sorted(&together), alone.milliseconds(name), "`{name}` in {count} segments of {text}");
        }
        for scenario in 0..scenarios {
            let mut sum = [0; 3];
            for part in &parts {
                sum.iter_mut().zip(part.iterations(scenario)).for_each(|(sum, more)| *sum += more);
            }
            assert_eq!(sum, alone.iterations(scenario), "scenario {scenario} in {count} segments of {text}");
        }
    }
}

#[test]
fn every_load_model_begins_what_it_begins_in_one_process() {
    for load in [
        "users: 5, duration: 1s",
        "users: 5, iterations: 3",
        "users: 6, iterations: 2, ramp_up: 3s",
        "users: 4, duration: 1s, max_users: 9",
        "users: 3, shared_iterations: 7",
        "users: 5, shared_iterations: 2",
        "stages: [2s:4, 1s:4, 1s:0]",
        "stages: [0s:3, 1s:3, 0s:0, 1s:0, 0s:5, 1s:5]",
        "arrival_rate: 20/s, duration: 2s",
        "arrival_rate: 20/s, duration: 2s, max_users: 1, max_wait: 9s",
        "arrival_rate: 8/s, duration: 2s, max_users: 3",
        "arrival_rate: 30/s, duration: 2s, arrivals: poisson",
        "arrival_rate: 2/s, stages: [1s:2/s, 0s:8/s, 1s:8/s]",
        "users: 6, rps: 4, duration: 1s",
        "users: 6, pace: 300ms, duration: 1s",
        "users: 6, think: 150ms, duration: 1s",
    ] {
        // Long enough for users of arrivals to be busy, where that matters.
        let takes = if load.contains("max_users: 3") { 60_000 } else { 20 };
        check(&format!("{{{load}, steps: [{{name: Page, url: /page/{takes}}}]}}"), &["page"], 1, &[2, 5]);
    }
}

#[test]
fn scenarios_by_weight_and_side_by_side_begin_what_they_begin_in_one_process() {
    let weighted = "
users: 11
iterations: 2
ramp_up: 2s
scenarios:
  a: {weight: 5, steps: [{name: A, url: /a/30}]}
  b: {weight: 1, steps: [{name: B, url: /b/30}]}
  c: {weight: 2.5, steps: [{name: C, url: /c/30}]}
";
    check(weighted, &["a", "b", "c"], 3, &[3, 40]);
    let arrivals = "
arrival_rate: 40/s
duration: 1s
arrivals: poisson
scenarios:
  a: {weight: 3, steps: [{name: A, url: /a/30}]}
  b: {weight: 2, steps: [{name: B, url: /b/30}]}
";
    check(arrivals, &["a", "b"], 2, &[7]);
    let side_by_side = "
scenarios:
  constant: {users: 2, duration: 600ms, steps: [{name: A, url: /constant/200}]}
  later: {start: 1s, users: 3, iterations: 2, ramp_up: 1s, steps: [{name: A, url: /later/100}]}
  ramp: {start: 500ms, stages: [1s:3], steps: [{name: A, url: /ramp/60000}]}
  arrivals: {start: 250ms, arrival_rate: 9/s, duration: 1s, steps: [{name: A, url: /arrivals/60000}]}
  capped: {start: 100ms, users: 3, rps: 2, duration: 1s, steps: [{name: A, url: /capped/0}]}
";
    check(side_by_side, &["constant", "later", "ramp", "arrivals", "capped"], 5, &[2, 7]);
}

#[test]
fn a_limit_of_all_users_is_that_of_all_segments() {
    // Each segment has as many turns as another, at times of its own. Intervals are whole nanoseconds, so the times are
    // those of one process to the nanosecond only where the rates divide a second.
    for (load, count) in [("users: 6, rps_total: 4, duration: 2s", 2), ("users: 4, rps_total: 8, duration: 1s", 4)] {
        let text = format!("{{{load}, steps: [{{name: Page, url: /page/0}}]}}");
        let segments = (1..=count).filter_map(|number| Segment::new(number, count));
        let of_segment = |segment| {
            let (workers, division) = (Some(1), DivisionArgs { segment: Some(segment) });
            let plan = planned(&text, RunArgs { workers, division, seed: Some(7), ..RunArgs::default() }).ok().unwrap();
            run_to_end(plan).milliseconds("page")
        };
        let together: Vec<_> = segments.map(of_segment).collect();
        assert_eq!(sorted(&together), ran(&text, Segment::WHOLE).unwrap().milliseconds("page"), "{load}");
    }
}
