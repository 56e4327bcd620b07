//! What passes between the main thread and a worker: what the worker is made from, and what it tells.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use stampede_time::{Clock, Nanos, RunPhase, Timers};

use super::shared::RunShared;
use crate::http::{Client, ClientOptions};
use crate::metrics::interval::Interval;
use crate::metrics::recorder::Recorder;
use crate::plan::{Plan, Scenario};
use crate::template::Variables;
use crate::user::WorkerShared;

/// What a worker tells the main thread.
pub enum WorkerMessage {
    /// The worker's instances stand; it waits for the clock.
    Ready,
    /// What was recorded in about a second.
    Interval {
        /// Which worker.
        worker: usize,
        /// Seconds since the run began.
        second: u32,
        /// The record.
        interval: Box<Interval>,
    },
    /// All users are gone, everything recorded has been handed over.
    Finished {
        /// Users that signed in or had no need to.
        signed_in: u32,
        /// Users that could not sign in.
        gave_up: u32,
        /// Whether every step passed.
        passed: bool,
        /// What the last user knew at its end.
        variables: Variables,
    },
    /// The worker could not start.
    Failed(String),
}

/// What a worker is made from.
pub struct WorkerSetup {
    /// The worker's number, from 0.
    pub index: usize,
    /// How many workers there are beside it, itself included.
    pub workers: usize,
    /// What to run.
    pub plan: Arc<Plan>,
    /// Which part of it.
    pub segment: SegmentKind,
    /// What it shares with the others.
    pub run_shared: Arc<RunShared>,
    /// Variables that its users begin with.
    pub variables: Variables,
    /// To the main thread.
    pub messages: tokio::sync::mpsc::UnboundedSender<WorkerMessage>,
    /// From the main thread, once, when all workers are ready.
    pub clock: tokio::sync::oneshot::Receiver<Clock>,
    /// Intervals to be used again.
    pub spares: std::sync::mpsc::Receiver<Box<Interval>>,
}

/// The parts of a run, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// One user prepares.
    Setup,
    /// The scenarios.
    Load,
    /// One user tidies up.
    Teardown,
}

impl SegmentKind {
    /// The scenarios of this part of a plan.
    pub fn scenarios(self, plan: &Plan) -> &[Scenario] {
        match self {
            Self::Setup => plan.setup.as_slice(),
            Self::Load => &plan.scenarios,
            Self::Teardown => plan.teardown.as_slice(),
        }
    }
}

/// Largest reply body that is kept for a capture or a plugin, in bytes.
const MAX_BODY_KEPT: usize = 16 << 20;

/// What the users of a worker share, before its first user. Must be called where tasks run.
///
/// # Errors
/// The operating system has no more timers.
pub fn new_shared(plan: &Plan, clock: Clock, users: usize) -> io::Result<WorkerShared> {
    let options =
        ClientOptions { tls: plan.runtime.tls.clone(), max_body_kept: MAX_BODY_KEPT, dial: plan.runtime.dial.clone() };
    let metrics = plan.metrics.iter().map(|metric| metric.kind).collect();
    Ok(WorkerShared {
        clock,
        timers: Timers::new(clock)?,
        client: Rc::new(Client::new(options, clock)),
        recorder: RefCell::new(Recorder::new(plan.rows.len(), metrics)),
        data: plan.runtime.script_context.data.clone(),
        total_users: plan.users(),
        phase: Cell::new(RunPhase::Running),
        deadlines: (0..users).map(|_| Cell::new(Nanos::MAX)).collect(),
        last_sweep: Cell::new(0),
        scratch: RefCell::default(),
        seed: plan.seed,
        initial_variables: Variables::default(),
        total_limiter: Cell::default(),
        secrets: Arc::clone(&plan.runtime.script_context.secrets),
        secret_variables: plan.secret_variables(),
    })
}
