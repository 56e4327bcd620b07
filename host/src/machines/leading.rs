//! The start of a run that this machine leads: the plan and its objects are put on the bus, and the coordinator begins
//! on a thread of its own.

use std::thread::JoinHandle;
use std::time::Duration;

use stampede_fleet::{CoordinatorEvent, Fetched, FleetPlan, FleetReport, LossPolicy, MILLION, PutAnswer, RunId};
use stampede_time::{Nanos, nanos};
use tokio::sync::{mpsc, oneshot};

use super::bundle::Bundle;
use super::bus::Bus;
use super::coordinator::{CoordinatorSetup, RunEnds, known_shape, lead};
use super::load::{NodeOptions, plan_of};
use super::notes;
use super::schedule::PlanSchedule;
use super::shape::shape_of;
use crate::cli::BusArgs;
use crate::diagnostic::{Diagnostic, io_reason};
use crate::plan::Plan;
use crate::run::load_controller::ControlSender;
use crate::run::remote::{RemoteWorkers, StartGate};
use crate::segment::Segment;

/// The length of a run that only its iterations end.
const LONGEST: Nanos = 24 * 3_600 * 1_000_000_000;

/// The time beyond that of the plan in which a machine's own run ends.
const GRACE_MARGIN: Duration = Duration::from_secs(5);

/// The division of a run, and its demands.
#[derive(Clone, Debug)]
pub(crate) struct FleetOptions {
    /// The connection.
    pub bus: BusArgs,
    /// The run.
    pub run: RunId,
    /// The number of machines.
    pub nodes: u32,
    /// The longest wait for them.
    pub wait: Duration,
    /// The share of them that may be lost.
    pub tolerated_loss: Option<f64>,
    /// `true` to refuse clocks that are not known precisely.
    pub needs_precise_clocks: bool,
    /// `true` to print no more than warnings.
    pub is_quiet: bool,
}

/// A run that this machine leads.
pub(crate) struct FleetRun {
    thread: JoinHandle<Result<Option<FleetReport>, Diagnostic>>,
}

impl FleetRun {
    /// Checks that a run can be divided, puts it on the bus, and begins to wait for machines. Returns what the run has
    /// in place of threads.
    ///
    /// # Errors
    /// The run cannot be divided, or NATS cannot be reached.
    pub(crate) fn start(
        options: FleetOptions,
        plan: &Plan,
        bundle: Bundle,
        control: ControlSender,
    ) -> Result<(RemoteWorkers, Self), Diagnostic> {
        check(plan, &bundle, options.nodes)?;
        let (messages, from_nodes) = mpsc::unbounded_channel();
        let (orders, from_run) = mpsc::unbounded_channel();
        let (start, clock) = oneshot::channel();
        let (result, to_run) = oneshot::channel();
        // All machines are ready when the start comes.
        let (ready, _) = oneshot::channel();
        let ends = RunEnds { messages, start, orders: from_run, result, control };
        let fleet = fleet_plan(&options, plan, &bundle);
        let schedule = PlanSchedule::new(plan, options.nodes);
        let shape = known_shape(shape_of(plan));
        let failed = |error: std::io::Error| Diagnostic::new("internal::run", error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (published, is_published) = std::sync::mpsc::channel();
        let count = options.nodes as usize;
        let body = move || {
            runtime.block_on(async move {
                let (events, incoming) = mpsc::unbounded_channel();
                let bus = match publish(&options, &fleet, &bundle, events.clone()).await {
                    Ok(bus) => bus,
                    Err(error) => {
                        let _ = published.send(Err(error));
                        return Ok(None);
                    }
                };
                let _ = published.send(Ok(()));
                let is_quiet = options.is_quiet;
                let setup = CoordinatorSetup { bus, plan: fleet, schedule, shape, ends, events, incoming, is_quiet };
                lead(setup).await
            })
        };
        let thread = std::thread::Builder::new().name("fleet".into()).spawn(body).map_err(failed)?;
        is_published
            .recv()
            .unwrap_or_else(|_| Err(Diagnostic::new("internal::run", "the thread of the fleet died")))?;
        let gate = StartGate { ready, clock };
        Ok((RemoteWorkers { count, messages: from_nodes, gate, orders, result: to_run }, Self { thread }))
    }

    /// Waits until the coordinator has ended.
    ///
    /// # Errors
    /// The load never began, or another coordinator leads the run.
    pub(crate) fn finish(self) -> Result<(), Diagnostic> {
        // A panic has been reported by the thread.
        let ended = self.thread.join();
        match ended.unwrap_or_else(|_| Err(Diagnostic::new("internal::run", "the thread of the fleet died")))? {
            Some(report) => notes::check_started(&report),
            None => Ok(()),
        }
    }
}

/// Checks that each machine has something to do, and that it will have everything that it needs.
fn check(plan: &Plan, bundle: &Bundle, nodes: u32) -> Result<(), Diagnostic> {
    let wrong = |message: String, help: &str| Err(Diagnostic::new("usage::fleet", message).help(help));
    if plan.setup.is_some() || plan.teardown.is_some() {
        return wrong(
            "the script has a `setup` or a `teardown`, which each machine would do for itself".into(),
            "run them before and after the fleet, as scripts of their own",
        );
    }
    if plan.users() < nodes {
        let message = format!("{nodes} machines for {} users: some would have none", plan.users());
        return wrong(message, "take fewer machines, or more users");
    }
    let folder = tempfile::tempdir()
        .map_err(|error| Diagnostic::new("internal::run", format!("no temporary folder: {}", io_reason(&error))))?;
    let Some(first) = Segment::new(1, nodes) else { return Ok(()) };
    let options = NodeOptions { allow_native: !plan.native.is_empty(), env_file: None };
    // A file that is missing here is missing everywhere; variables may be known to the machines alone.
    match plan_of(bundle, folder.path(), first, &options) {
        Err(reason) if reason.contains("cannot read") => wrong(
            format!("a machine would not find all files:\n{reason}"),
            "name files by paths relative to the script",
        ),
        _ => Ok(()),
    }
}

fn fleet_plan(options: &FleetOptions, plan: &Plan, bundle: &Bundle) -> FleetPlan {
    let milliseconds = |time: Nanos| time.div_ceil(1_000_000);
    let length = plan.end().unwrap_or(LONGEST).max(1);
    let mut fleet = FleetPlan::new(options.run.clone(), options.nodes, milliseconds(length));
    fleet.version = env!("CARGO_PKG_VERSION").into();
    fleet.digest = bundle.digest();
    fleet.objects = bundle.objects().map(|(object, _)| object).collect();
    fleet.is_open = PlanSchedule::new(plan, options.nodes).is_open();
    fleet.barrier.timeout_ms = milliseconds(nanos(options.wait));
    fleet.clock.is_strict = options.needs_precise_clocks;
    fleet.grace_ms = milliseconds(plan.graceful_stop().saturating_add(nanos(GRACE_MARGIN)));
    if let Some(share) = options.tolerated_loss {
        let part = (share * f64::from(MILLION)).round() as u32;
        (fleet.loss, fleet.coverage_tolerance_ppm) = (LossPolicy::Tolerate(part), part);
    }
    fleet
}

/// Puts everything on the bus, the plan last: machines that wait for it then find the rest.
async fn publish(
    options: &FleetOptions,
    fleet: &FleetPlan,
    bundle: &Bundle,
    events: mpsc::UnboundedSender<CoordinatorEvent>,
) -> Result<Bus, Diagnostic> {
    if let Some(fault) = fleet.faults().into_iter().next() {
        return Err(Diagnostic::new("usage::fleet", fault.to_string()));
    }
    let reconnected = move || {
        let _ = events.send(CoordinatorEvent::Reconnected);
    };
    let bus = Bus::connect(&options.bus, options.run.clone(), reconnected).await?;
    bus.create_stores().await?;
    for (object, content) in bundle.objects() {
        bus.put_object(&object, content).await?;
    }
    let value = fleet.to_bytes();
    match bus.put_record(&bus.subjects.plan_key(), None, value.clone()).await {
        PutAnswer::Written { .. } => Ok(bus),
        PutAnswer::Failed => Err(Diagnostic::new("fleet::connection", "the plan was not stored on NATS")),
        // A coordinator that is started again has the same plan.
        PutAnswer::Conflict => match bus.get_record(&bus.subjects.plan_key()).await {
            Fetched::Found { value: there, .. } if there == value => Ok(bus),
            _ => {
                let message = format!("there is another run `{}`", options.run);
                Err(Diagnostic::new("usage::fleet", message).help("give this one another name with `--run`"))
            }
        },
    }
}
