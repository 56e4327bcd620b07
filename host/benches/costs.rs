//! The costs that each request pays, by kind: decide when, render a template, call a guest, record a sample; the cost
//! of a row's counts on their way to another machine, once a second; and that of a plugin's instance, which is paid at
//! the start and after a trap.
//!
//! `cargo bench --package stampede-shooter` runs them. They show where time goes; `cargo xtask instructions` keeps the
//! costs from growing, and `cargo xtask bench` compares the whole with other load runners.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark that cannot be set up has no other way out")]

use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;

use clap::Parser;
use criterion::{Criterion, criterion_group, criterion_main};
use stampede_shooter::cli::Cli;
use stampede_shooter::diagnostic::SourceText;
use stampede_shooter::metrics::recorder::Recorder;
use stampede_shooter::metrics::sample::{PhaseDurations, Sample};
use stampede_shooter::metrics::wire::{self, IntervalShape};
use stampede_shooter::pace::RateLimiter;
use stampede_shooter::plan::{self, Plan};
use stampede_shooter::plugin::instance::restarting_instance::RestartingInstance;
use stampede_shooter::plugin::instance::worker_plugin::{SharedNames, WorkerPlugin};
use stampede_shooter::template::{CompileScope, Template, VariableNames};
use stampede_shooter::user::Session;
use stampede_shooter::{run, script};
use stampede_time::Clock;

/// A typical step.
const SCRIPT: &str = "- name: Catalog\n  url: http://127.0.0.1:9/catalog?page={{randInt 1 20}}\n";

fn plan() -> Arc<Plan> {
    let cli = Cli::try_parse_from(["stampede-shooter", "--script", "-", "--users", "2"]).unwrap();
    let script = script::parse(&Arc::new(SourceText { name: "-".into(), text: SCRIPT.into() })).unwrap();
    Arc::new(plan::build(&cli.run, &script).unwrap_or_else(|_| panic!("the script is right")))
}

fn user(plan: &Plan) -> Rc<Session> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _entered = runtime.enter();
    let shared = Rc::new(run::new_shared(plan, Clock::start(), 1).unwrap());
    let session = Rc::new(Session::new(0, 0, shared, plan.seed, None));
    plan.set_user_headers(&session);
    session
}

fn replica(plan: &Plan) -> RestartingInstance {
    let used = &plan.runtime.plugins[0];
    let family = WorkerPlugin::new(
        used.policy.clone(),
        Arc::clone(&plan.runtime.script_context),
        &SharedNames::of_plan(&plan.variables, &plan.metrics, &plan.rows),
    );
    RestartingInstance::new(Arc::clone(&used.plugin), Arc::clone(&used.steps), family)
}

fn decide(bench: &mut Criterion) {
    let (mut limiter, mut now) = (RateLimiter::new(1e6, 0, 0, 1), 0);
    bench.bench_function("decide/turn of a user", |it| {
        it.iter(|| {
            now = limiter.reserve(black_box(now));
            now
        });
    });
}

fn render(bench: &mut Criterion) {
    let plan = plan();
    let user = user(&plan);
    let (data, environment) = (&plan.runtime.script_context.data, &plan.runtime.script_context.environment);
    let mut variables = VariableNames::default();
    let mut scope = CompileScope { data, variables: &mut variables, environment };
    let template = Template::compile("/catalog?page={{randInt 1 20}}&id={{uuid}}", &mut scope).unwrap();
    let mut out = String::new();
    bench.bench_function("render/a number and a uuid", |it| {
        it.iter(|| {
            out.clear();
            user.render(black_box(&template), &mut out);
            out.len()
        });
    });
}

fn call(bench: &mut Criterion) {
    let plan = plan();
    let (user, mut replica) = (user(&plan), replica(&plan));
    // `start` renders the request and submits it; nothing polls it, and `cancel` drops the guest's half.
    bench.bench_function("call/start and cancel of http", |it| {
        it.iter(|| {
            let (_, begun) = replica.start(&user, 0, 0).unwrap();
            user.task.operations.clear();
            replica.cancel(&user, begun);
        });
    });
}

fn record(bench: &mut Criterion) {
    let mut recorder = Recorder::new(1, Vec::new());
    let mut sample = Sample {
        row: 0,
        intended: 0,
        start: 0,
        end: 0,
        status: 200,
        bytes_out: 64,
        bytes_in: 300,
        body_bytes_in: 128,
        phases: PhaseDurations { first_byte: Some(1_000_000), receive: Some(1_000), ..PhaseDurations::default() },
        failure: None,
        span: None,
    };
    bench.bench_function("record/a sample", |it| {
        it.iter(|| {
            sample.end = (sample.end + 7_919) % 50_000_000;
            recorder.record(black_box(&sample));
        });
    });
}

fn send(bench: &mut Criterion) {
    let mut recorder = Recorder::new(1, Vec::new());
    for number in 0..100_u64 {
        let end = 10_000_000 + number * number * 7_919;
        let phases = PhaseDurations { first_byte: Some(end / 2), ..PhaseDurations::default() };
        let (row, intended, start, status, failure, span) = (0, 0, 0, 200, None, None);
        let (bytes_out, bytes_in, body_bytes_in) = (64, 300, 128);
        recorder.record(&Sample {
            row,
            intended,
            start,
            end,
            status,
            bytes_out,
            bytes_in,
            body_bytes_in,
            phases,
            failure,
            span,
        });
    }
    let (interval, mut bytes) = (recorder.take(None), Vec::new());
    let shape = IntervalShape { rows: 1, metrics: Vec::new(), scenarios: 0, plugins: 0 };
    bench.bench_function("send/an interval of a row with 100 requests", |it| {
        it.iter(|| {
            bytes.clear();
            wire::write(black_box(&interval), &mut bytes);
            bytes.len()
        });
    });
    let mut into = shape.empty_interval();
    bench
        .bench_function("send/read it back", |it| it.iter(|| wire::read(black_box(&bytes), &shape, &mut into).is_ok()));
}

fn instantiate(bench: &mut Criterion) {
    let plan = plan();
    bench.bench_function("instantiate/http with one step", |it| it.iter(|| replica(&plan).ensure_instance().is_ok()));
}

criterion_group!(benches, decide, render, call, record, send, instantiate);
criterion_main!(benches);
