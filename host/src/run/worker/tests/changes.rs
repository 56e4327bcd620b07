//! The effects of changing the load during a run, in virtual time, with the worker of `tests`.

use super::{MILLISECOND, arrivals, constant, stages, worker_with_changes};
use crate::load_model::{Ramping, Shared};
use crate::pace::LoadProfile;
use crate::plan::workload::Workload;
use crate::plan::workload::tests::once;
use crate::run::worker::*;

#[tokio::test(start_paused = true)]
async fn arrivals_follow_the_scale_and_a_pause_is_not_made_up_for() {
    for (case, changes, due, ends) in [
        ("as planned", &[(0, 1.0)][..], 100, 10),
        ("twice as many from half-way on", &[(5_000, 2.0)], 150, 10),
        ("a pause of three seconds", &[(2_000, 0.0), (5_000, 1.0)], 70, 10),
        ("a pause until the end", &[(2_000, 0.0)], 20, 10),
        ("many small changes", &[(1_000, 1.1), (2_000, 1.2), (3_000, 0.1), (4_000, 3.0)], 10 + 11 + 12 + 1 + 180, 10),
    ] {
        let shape = LoadProfile::constant(10.0, Duration::from_secs(10));
        let run =
            worker_with_changes(arrivals(shape, 100, Duration::ZERO), Some(50 * MILLISECOND), None, changes).await;
        let iterations = &run.iterations;
        assert_eq!((iterations.due(), iterations.dropped, run.at / SECOND), (due, 0, ends), "{case}");
        assert!(iterations.duration.max() / 1000 <= 52, "{case}: none was late");
    }
}

#[tokio::test(start_paused = true)]
async fn arrivals_that_wait_for_a_user_begin_after_the_pause_or_not_at_all() {
    // One user, busy for two seconds: the second arrival waits for it, and it is free in the pause.
    for (max_wait, completed, dropped) in [(9, 2, 0), (3, 1, 1)] {
        let shape = LoadProfile::constant(1.0, Duration::from_secs(10));
        let workload = arrivals(shape, 1, Duration::from_secs(max_wait));
        let changes = [(1_500, 0.0), (8_000, 0.01)];
        let run = worker_with_changes(workload, Some(2 * SECOND), None, &changes).await;
        assert_eq!((run.iterations.completed, run.iterations.dropped), (completed, dropped), "{max_wait} s");
    }
}

#[tokio::test(start_paused = true)]
async fn users_begin_iterations_while_their_number_is_below_the_scale() {
    let ramp = LoadProfile::new(10.0, &stages(&[(10, 10.0)]));
    let constant = constant(10, None, Some(10_000)).model;
    for model in [constant, Ramping { users: ramp }.into()] {
        let (name, workload) = (model.name(), Workload { model, pace: Duration::from_millis(100), ..once() });
        for (case, changes, expected) in [
            ("as planned", &[(0, 1.0)][..], 1_000),
            ("half of them from half-way on", &[(5_000, 0.5)], 750),
            ("a part of a user counts as one user", &[(5_000, 0.55)], 800),
            ("a pause of three seconds", &[(2_000, 0.0), (5_000, 1.0)], 700),
            ("there are no more users than planned", &[(5_000, 9.0)], 1_000),
        ] {
            let run = worker_with_changes(workload.clone(), Some(50 * MILLISECOND), None, changes).await;
            let iterations = &run.iterations;
            // A change takes effect at most two sweeps before its time or after it.
            assert!(iterations.due().abs_diff(expected) <= 20, "{name}, {case}: {} of {expected}", iterations.due());
            // Only the end of the run itself cuts iterations short.
            assert!(iterations.cut_short <= 10 && run.at / SECOND == 10, "{name}, {case}: {}", iterations.cut_short);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn users_at_their_gates_leave_when_the_pool_is_empty() {
    let model = Shared { users: 10, iterations: 100, duration: None, ramp_up: Duration::ZERO };
    let run = worker_with_changes(Workload { model: model.into(), ..once() }, Some(SECOND), None, &[(500, 0.2)]).await;
    assert_eq!((run.iterations.completed, run.iterations.cut_short), (100, 0));
    assert_eq!(run.at / SECOND, 46, "ten at first, then two at a time");
}
