//! The exchange between the main thread and a worker: what a worker is made from, and the messages that it sends.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use stampede_time::{Clock, Nanos, RunPhase, Timers, nanos};

use super::shared::RunShared;
use crate::http::{Client, ClientOptions};
use crate::metrics::interval::{Interval, WorkerInterval};
use crate::metrics::recorder::Recorder;
use crate::net::NetworkOptions;
use crate::plan::{Plan, PlanRuntime, Scenario};
use crate::segment::Stride;
use crate::template::Variables;
use crate::user::{Tracer, WorkerShared};

/// A message of a worker to the main thread.
pub enum WorkerMessage {
    /// The worker's plugins are instantiated; it waits for the clock.
    Ready,
    /// The counts of about a second.
    Interval(WorkerInterval),
    /// All users are gone, everything recorded has been handed over.
    Finished {
        /// Index of the worker.
        worker: usize,
        /// Users that signed in or had no need to.
        signed_in: u32,
        /// Users that could not sign in.
        gave_up: u32,
        /// `true` if every step passed.
        passed: bool,
        /// The variables of the last user at its end.
        variables: Variables,
    },
    /// The worker could not start.
    Failed(String),
}

/// Everything that a worker is made from.
pub struct WorkerSetup {
    /// The worker's index, from 0.
    pub index: usize,
    /// The number of workers, itself included.
    pub workers: usize,
    /// The plan to run.
    pub plan: Arc<Plan>,
    /// The section of the plan.
    pub section: SectionKind,
    /// The state that it shares with the other workers.
    pub run_shared: Arc<RunShared>,
    /// Variables that its users begin with.
    pub variables: Variables,
    /// The channel to the main thread.
    pub messages: tokio::sync::mpsc::UnboundedSender<WorkerMessage>,
    /// Gives the clock once, when all workers are ready.
    pub clock: tokio::sync::oneshot::Receiver<Clock>,
    /// Gives intervals back, to be used again.
    pub spares: std::sync::mpsc::Receiver<Box<Interval>>,
}

/// The sections of a run, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectionKind {
    /// One user prepares.
    Setup,
    /// The scenarios.
    Load,
    /// One user tidies up.
    Teardown,
}

impl SectionKind {
    /// Returns the scenarios of this section of a plan.
    pub fn scenarios(self, plan: &Plan) -> &[Scenario] {
        match self {
            Self::Setup => plan.setup.as_slice(),
            Self::Load => &plan.scenarios,
            Self::Teardown => plan.teardown.as_slice(),
        }
    }

    /// Returns the users of this section that are in the plan's segment of the run. Each segment has a user of its own
    /// for set-up and teardown.
    pub fn own_users(self, plan: &Plan) -> Stride {
        match self {
            Self::Load => plan.segment.users(),
            Self::Setup | Self::Teardown => Stride::ALL,
        }
    }
}

/// Largest reply body that is kept for a capture or a plugin, in bytes.
const MAX_BODY_KEPT: usize = 16 << 20;

/// Creates the state that the users of a worker share, before its first user. Must be called where tasks run.
///
/// # Errors
/// The operating system has no more timers.
pub fn new_shared(plan: &Plan, clock: Clock, users: usize) -> io::Result<WorkerShared> {
    let PlanRuntime { tls, dial, body_budget, .. } = &plan.runtime;
    let network =
        NetworkOptions { tls: tls.clone(), dial: dial.clone(), dns_ttl: nanos(plan.dns_ttl), seed: plan.seed };
    let options = ClientOptions { network, max_body_kept: MAX_BODY_KEPT, body_budget: body_budget.clone() };
    let metrics = plan.metrics.iter().map(|metric| metric.kind).collect();
    let client = Client::new(options, clock);
    let recorder = Recorder::new(plan.rows.len(), metrics).with_step_metrics(&plan.metrics);
    let mut recorder = recorder.with_workers(plan.workers);
    if let Some(taps) = plan.runtime.sample_taps.get() {
        recorder = recorder.with_tap(taps.tap(clock.wall(0)));
    }
    if plan.runtime.shows_all_exchanges {
        client.show_all();
        recorder.keep_all_exchanges();
    }
    Ok(WorkerShared {
        clock,
        timers: Rc::new(Timers::new(clock)?),
        client: Rc::new(client),
        recorder: RefCell::new(recorder),
        data: plan.runtime.script_context.data.clone(),
        total_users: plan.users(),
        segment: plan.segment,
        phase: Cell::new(RunPhase::Running),
        deadlines: (0..users).map(|_| Cell::new(Nanos::MAX)).collect(),
        last_sweep: Cell::new(0),
        scratch: RefCell::default(),
        request_scratch: RefCell::default(),
        seed: plan.seed,
        initial_variables: Variables::default(),
        total_limiter: Cell::default(),
        secrets: Arc::clone(&plan.runtime.script_context.secrets),
        secret_variables: plan.secret_variables(),
        tracer: plan.tracing.map(|settings| Tracer::new(settings, rand::random())),
    })
}
