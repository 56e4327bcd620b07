//! The exact schedule of every load model: scripts as users write them, planned as for a run and walked by the real
//! users of real workers with the real `http` action, in virtual time. The target is in the same runtime. It notes when
//! each request arrives, and replies after as many milliseconds as the path says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, mpsc};

use stampede_time::{Clock, Nanos};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::oneshot;

use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostics, SourceText, render};
use crate::metrics::aggregate::Aggregate;
use crate::net::{Dial, Grants};
use crate::plan::Plan;
use crate::random::UserRandom;
use crate::run::setup::SectionKind;
use crate::run::shared::RunShared;
use crate::run::worker::*;
use crate::script;
use crate::template::Variables;

const MILLISECOND: Nanos = 1_000_000;
const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
/// The seed of every plan here without another one.
const SEED: u64 = 7;

/// The target of a run. It replies to `/NAME/TAKES` after `TAKES` milliseconds.
struct TimedTarget {
    clock: Clock,
    arrived_at: Mutex<BTreeMap<String, Vec<Nanos>>>,
}

impl Dial for TimedTarget {
    fn dial(self: Arc<Self>) -> DuplexStream {
        let (near, far) = duplex(1 << 10);
        tokio::task::spawn_local(self.serve(far));
        near
    }
}

impl TimedTarget {
    async fn serve(self: Arc<Self>, mut stream: DuplexStream) {
        let mut head = Vec::new();
        while matches!(stream.read_buf(&mut head).await, Ok(1..)) {
            if !head.ends_with(b"\r\n\r\n") {
                continue;
            }
            let text = String::from_utf8(std::mem::take(&mut head)).unwrap();
            let path = text.split(' ').nth(1).and_then(|path| path.strip_prefix('/')).unwrap();
            let (name, takes) = path.split_once('/').unwrap();
            self.arrived_at.lock().unwrap().entry(name.into()).or_default().push(self.clock.now());
            tokio::time::sleep(Duration::from_millis(takes.parse().unwrap())).await;
            if stream.write_all(REPLY).await.is_err() {
                return;
            }
        }
    }
}

/// The result of a script.
pub(super) struct ScheduledRun {
    /// The arrival times of requests, by the names in their paths.
    arrived_at: BTreeMap<String, Vec<Nanos>>,
    counted: Aggregate,
}

impl ScheduledRun {
    /// Returns when the requests of a name arrived, in whole milliseconds.
    #[track_caller]
    pub(super) fn milliseconds(&self, name: &str) -> Vec<u64> {
        let mut all = self.arrived_at.get(name).cloned().unwrap_or_default();
        assert!(all.iter().all(|at| at % MILLISECOND == 0), "{all:?}");
        all.iter_mut().for_each(|at| *at /= MILLISECOND);
        all.sort_unstable();
        all
    }

    /// Returns the completed, cut short and dropped iterations of a scenario.
    pub(super) fn iterations(&self, scenario: usize) -> [u64; 3] {
        let iterations = &self.counted.iterations()[scenario];
        [iterations.completed, iterations.cut_short, iterations.dropped]
    }
}

/// Plans a script and runs it to its end, on this many workers or one per user.
fn ran(text: &str, workers: u32, seed: u64) -> ScheduledRun {
    let plan = planned(text, RunArgs { workers: Some(workers), seed: Some(seed), ..RunArgs::default() });
    run_to_end(plan.unwrap_or_else(|diagnostics| panic!("{}", render(&diagnostics, false))))
}

/// Plans a script for the target.
pub(super) fn planned(text: &str, args: RunArgs) -> Result<Plan, Diagnostics> {
    let source = Arc::new(SourceText { name: "script.yml".into(), text: text.into() });
    let args = RunArgs { base_url: Some("http://target".into()), insecure_tls: true, ..args };
    script::parse(&source).and_then(|script| crate::plan::build(&args, &script))
}

/// Runs a plan against the target.
pub(super) fn run_to_end(mut plan: Plan) -> ScheduledRun {
    plan.runtime.plugins.iter_mut().for_each(|used| used.policy.grants = Grants::unrestricted());
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build_local(Default::default()).unwrap();
    runtime.block_on(async {
        let clock = Clock::start_virtual();
        let target = Arc::new(TimedTarget { clock, arrived_at: Mutex::default() });
        plan.runtime.dial = Some(Arc::clone(&target) as _);
        let counted = walked(&Arc::new(plan), clock).await;
        ScheduledRun { arrived_at: std::mem::take(&mut target.arrived_at.lock().unwrap()), counted }
    })
}

/// Runs the workers of a plan side by side, and returns what they counted.
async fn walked(plan: &Arc<Plan>, clock: Clock) -> Aggregate {
    let (messages, mut received) = tokio::sync::mpsc::unbounded_channel();
    let run_shared = Arc::new(RunShared::new(&plan.scenarios, plan.segment.users()));
    let workers = (0..plan.workers).map(|index| {
        let (start, started) = oneshot::channel();
        start.send(clock).unwrap();
        let setup = WorkerSetup {
            index,
            workers: plan.workers,
            plan: Arc::clone(plan),
            section: SectionKind::Load,
            run_shared: Arc::clone(&run_shared),
            variables: Variables::default(),
            messages: messages.clone(),
            clock: started,
            spares: mpsc::channel().1,
        };
        tokio::task::spawn_local(run_users(setup, instantiate_plugins(plan).unwrap()))
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap().unwrap();
    }
    let mut counted = Aggregate::new(plan.rows.clone(), plan.workers).with_metrics(plan.metrics.clone());
    while let Ok(message) = received.try_recv() {
        if let WorkerMessage::Interval(interval) = message {
            counted.add(&interval);
        }
    }
    counted
}

/// Returns the times from the first to before the last, in steps.
fn every(step: usize, from: u64, before: u64) -> Vec<u64> {
    (from..before).step_by(step).collect()
}

pub(super) fn sorted(lists: &[Vec<u64>]) -> Vec<u64> {
    let mut all = lists.concat();
    all.sort_unstable();
    all
}

/// Compares the arrivals of requests with the expected times. Each row is a case, a load, the milliseconds of its one
/// request, and the times.
#[track_caller]
fn check(rows: &[(&str, &str, u64, Vec<u64>)]) {
    for (case, load, takes, expected) in rows {
        let script = format!("{{{load}, steps: [{{name: Page, url: /page/{takes}}}]}}");
        for workers in [1, 2] {
            let ran = ran(&script, workers, SEED);
            assert_eq!(ran.milliseconds("page"), *expected, "{case}: `{load}`, {workers} workers");
            assert_eq!(ran.counted.total().requests(), expected.len() as u64, "{case}: `{load}`, requests counted");
        }
    }
}

#[test]
fn users_of_a_constant_number_begin_when_their_last_iteration_is_over() {
    check(&[
        (
            "until the duration is over",
            "users: 2, duration: 1s",
            250,
            sorted(&[every(250, 0, 1_000), every(250, 0, 1_000)]),
        ),
        ("once, if nothing else is said", "users: 3", 250, vec![0, 0, 0]),
        ("a number of times each", "users: 2, iterations: 3", 100, vec![0, 0, 100, 100, 200, 200]),
        ("the duration is over first", "users: 1, duration: 250ms, iterations: 9", 100, vec![0, 100, 200]),
        ("the iterations are over first", "users: 1, duration: 9s, iterations: 2", 100, vec![0, 100]),
        (
            "one after the other over the ramp-up",
            "users: 4, iterations: 2, ramp_up: 2s",
            300,
            sorted(&[every(500, 0, 2_000), every(500, 300, 2_000)]),
        ),
        (
            "a ramp-up as long as the duration",
            "users: 4, duration: 1s, ramp_up: 1s",
            400,
            vec![0, 250, 400, 500, 650, 750, 800, 900],
        ),
    ]);
}

#[test]
fn users_that_share_iterations_begin_until_none_is_left() {
    check(&[
        ("the pool is empty", "users: 3, shared_iterations: 7", 100, vec![0, 0, 0, 100, 100, 100, 200]),
        ("fewer iterations than users", "users: 5, shared_iterations: 2", 100, vec![0, 0]),
        (
            "the duration is over first",
            "users: 2, shared_iterations: 99, duration: 250ms",
            100,
            vec![0, 0, 100, 100, 200, 200],
        ),
        (
            "a user that begins later gets the rest",
            "users: 2, shared_iterations: 4, ramp_up: 500ms",
            100,
            vec![0, 100, 200, 250],
        ),
    ]);
}

#[test]
fn users_of_stages_come_and_go_as_the_line_passes_their_numbers() {
    check(&[
        ("up", "stages: [2s:4]", 60_000, vec![0, 500, 1_000, 1_500]),
        // The value is 4 − 2t: the users leave after 0.5, 1, 1.5 and 2 s.
        (
            "down",
            "stages: [0s:4, 2s:0]",
            200,
            sorted(&[every(200, 0, 500), every(200, 0, 1_000), every(200, 0, 1_500), every(200, 0, 2_000)]),
        ),
        (
            "up, level and down",
            "stages: [1s:2, 1s:2, 1s:0]",
            200,
            sorted(&[every(200, 0, 3_000), every(200, 500, 2_500)]),
        ),
        ("a jump up", "stages: [0s:1, 1s:1, 0s:3, 1s:3]", 60_000, vec![0, 1_000, 1_000]),
        ("a jump down", "stages: [0s:2, 1s:2, 0s:1, 1s:1]", 300, sorted(&[every(300, 0, 2_000), every(300, 0, 1_000)])),
        (
            "gone and back again",
            "stages: [0s:2, 1s:2, 0s:0, 1s:0, 0s:2, 1s:2]",
            600,
            vec![0, 0, 600, 600, 2_000, 2_000, 2_600, 2_600],
        ),
    ]);
}

#[test]
fn arrivals_begin_when_the_area_under_their_rate_says_so() {
    check(&[
        ("a constant rate", "arrival_rate: 4/s, duration: 2s", 60_000, every(250, 0, 2_000)),
        ("a rate per minute", "arrival_rate: 30/m, duration: 6s", 100, vec![0, 2_000, 4_000]),
        // The area is t²: arrival n is due at √n s. The clock rings at whole milliseconds, never early.
        ("a ramp from nothing", "stages: [2s:4/s]", 60_000, vec![0, 1_000, 1_415, 1_733]),
        ("a ramp down to nothing", "arrival_rate: 4/s, stages: [2s:0/s]", 60_000, vec![0, 268, 586, 1_000]),
        (
            "a step up",
            "arrival_rate: 2/s, stages: [1s:2/s, 0s:8/s, 1s:8/s]",
            60_000,
            sorted(&[vec![0, 500], every(125, 1_000, 2_000)]),
        ),
        ("a spike", "stages: [1s:0/s, 0s:10/s, 500ms:10/s, 0s:0/s, 1s:0/s]", 10, every(100, 1_000, 1_500)),
        ("no user is free: dropped", "arrival_rate: 4/s, duration: 2s, max_users: 1", 300, every(500, 0, 2_000)),
        (
            "no user is free: waits",
            "arrival_rate: 4/s, duration: 2s, max_users: 1, max_wait: 1s",
            300,
            every(300, 0, 2_000),
        ),
    ]);
}

#[test]
fn caps_pace_and_think_time_keep_beginnings_apart() {
    check(&[
        ("a cap on each user, phases spread", "users: 2, rps: 4, duration: 1s", 0, every(125, 0, 1_000)),
        ("a cap that replies are slower than", "users: 1, rps: 4, duration: 1s", 400, vec![0, 400, 800]),
        ("a cap on all users", "users: 4, rps_total: 4, duration: 1s", 0, every(250, 0, 1_000)),
        ("a cap under another", "users: 4, rps: 1, rps_total: 2, duration: 2s", 0, every(500, 0, 2_000)),
        ("a pace that iterations keep", "users: 1, pace: 250ms, duration: 1s", 100, every(250, 0, 1_000)),
        ("a pace that they are slower than", "users: 1, pace: 250ms, duration: 1s", 400, vec![0, 400, 800]),
        ("fixed think time", "users: 1, think: 150ms, duration: 1s", 100, every(250, 0, 1_000)),
        ("think time within a pace", "users: 1, think: 150ms, pace: 400ms, duration: 1s", 100, vec![0, 400, 800]),
        ("a cap on a ramp's users", "stages: [0s:2, 1s:2], rps: 2", 0, vec![0, 250, 500, 750]),
    ]);
}

#[test]
fn arrivals_at_random_are_the_unit_process_of_their_seed_stretched_by_the_rate() {
    const RATE: f64 = 20.0;
    let mut schedules = Vec::new();
    for seed in [SEED, 8] {
        let (mut random, mut area, mut expected) = (UserRandom::new(seed, u32::MAX), 0.0, Vec::new());
        loop {
            area -= (1.0 - random.unit()).ln();
            let at = (area / RATE * 1e3).ceil() as u64;
            // An arrival at the end itself does not begin any more.
            if at >= 3_000 {
                break;
            }
            expected.push(at);
        }
        for workers in [1, 2] {
            let load = "arrival_rate: 20/s, duration: 3s, arrivals: poisson";
            let ran = ran(&format!("{{{load}, steps: [{{name: Page, url: /page/100}}]}}"), workers, seed);
            assert_eq!(ran.milliseconds("page"), expected, "seed {seed}, {workers} workers");
        }
        schedules.push(expected);
    }
    assert_ne!(schedules[0], schedules[1]);
}

const SIDE_BY_SIDE: &str = "
scenarios:
  constant: {users: 1, duration: 600ms, steps: [{name: A, url: /constant/200}]}
  later: {start: 1s, users: 2, iterations: 2, ramp_up: 1s, steps: [{name: A, url: /later/100}]}
  ramp: {start: 500ms, stages: [1s:2], steps: [{name: A, url: /ramp/60000}]}
  arrivals: {start: 250ms, arrival_rate: 2/s, duration: 1s, steps: [{name: A, url: /arrivals/60000}]}
  pool: {start: 2s, users: 2, shared_iterations: 3, steps: [{name: A, url: /pool/100}]}
  capped: {start: 100ms, users: 2, rps: 2, duration: 1s, steps: [{name: A, url: /capped/0}]}
";

#[test]
fn scenarios_keep_to_their_own_schedules_from_their_own_starts() {
    for workers in [1, 2] {
        let ran = ran(SIDE_BY_SIDE, workers, SEED);
        for (name, expected) in [
            ("constant", vec![0, 200, 400]),
            ("later", vec![1_000, 1_100, 1_500, 1_600]),
            ("ramp", vec![500, 1_000]),
            ("arrivals", vec![250, 750]),
            ("pool", vec![2_000, 2_000, 2_100]),
            ("capped", vec![100, 350, 600, 850]),
        ] {
            assert_eq!(ran.milliseconds(name), expected, "{name}, {workers} workers");
        }
    }
}

#[test]
fn scenarios_share_a_load_by_their_weights() {
    let script = "{users: 4, duration: 300ms, scenarios: {often: {weight: 3, steps: [{name: A, url: /often/100}]}, \
                  rare: {steps: [{name: A, url: /rare/100}]}}}";
    let ran = ran(script, 1, SEED);
    assert_eq!(ran.milliseconds("often"), [0, 0, 0, 100, 100, 100, 200, 200, 200]);
    assert_eq!(ran.milliseconds("rare"), [0, 100, 200]);
}

#[test]
fn requests_that_begin_in_the_warm_up_are_sent_and_not_counted() {
    for (case, load, sent, before) in [
        ("a closed load", "users: 1, duration: 1s", every(100, 0, 1_000), 3),
        ("an open load, by when it was due", "arrival_rate: 10/s, duration: 1s", every(100, 0, 1_000), 3),
        (
            "an arrival that waited since before the warm-up's end belongs to it",
            "arrival_rate: 10/s, duration: 600ms, max_users: 1, max_wait: 9s, rps: 5",
            every(200, 0, 600),
            3,
        ),
    ] {
        let script = format!("{{{load}, warm_up: 300ms, steps: [{{name: Page, url: /page/100}}]}}");
        let ran = ran(&script, 1, SEED);
        assert_eq!(ran.milliseconds("page"), sent, "{case}");
        assert_eq!(ran.counted.warm_up(), before, "{case}");
        let [completed, ..] = ran.iterations(0);
        assert_eq!(completed, sent.len() as u64 - before, "{case}");
    }
}

#[test]
fn an_iteration_that_a_ramp_no_longer_wants_goes_on_for_its_grace() {
    // The user must leave after half a second, in the middle of its first request.
    for (case, grace, second, iterations) in [
        ("its iteration ends within the grace", "1s", vec![600], [1, 0, 0]),
        ("its next step begins within the grace, and is cut off at its end", "200ms", vec![600], [0, 1, 0]),
        ("no grace: the request is cut off", "0s", vec![], [0, 1, 0]),
    ] {
        let script = format!(
            "{{stages: [0s:1, 500ms:1, 0s:0, 3s:0], graceful_ramp_down: {grace}, graceful_stop: 0s, \
             steps: [{{name: First, url: /first/600}}, {{name: Second, url: /second/300}}]}}"
        );
        let ran = ran(&script, 1, SEED);
        assert_eq!((ran.milliseconds("first"), ran.milliseconds("second")), (vec![0], second), "{case}");
        assert_eq!(ran.iterations(0), iterations, "{case}");
    }
}
