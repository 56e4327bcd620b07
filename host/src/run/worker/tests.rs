//! When users start requests, in virtual time: every number is exact, and twenty seconds are over at once. The users,
//! their sessions and the worker's loop are the real ones; there is no plugin and no target.

use std::rc::Rc;
use std::sync::mpsc;

use tokio::sync::oneshot;
use tokio::task::LocalSet;
use tokio::time::sleep;

use crate::http::Tls;
use crate::plan::data::DataSets;
use crate::plan::workload::Workload;
use crate::plugin::state::Scripting;
use crate::template::{Environment, VariableNames};

use super::*;

const MILLISECOND: Nanos = 1_000_000;

/// One user who starts as often as it may, for ever.
const ONE: Workload = Workload {
    users: 1,
    rps: None,
    duration: None,
    iterations: Some(1),
    ramp_up: Duration::ZERO,
    graceful_stop: Duration::ZERO,
};

/// A plan without steps: a user begins, and is done.
fn plan(workload: Workload) -> Arc<Plan> {
    let scripting = Scripting {
        data: DataSets::default(),
        environment: Environment::of_process([]),
        base_url: None,
        folder: std::path::PathBuf::new(),
    };
    Arc::new(Plan {
        script: "-".into(),
        workload,
        workers: 1,
        seed: 0,
        timeout: 30 * SECOND,
        insecure_tls: true,
        tls: Tls::load(true).unwrap(),
        dial: None,
        login: None,
        steps: Vec::new(),
        groups: Vec::new(),
        rows: Vec::new(),
        plugins: Vec::new(),
        native: Vec::new(),
        scripting: Arc::new(scripting),
        variables: VariableNames::default(),
        metrics: Vec::new(),
        checks: Vec::new(),
        thresholds: Vec::new(),
        fail_on: crate::script::model::FailOn::default(),
        headers: Vec::new(),
        origins: Vec::new(),
    })
}

/// All users of a workload on one worker.
fn users(workload: Workload) -> (Rc<Shared>, Vec<Rc<Session>>) {
    let plan = plan(workload);
    let shared = Rc::new(share(&plan, Clock::start_virtual(), workload.users as usize).unwrap());
    let sessions = (0..workload.users).map(|id| Rc::new(session((id, id as usize), &plan, &shared))).collect();
    (shared, sessions)
}

/// Does what a worker's loop does for users who wait, until something is done.
async fn driven<T>(shared: &Shared, work: impl Future<Output = T>) -> T {
    tokio::select! {
        never = shared.timers.run(shared.clock) => match never {},
        done = work => done,
    }
}

/// When each user started a request, if every reply takes that long.
async fn starts(workload: Workload, reply: Duration) -> Vec<Vec<Nanos>> {
    let (shared, sessions) = users(workload);
    let tasks = LocalSet::new();
    let walks: Vec<_> = sessions
        .into_iter()
        .map(|session| {
            let clock = shared.clock;
            tasks.spawn_local(async move {
                let mut starts = Vec::new();
                while session.turn().await.is_some() {
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
    let workload = Workload { users: 200, rps: Some(5.0), duration: Some(Duration::from_secs(20)), ..ONE };
    for reply in [Duration::ZERO, Duration::from_millis(37), Duration::from_millis(200)] {
        let all = starts(workload, reply).await;
        assert_eq!(all.iter().map(Vec::len).sum::<usize>(), 20_000, "replies take {reply:?}");
        for (user, starts) in all.iter().enumerate() {
            assert_eq!(starts[0], user as Nanos * MILLISECOND, "phases are spread over one interval");
            assert!(gaps(starts).all(|gap| gap == 200 * MILLISECOND), "user {user}, replies take {reply:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_whose_replies_are_slow_starts_when_they_are_in_and_never_catches_up() {
    let workload = Workload { rps: Some(5.0), duration: Some(Duration::from_secs(20)), ..ONE };
    let starts = starts(workload, Duration::from_millis(300)).await.remove(0);
    assert!(gaps(&starts).all(|gap| gap == 300 * MILLISECOND));
    assert_eq!(starts.len(), 67);
}

/// The runtime's timers fire on whole milliseconds, so a start may come up to one late, but none is early and lateness
/// does not add up.
#[tokio::test(start_paused = true)]
async fn starts_keep_to_a_schedule_that_timers_cannot() {
    const INTERVAL: Nanos = 333_333_334;
    let workload = Workload { rps: Some(3.0), duration: Some(Duration::from_secs(20)), ..ONE };
    let starts = starts(workload, Duration::from_millis(10)).await.remove(0);
    assert_eq!(starts.len(), 60);
    for (nth, start) in starts.iter().enumerate() {
        let due = nth as Nanos * INTERVAL;
        assert!((due..due + MILLISECOND).contains(start), "start {nth} at {start}, due at {due}");
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_turn_moves_the_deadline_on_by_exactly_the_wait() {
    let (shared, users) = users(Workload { rps: Some(5.0), ..ONE });
    driven(&shared, async {
        let session = &users[0];
        let timeout = 30 * SECOND;
        session.deadline().set(timeout);
        assert!(session.turn().await.is_some());
        assert_eq!(session.deadline().get(), timeout, "the first turn is there at once");
        assert!(session.turn().await.is_some());
        assert_eq!((shared.clock.now(), session.deadline().get()), (200 * MILLISECOND, timeout + 200 * MILLISECOND));
        sleep(Duration::from_millis(70)).await;
        assert!(session.turn().await.is_some());
        assert_eq!((shared.clock.now(), session.deadline().get()), (400 * MILLISECOND, timeout + 330 * MILLISECOND));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn there_is_no_turn_at_or_after_the_end() {
    let (shared, users) = users(Workload { rps: Some(5.0), duration: Some(Duration::from_millis(400)), ..ONE });
    driven(&shared, async {
        assert!(users[0].turn().await.is_some());
        assert!(users[0].turn().await.is_some());
        assert!(users[0].turn().await.is_none(), "the third turn would be at the end itself");
        assert_eq!(shared.clock.now(), 400 * MILLISECOND, "and that is known at the end, not before");
        assert!(users[0].turn().await.is_none() && !users[0].running());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn without_a_cap_there_is_a_turn_until_the_end_and_not_at_it() {
    let (_, users) = users(Workload { duration: Some(Duration::from_millis(400)), ..ONE });
    assert!(users[0].turn().await.is_some());
    sleep(Duration::from_millis(399)).await;
    assert!(users[0].turn().await.is_some());
    sleep(Duration::from_millis(1)).await;
    assert!(users[0].turn().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn there_is_no_turn_while_the_run_drains() {
    for rps in [None, Some(5.0)] {
        let (shared, users) = users(Workload { rps, ..ONE });
        shared.phase.set(Phase::Draining);
        assert!(users[0].turn().await.is_none());
        assert_eq!(shared.clock.now(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_who_waits_for_its_turn_learns_at_once_that_the_run_drains() {
    let (shared, users) = users(Workload { rps: Some(0.001), ..ONE });
    let (session, watch) = (Rc::clone(&users[0]), Rc::new(Watch::new(1)));
    let tasks = LocalSet::new();
    let waiting = tasks.spawn_local({
        let watch = Rc::clone(&watch);
        async move {
            poll_fn(|cx| {
                watch.enter(0, cx.waker());
                Poll::Ready(())
            })
            .await;
            (session.turn().await.is_some(), session.turn().await.is_some())
        }
    });
    tasks
        .run_until(async {
            sleep(Duration::from_secs(3)).await;
            watch.look(&shared, shared.clock.now(), Phase::Draining);
            assert_eq!(waiting.await.unwrap(), (true, false));
            assert_eq!(shared.clock.now(), 3 * SECOND);
        })
        .await;
}

/// A worker in its loop, told to drain at `end`: when it ended, the seconds it handed over, and the users that walked.
async fn worker(workload: Workload, end: Option<Duration>) -> (Nanos, Vec<u32>, u32) {
    let plan = plan(workload);
    let (messages, mut said) = tokio::sync::mpsc::unbounded_channel();
    let (clocks, clock) = oneshot::channel();
    let (_keep, spares) = mpsc::channel();
    let phase = Arc::new(SharedPhase::default());
    let started = Clock::start_virtual();
    clocks.send(started).unwrap();
    let setup = Setup { index: 0, plan: Arc::clone(&plan), phase: Arc::clone(&phase), messages, clock, spares };
    let crew = Rc::new(Crew::new(plan));
    let tasks = LocalSet::new();
    let drain = async {
        if let Some(end) = end {
            sleep(end).await;
            phase.advance(Phase::Draining);
        }
        // A worker that never ends is caught here instead of going on for ever.
        sleep(Duration::from_secs(3600)).await;
    };
    tasks
        .run_until(async {
            tokio::select! {
                worked = work(setup, crew) => worked.unwrap(),
                () = drain => {}
            }
        })
        .await;
    let (mut seconds, mut walked) = (Vec::new(), 0);
    while let Ok(message) = said.try_recv() {
        match message {
            Message::Interval { second, .. } => seconds.push(second),
            Message::Finished { walked: all, .. } => walked = all,
            Message::Ready | Message::Failed(_) => {}
        }
    }
    (started.now(), seconds, walked)
}

#[tokio::test(start_paused = true)]
async fn users_begin_evenly_over_the_ramp_up() {
    let workload = Workload { users: 50, ramp_up: Duration::from_secs(10), ..ONE };
    let (shared, watch) = (users(workload).0, Rc::new(Watch::new(50)));
    let crew = Rc::new(Crew::new(plan(workload)));
    let lives = Rc::new(Lives::new(50));
    let tasks = LocalSet::new();
    tasks
        .run_until(driven(&shared, async {
            for id in 0..50 {
                spawn_user((id, id as usize), &crew, &shared, &watch, &lives);
            }
            // Between two users' begins, so that it does not matter whose timer is first.
            sleep(Duration::from_millis(100)).await;
            for begun in 1..=50 {
                assert_eq!(lives.walked.get(), begun, "at {} ns", shared.clock.now());
                sleep(Duration::from_millis(200)).await;
            }
        }))
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_ends_with_the_last_of_its_users() {
    let (ended, seconds, walked) = worker(Workload { users: 50, ramp_up: Duration::from_secs(10), ..ONE }, None).await;
    assert_eq!((ended, walked), (9_800 * MILLISECOND, 50));
    assert_eq!(seconds, (0..10).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn users_who_have_not_begun_when_the_run_drains_never_do() {
    let workload = Workload { users: 50, ramp_up: Duration::from_secs(10), ..ONE };
    let (ended, _, walked) = worker(workload, Some(Duration::from_millis(3_105))).await;
    assert_eq!(walked, 16, "users begin 200 ms apart");
    assert!(ended <= 3_105 * MILLISECOND + watch::PERIOD + MILLISECOND, "noticed within one look: {ended}");
}
