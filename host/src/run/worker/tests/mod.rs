//! The starts of requests, in virtual time: every number is exact, and twenty seconds take no time. The users, their
//! sessions and the worker's loop are real; there is no plugin and no target.

mod added_model;
mod changes;
mod schedules;
mod segments;

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::task::Poll;

use stampede_time::{Clock, Nanos, RunPhase};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::task::LocalSet;
use tokio::time::sleep;

use super::*;
use crate::data::DataSets;
use crate::http::BodyBudget;
use crate::load_model::{ArrivalRate, Constant, Ramping, Shared};
use crate::metrics::interval::WorkerInterval;
use crate::metrics::iteration_stats::IterationStats;
use crate::net::{Tls, Trust};
use crate::pace::{ArrivalProcess, LoadProfile, Stage, ThinkTime};
use crate::plan::flow::{Flow, FlowNode};
use crate::plan::workload::Workload;
use crate::plan::workload::tests::once;
use crate::plan::{Plan, PlanRuntime, Scenario};
use crate::plugin::script_context::ScriptContext;
use crate::run::deadline_sweep::DeadlineSweep;
use crate::run::scale::CHANGE_DELAY;
use crate::run::setup::SectionKind;
use crate::run::shared::RunShared;
use crate::segment::Segment;
use crate::template::{Environment, VariableNames, Variables};
use crate::user::Session;

pub(super) const MILLISECOND: Nanos = 1_000_000;

/// Users that start as often as they may.
pub(super) fn constant(users: u32, rps: Option<f64>, milliseconds: Option<u64>) -> Workload {
    let duration = milliseconds.map(Duration::from_millis);
    let iterations = duration.is_none().then_some(1);
    Workload { model: Constant { users, duration, iterations, ..Constant::once() }.into(), rps, ..once() }
}

/// Fifty users that begin within ten seconds and walk once.
fn ramped_up() -> Workload {
    let ramp_up = Duration::from_secs(10);
    Workload { model: Constant { users: 50, ramp_up, ..Constant::once() }.into(), ..once() }
}

/// A plan whose iterations are a wait, or empty.
fn plan(workload: Workload, takes: Option<Nanos>) -> Arc<Plan> {
    let flow = Flow(takes.map(|takes| FlowNode::Think(ThinkTime::Fixed(takes))).into_iter().collect());
    let scenario = Scenario { name: None, workload, first_user: 0, flow };
    let script_context = ScriptContext {
        data: DataSets::default(),
        environment: Environment::from_process([]),
        base_url: None,
        folder: std::path::PathBuf::new(),
        secrets: Arc::default(),
    };
    Arc::new(Plan {
        script: "-".into(),
        scenarios: vec![scenario],
        setup: None,
        teardown: None,
        rps_total: None,
        warm_up: Duration::ZERO,
        segment: Segment::WHOLE,
        workers: 1,
        seed: 0,
        tracing: None,
        timeout: 30 * SECOND,
        dns_ttl: Duration::ZERO,
        insecure_tls: true,
        login: None,
        refresh_on: Vec::new(),
        steps: Vec::new(),
        rows: Vec::new(),
        native: Vec::new(),
        variables: VariableNames::default(),
        metrics: Vec::new(),
        checks: Vec::new(),
        thresholds: Vec::new(),
        fail_on: crate::script::model::FailOn::default(),
        headers: Vec::new(),
        origins: Vec::new(),
        runtime: PlanRuntime {
            shows_all_exchanges: false,
            tls: Tls::load(Trust::Anything).unwrap(),
            dial: None,
            sample_taps: std::sync::OnceLock::new(),
            body_budget: BodyBudget::new(1 << 20),
            plugins: Vec::new(),
            script_context: Arc::new(script_context),
        },
    })
}

/// The set-up of a worker for a plan, the sender of its clock, and its messages.
fn worker_of(plan: &Arc<Plan>) -> (WorkerSetup, oneshot::Sender<Clock>, UnboundedReceiver<WorkerMessage>) {
    let (messages, received) = tokio::sync::mpsc::unbounded_channel();
    let (clocks, clock) = oneshot::channel();
    let (_, spares) = mpsc::channel();
    let run_shared = Arc::new(RunShared::new(&plan.scenarios, plan.segment.users()));
    (
        WorkerSetup {
            index: 0,
            workers: 1,
            plan: Arc::clone(plan),
            section: SectionKind::Load,
            run_shared,
            variables: Variables::default(),
            messages,
            clock,
            spares,
        },
        clocks,
        received,
    )
}

/// All users of a workload on one worker.
fn users(workload: Workload) -> (Rc<WorkerShared>, Vec<Rc<Session>>) {
    let plan = plan(workload, None);
    let context = Rc::new(WorkerContext::new(Arc::clone(&plan)));
    let worker_users = WorkerUsers::new(&worker_of(&plan).0, Clock::start_virtual(), context).unwrap();
    (Rc::clone(&worker_users.shared), worker_users.sessions())
}

/// Drives timers as a worker's loop does, until some work is done.
async fn driven<T>(shared: &WorkerShared, work: impl Future<Output = T>) -> T {
    tokio::select! {
        never = shared.timers.run(shared.clock) => match never {},
        done = work => done,
    }
}

/// Returns when each user started requests, if every reply takes that long.
async fn starts(workload: Workload, reply: Duration) -> Vec<Vec<Nanos>> {
    let (shared, sessions) = users(workload);
    let tasks = LocalSet::new();
    let walks: Vec<_> = sessions
        .into_iter()
        .map(|session| {
            let clock = shared.clock;
            tasks.spawn_local(async move {
                let mut starts = Vec::new();
                while session.next_turn().await.is_some() {
                    starts.push(clock.now());
                    sleep(reply).await;
                }
                starts
            })
        })
        .collect();
    driven(&shared, tasks).await;
    let mut all = Vec::new();
    for walk in walks {
        all.push(walk.await.unwrap());
    }
    all
}

fn gaps(starts: &[Nanos]) -> impl Iterator<Item = Nanos> + '_ {
    starts.windows(2).map(|pair| pair[1] - pair[0])
}

#[tokio::test(start_paused = true)]
async fn two_hundred_users_at_five_a_second_start_exactly_twenty_thousand_in_twenty_seconds() {
    let workload = constant(200, Some(5.0), Some(20_000));
    for reply in [Duration::ZERO, Duration::from_millis(37), Duration::from_millis(200)] {
        let all = starts(workload.clone(), reply).await;
        assert_eq!(all.iter().map(Vec::len).sum::<usize>(), 20_000, "replies take {reply:?}");
        for (user, starts) in all.iter().enumerate() {
            assert_eq!(starts[0], user as Nanos * MILLISECOND, "phases are spread over one interval");
            assert!(gaps(starts).all(|gap| gap == 200 * MILLISECOND), "user {user}, replies take {reply:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_with_slow_replies_starts_when_they_have_arrived_and_never_catches_up() {
    let workload = constant(1, Some(5.0), Some(20_000));
    let starts = starts(workload, Duration::from_millis(300)).await.remove(0);
    assert!(gaps(&starts).all(|gap| gap == 300 * MILLISECOND));
    assert_eq!(starts.len(), 67);
}

/// The runtime's timers fire on whole milliseconds, so a start may come up to one late, but none is early and lateness
/// does not add up.
#[tokio::test(start_paused = true)]
async fn starts_keep_to_a_schedule_that_timers_cannot() {
    const INTERVAL: Nanos = 333_333_334;
    let workload = constant(1, Some(3.0), Some(20_000));
    let starts = starts(workload, Duration::from_millis(10)).await.remove(0);
    assert_eq!(starts.len(), 60);
    for (nth, start) in starts.iter().enumerate() {
        let due = nth as Nanos * INTERVAL;
        assert!((due..due + MILLISECOND).contains(start), "start {nth} at {start}, due at {due}");
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_turn_moves_the_deadline_on_by_exactly_the_wait() {
    let (shared, users) = users(constant(1, Some(5.0), None));
    driven(&shared, async {
        let session = &users[0];
        let timeout = 30 * SECOND;
        session.deadline().set(timeout);
        assert!(session.next_turn().await.is_some());
        assert_eq!(session.deadline().get(), timeout, "the first turn is there at once");
        assert!(session.next_turn().await.is_some());
        assert_eq!((shared.clock.now(), session.deadline().get()), (200 * MILLISECOND, timeout + 200 * MILLISECOND));
        sleep(Duration::from_millis(70)).await;
        assert!(session.next_turn().await.is_some());
        assert_eq!((shared.clock.now(), session.deadline().get()), (400 * MILLISECOND, timeout + 330 * MILLISECOND));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn there_is_no_turn_at_or_after_the_end() {
    let (shared, users) = users(constant(1, Some(5.0), Some(400)));
    driven(&shared, async {
        assert!(users[0].next_turn().await.is_some());
        assert!(users[0].next_turn().await.is_some());
        assert!(users[0].next_turn().await.is_none(), "the third turn would be at the end itself");
        assert_eq!(shared.clock.now(), 400 * MILLISECOND, "and that is known at the end, not before");
        assert!(users[0].next_turn().await.is_none() && !users[0].may_start());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn without_a_cap_there_is_a_turn_until_the_end_and_not_at_it() {
    let (_, users) = users(constant(1, None, Some(400)));
    assert!(users[0].next_turn().await.is_some());
    sleep(Duration::from_millis(399)).await;
    assert!(users[0].next_turn().await.is_some());
    sleep(Duration::from_millis(1)).await;
    assert!(users[0].next_turn().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn there_is_no_turn_while_the_run_drains() {
    for rps in [None, Some(5.0)] {
        let (shared, users) = users(constant(1, rps, None));
        shared.phase.set(RunPhase::Draining);
        assert!(users[0].next_turn().await.is_none());
        assert_eq!(shared.clock.now(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_that_waits_for_its_turn_notices_at_once_that_the_run_drains() {
    let (shared, users) = users(constant(1, Some(0.001), None));
    let (session, watch) = (Rc::clone(&users[0]), Rc::new(DeadlineSweep::new(1)));
    let tasks = LocalSet::new();
    let waiting = tasks.spawn_local({
        let watch = Rc::clone(&watch);
        async move {
            poll_fn(|cx| {
                watch.register(0, cx.waker());
                Poll::Ready(())
            })
            .await;
            (session.next_turn().await.is_some(), session.next_turn().await.is_some())
        }
    });
    tasks
        .run_until(async {
            sleep(Duration::from_secs(3)).await;
            watch.sweep(&shared, shared.clock.now(), RunPhase::Draining);
            assert_eq!(waiting.await.unwrap(), (true, false));
            assert_eq!(shared.clock.now(), 3 * SECOND);
        })
        .await;
}

/// The result of a worker's loop.
#[derive(Default)]
pub(super) struct WorkerRun {
    /// The time at which it ended.
    pub at: Nanos,
    /// The seconds that it reported, and the iterations completed in each.
    seconds: Vec<(u32, u64)>,
    walked: u32,
    pub iterations: IterationStats<u64>,
    /// The most users that were active at the end of a second.
    most_active: u32,
}

/// Runs a worker's loop and drains it at `end`. An iteration takes `takes`.
async fn worker(workload: Workload, takes: Option<Nanos>, end: Option<Duration>) -> WorkerRun {
    worker_with_changes(workload, takes, end, &[]).await
}

/// Runs a worker's loop with changes of the load, each announced `CHANGE_DELAY` before its time.
pub(super) async fn worker_with_changes(
    workload: Workload,
    takes: Option<Nanos>,
    end: Option<Duration>,
    changes: &[(u64, f64)],
) -> WorkerRun {
    let drain = async |common: &RunShared| {
        if let Some(end) = end {
            sleep(end).await;
            common.phase.advance(RunPhase::Draining);
        }
    };
    drained_worker(workload, takes, drain, changes).await
}

/// Runs a worker's loop that `drain` drains.
async fn drained_worker(
    workload: Workload,
    takes: Option<Nanos>,
    drain: impl AsyncFnOnce(&RunShared),
    changes: &[(u64, f64)],
) -> WorkerRun {
    let plan = plan(workload, takes);
    let (setup, clocks, mut received) = worker_of(&plan);
    let started = Clock::start_virtual();
    clocks.send(started).unwrap();
    let common = Arc::clone(&setup.run_shared);
    if !changes.is_empty() {
        common.scales.allow_changes();
    }
    let change = async {
        for (milliseconds, scale) in changes {
            let at = milliseconds * MILLISECOND;
            tokio::time::sleep_until(started.instant(at.saturating_sub(CHANGE_DELAY))).await;
            common.scales.set(0, *scale, at);
        }
        std::future::pending::<()>().await
    };
    let context = Rc::new(WorkerContext::new(plan));
    let tasks = LocalSet::new();
    let drain = async {
        drain(&common).await;
        // A worker that never ends fails here instead of running forever.
        sleep(Duration::from_secs(7200)).await;
    };
    tasks
        .run_until(async {
            tokio::select! {
                worked = run_users(setup, context) => worked.unwrap(),
                () = drain => {}
                () = change => {}
            }
        })
        .await;
    let mut run = WorkerRun { at: started.now(), ..WorkerRun::default() };
    while let Ok(message) = received.try_recv() {
        match message {
            WorkerMessage::Interval(WorkerInterval { second, interval, .. }) => {
                run.seconds.push((second, interval.iterations[0].completed));
                run.iterations.add(&interval.iterations[0]);
                run.most_active = run.most_active.max(interval.users_active);
            }
            WorkerMessage::Finished { signed_in: walked, .. } => run.walked = walked,
            WorkerMessage::Ready | WorkerMessage::Failed(_) => {}
        }
    }
    run
}

#[tokio::test(start_paused = true)]
async fn users_begin_evenly_over_the_ramp_up() {
    let run = worker(ramped_up(), None, None).await;
    assert_eq!((run.at, run.walked), (9_800 * MILLISECOND, 50), "the last one ends the worker");
    assert_eq!(run.seconds, (0..10).map(|second| (second, 5)).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn users_that_have_not_begun_when_the_run_drains_never_do() {
    let run = worker(ramped_up(), None, Some(Duration::from_millis(3_105))).await;
    assert_eq!(run.walked, 16, "users begin 200 ms apart");
    assert!(
        run.at <= 3_105 * MILLISECOND + deadline_sweep::SWEEP_PERIOD + MILLISECOND,
        "noticed within one sweep: {}",
        run.at
    );
}

pub(super) fn stages(typed: &[(u64, f64)]) -> Vec<Stage> {
    typed.iter().map(|&(seconds, target)| Stage { duration: Duration::from_secs(seconds), target }).collect()
}

#[tokio::test(start_paused = true)]
async fn a_pace_keeps_the_beginnings_of_iterations_apart() {
    let workload = Workload { pace: Duration::from_millis(250), ..constant(3, None, Some(10_000)) };
    for (case, takes, expected) in [
        ("shorter than the pace", 100 * MILLISECOND, 3 * 40),
        ("longer: they begin when the last is over, and never catch up", 500 * MILLISECOND, 3 * 20),
    ] {
        let run = worker(workload.clone(), Some(takes), None).await;
        assert_eq!((run.iterations.due(), run.walked), (expected, 3), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_ramp_has_as_many_users_as_its_stages_say() {
    let shape = LoadProfile::new(0.0, &stages(&[(10, 100.0), (5, 100.0), (0, 20.0), (5, 20.0), (10, 0.0)]));
    let grace = Duration::from_secs(30);
    let workload = Workload { model: Ramping { users: shape }.into(), graceful_ramp_down: grace, ..once() };
    let paced = Workload { pace: Duration::from_millis(100), ..workload };
    let run = worker(paced, Some(50 * MILLISECOND), None).await;
    assert_eq!(run.at / SECOND, 30, "the last user leaves when the value reaches it");
    let begun: Vec<u64> = run.seconds.iter().map(|(_, completed)| *completed).collect();
    // Each user begins ten iterations a second while it is there: ten times the area under the shape.
    for (second, expected) in [(0, 50), (4, 450), (12, 1_000), (17, 200), (25, 90)] {
        assert!(begun[second].abs_diff(expected) <= 110, "{expected} in second {second}: {}", begun[second]);
    }
    let all = 10.0 * (500.0 + 500.0 + 100.0 + 100.0);
    assert!((run.iterations.due() as f64 - all).abs() <= 120.0, "{} of {all}", run.iterations.due());
    assert_eq!(run.iterations.dropped, 0);
}

#[tokio::test(start_paused = true)]
async fn a_user_that_the_ramp_no_longer_wants_ends_its_iteration_within_its_grace() {
    for (grace, completed, cut_short) in [(30, 2, 0), (1, 0, 2)] {
        let shape = LoadProfile::new(2.0, &stages(&[(5, 2.0), (0, 0.0), (60, 0.0)]));
        let graceful_ramp_down = Duration::from_secs(grace);
        let workload = Workload { model: Ramping { users: shape }.into(), graceful_ramp_down, ..once() };
        let run = worker(workload, Some(8 * SECOND), None).await;
        let iterations = &run.iterations;
        assert_eq!((iterations.completed, iterations.cut_short), (completed, cut_short), "{grace} s of grace");
    }
}

#[tokio::test(start_paused = true)]
async fn users_that_share_iterations_walk_no_more_than_there_are() {
    let model = Shared { users: 7, iterations: 100, duration: None, ramp_up: Duration::ZERO };
    let run = worker(Workload { model: model.into(), ..once() }, Some(10 * MILLISECOND), None).await;
    assert_eq!((run.iterations.completed, run.walked), (100, 7));
    assert_eq!(run.at / MILLISECOND, 150, "the faster walk more: 15 rounds of 7 at most");
}

pub(super) fn arrivals(rate: LoadProfile, max_users: u32, max_wait: Duration) -> Workload {
    let model = ArrivalRate { rate, process: ArrivalProcess::Even, max_users, max_wait };
    Workload { model: model.into(), ..once() }
}

#[tokio::test(start_paused = true)]
async fn arrivals_begin_when_they_are_due_even_if_users_are_busy() {
    let shape = LoadProfile::new(0.0, &stages(&[(10, 100.0), (10, 100.0)]));
    let run = worker(arrivals(shape, 1_000, Duration::ZERO), Some(2 * SECOND), None).await;
    assert_eq!((run.iterations.due(), run.iterations.dropped), (1_500, 0));
    assert!((198..=202).contains(&run.most_active), "a hundred a second, each two seconds long: {}", run.most_active);
}

#[tokio::test(start_paused = true)]
async fn an_arrival_that_finds_no_free_user_is_dropped_and_counted() {
    let shape = LoadProfile::constant(10.0, Duration::from_secs(10));
    let run = worker(arrivals(shape, 5, Duration::ZERO), Some(SECOND), None).await;
    let iterations = &run.iterations;
    assert_eq!((iterations.due(), iterations.dropped), (100, 50), "five users walk five a second");
    assert_eq!(run.most_active, 5);
}

#[tokio::test(start_paused = true)]
async fn an_arrival_may_wait_for_a_user_and_its_time_counts_from_when_it_was_due() {
    let shape = LoadProfile::constant(10.0, Duration::from_secs(10));
    let run = worker(arrivals(shape, 5, Duration::from_secs(2)), Some(SECOND), None).await;
    let iterations = &run.iterations;
    assert_eq!((iterations.due(), iterations.dropped), (100, 50), "waiting makes no user faster");
    let longest = iterations.duration.max() / 1000;
    assert!((2_800..=3_000).contains(&longest), "two seconds of waiting and one of walking: {longest} ms");
}

#[tokio::test(start_paused = true)]
async fn arrivals_for_which_a_late_worker_has_no_time_left_are_counted() {
    let shape = LoadProfile::constant(100.0, Duration::from_secs(10));
    let drain = async |common: &RunShared| {
        // The run ends between two arrivals, so that none is under way, and the worker notices it half a second later,
        // when it can run again.
        sleep(Duration::from_millis(3_005)).await;
        common.phase.advance(RunPhase::Draining);
        tokio::time::advance(Duration::from_millis(500)).await;
    };
    let run = drained_worker(arrivals(shape, 50, Duration::ZERO), Some(SECOND / 10), drain, &[]).await;
    let iterations = &run.iterations;
    assert_eq!(iterations.due(), 351, "all that were due until 3.5 s: {iterations:?}");
    assert_eq!(iterations.dropped, 0, "there were users for all of them");
}
