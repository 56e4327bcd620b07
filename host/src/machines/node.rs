//! The driver of a node: it carries out what the state machine of the protocol says, over NATS, on a thread of its own.
//! The main thread makes the load meanwhile, as for any run (`load`).
//!
//! ```text
//!   NATS ◀──▶ driver ──job, start, changes──▶ load
//!               ▲                              │
//!               └──── ready, seconds, end ─────┘
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use stampede_fleet::{
    Channel, FleetNode, FleetPlan, LoadOrder, MILLISECOND, NodeCommand, NodeEvent, NodeExit, NodeName, NodeSettings,
    Record, RunId, Time,
};
use stampede_time::Clock;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep_until;

use super::bundle::{Bundle, digest};
use super::bus::Bus;
use super::counts::FleetCounts;
use super::job::{LoadJob, NodeEvents, NodeShared};
use super::machine::machine_name;
use crate::cli::BusArgs;
use crate::diagnostic::Diagnostic;
use crate::plugin::load::identify::sha256;
use crate::run::load_controller::{ControlCall, ControlRequest, ControlSender, LoadController, SteeredLoad};
use crate::run::remote::StartGate;
use crate::run::signals::Signals;

/// The time before a change of the load at which the load generator learns of it.
const LEAD: Time = 200 * MILLISECOND;

/// The longest wait between two tries to reach NATS.
const CONNECT_EVERY: Duration = Duration::from_secs(2);

/// The request of a process that wants to be a node.
#[derive(Clone, Debug)]
pub(crate) struct NodeRequest {
    /// The connection.
    pub bus: BusArgs,
    /// The run.
    pub run: RunId,
    /// The segment to carry out, from 0; `None` for a free one.
    pub segment: Option<u32>,
    /// The longest wait for the run, a segment and the start.
    pub patience: Duration,
    /// The version that it says it has.
    pub version: String,
}

/// The load as the driver sees it.
struct LoadHandle {
    start: Option<oneshot::Sender<Clock>>,
    control: ControlSender,
    /// The instant at which it began.
    began: Time,
    /// The last change of the load.
    last_change: Option<PendingChange>,
}

/// A change of the load that may not have been carried out yet. Another one from the same instant on takes its place.
struct PendingChange {
    at: Time,
    is_replaced: Arc<AtomicBool>,
}

/// Drives a node to its end.
///
/// # Errors
/// NATS cannot be reached.
pub(super) async fn drive(
    request: NodeRequest,
    shared: NodeShared,
    mut incoming: mpsc::UnboundedReceiver<NodeEvent<FleetCounts>>,
    jobs: std::sync::mpsc::Sender<LoadJob>,
) -> Result<NodeExit, Diagnostic> {
    let clock = Clock::start();
    let mut signals = Signals::listen().map_err(|error| Diagnostic::new("internal::signals", error.to_string()))?;
    let bus = tokio::select! {
        bus = connect(&request, &shared, &clock) => bus?,
        () = signals.next() => return Ok(NodeExit::Interrupted),
    };
    let name = NodeName::of_process(&machine_name(), rand::random());
    forward(&bus, bus.subjects.control(), &shared.events).await?;
    forward(&bus, bus.subjects.to(&name), &shared.events).await?;
    let settings = NodeSettings {
        run: request.run,
        name: name.clone(),
        segment: request.segment,
        version: request.version,
        patience: stampede_time::nanos(request.patience),
    };
    let node = FleetNode::new(settings, FleetCounts::empty(Arc::clone(&shared.shape)));
    let mut driver = NodeDriver { node, bus, name, clock, shared, jobs, load: None, wake: None, commands: Vec::new() };
    driver.step(NodeEvent::Start);
    loop {
        if let Some(exit) = driver.carry_out() {
            driver.bus.flush().await;
            return Ok(exit);
        }
        let wake = driver.wake.map(|at| driver.clock.instant(at));
        let event = tokio::select! {
            Some(event) = incoming.recv() => event,
            () = signals.next() => NodeEvent::Interrupted,
            () = async { match wake { Some(at) => sleep_until(at).await, None => std::future::pending().await } } => {
                driver.wake = None;
                NodeEvent::Timer
            }
        };
        driver.step(event);
    }
}

/// Connects, again and again for as long as the process has patience: the server may come later than the machine.
async fn connect(request: &NodeRequest, shared: &NodeShared, clock: &Clock) -> Result<Bus, Diagnostic> {
    let end = stampede_time::nanos(request.patience);
    loop {
        let events = shared.events.clone();
        let reconnected = move || {
            let _ = events.send(NodeEvent::Reconnected);
        };
        match Bus::connect(&request.bus, request.run.clone(), reconnected).await {
            Ok(bus) => return Ok(bus),
            Err(error) if error.code == "fleet::connection" && clock.now() < end => {
                tokio::time::sleep(CONNECT_EVERY).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Hands all messages of a subject to the node.
async fn forward(bus: &Bus, subject: String, events: &NodeEvents) -> Result<(), Diagnostic> {
    use futures_util::StreamExt;
    let mut messages = bus.subscribe(subject).await?;
    let events = events.clone();
    tokio::spawn(async move {
        while let Some(message) = messages.next().await {
            if events.send(NodeEvent::Message(message.payload.to_vec())).is_err() {
                return;
            }
        }
    });
    Ok(())
}

struct NodeDriver {
    node: FleetNode<FleetCounts>,
    bus: Bus,
    name: NodeName,
    clock: Clock,
    shared: NodeShared,
    jobs: std::sync::mpsc::Sender<LoadJob>,
    load: Option<LoadHandle>,
    wake: Option<Time>,
    commands: Vec<NodeCommand>,
}

impl NodeDriver {
    fn step(&mut self, event: NodeEvent<FleetCounts>) {
        self.node.step(self.clock.now(), event, &mut self.commands);
    }

    /// Carries out all commands. Returns the exit after the last one.
    fn carry_out(&mut self) -> Option<NodeExit> {
        for command in std::mem::take(&mut self.commands) {
            match command {
                NodeCommand::Get(record) => self.get(record),
                NodeCommand::Claim { segment, value } => self.write_lease(segment, None, value),
                NodeCommand::Renew { segment, revision, value } => self.write_lease(segment, Some(revision), value),
                NodeCommand::Release { segment, revision } => {
                    let (bus, key) = (self.bus.clone(), self.bus.subjects.segment_key(segment));
                    tokio::spawn(async move { bus.delete_lease(&key, revision).await });
                }
                NodeCommand::Prepare { plan, segment } => self.prepare(*plan, segment),
                NodeCommand::Publish(channel, payload) => {
                    self.bus.publish(self.bus.subjects.from(channel, &self.name), payload);
                }
                NodeCommand::Store { id, payload } => self.store(id, payload),
                NodeCommand::Load(order) => self.order(order),
                NodeCommand::WakeAt(at) => self.wake = Some(at),
                NodeCommand::Finish(exit) => return Some(exit),
            }
        }
        None
    }

    /// Does something that takes time, and gives the node what comes of it.
    fn answer(&self, answer: impl Future<Output = NodeEvent<FleetCounts>> + Send + 'static) {
        let events = self.shared.events.clone();
        tokio::spawn(async move {
            // The node may have ended by now.
            let _ = events.send(answer.await);
        });
    }

    fn get(&self, record: Record) {
        let bus = self.bus.clone();
        self.answer(async move {
            let fetched = match record {
                Record::Plan => bus.get_record(&bus.subjects.plan_key()).await,
                Record::State => bus.get_record(&bus.subjects.state_key()).await,
                Record::CoordinatorLease => bus.get_lease(&bus.subjects.coordinator_key()).await,
            };
            NodeEvent::Got(record, fetched)
        });
    }

    fn write_lease(&self, segment: u32, revision: Option<u64>, value: Vec<u8>) {
        let (bus, key) = (self.bus.clone(), self.bus.subjects.segment_key(segment));
        self.answer(async move { NodeEvent::Lease(bus.write_lease(&key, revision, value).await) });
    }

    fn store(&self, id: String, payload: Vec<u8>) {
        let (bus, subject) = (self.bus.clone(), self.bus.subjects.from(Channel::Final, &self.name));
        self.answer(async move {
            if bus.store_final(subject, id, payload).await { NodeEvent::Stored } else { NodeEvent::NotStored }
        });
    }

    /// Fetches everything that the load needs, and hands it to the main thread.
    fn prepare(&mut self, plan: FleetPlan, segment: u32) {
        let (ready, is_ready) = oneshot::channel();
        let (start, clock) = oneshot::channel();
        let (control, controller) = LoadController::new();
        self.load = Some(LoadHandle { start: Some(start), control, began: 0, last_change: None });
        let (bus, jobs, shared) = (self.bus.clone(), self.jobs.clone(), self.shared.clone());
        tracing::info!("segment {} of {}: loading", segment + 1, plan.segments);
        self.answer(async move {
            let bundle = match fetch(&bus, &plan).await {
                Ok(bundle) => bundle,
                Err(reason) => return NodeEvent::Unprepared { reason },
            };
            let digest = bundle.digest();
            let job = LoadJob { bundle, plan, segment, gate: StartGate { ready, clock }, controller, shared };
            // Without the main thread the process has ended.
            let _ = jobs.send(job);
            match is_ready.await {
                Ok(()) => NodeEvent::Prepared { digest },
                // The main thread has given the reason, unless the process was told to end.
                Err(_) => NodeEvent::Unprepared { reason: "the load generator has ended".into() },
            }
        });
    }

    fn order(&mut self, order: LoadOrder) {
        let Some(load) = &mut self.load else { return };
        match order {
            LoadOrder::Begin { start, from_second } => {
                load.began = start;
                if from_second > 0 {
                    tracing::error!("the start of the run was learned of {from_second} s too late");
                    load.start = None;
                    return;
                }
                let (clock, sender, instant) =
                    (self.clock.starting_at(start), load.start.take(), self.clock.instant(start));
                tokio::spawn(async move {
                    sleep_until(instant).await;
                    // Without a receiver the load has ended before it began.
                    sender.map(|sender| sender.send(clock))
                });
            }
            LoadOrder::Steer { at, scale_permille, is_paused } => {
                let scale = f64::from(scale_permille) / 1_000.0;
                let from_start = at.saturating_sub(load.began);
                let request = ControlRequest::Steer(SteeredLoad { at: from_start, scale, is_paused });
                let is_replaced = Arc::new(AtomicBool::new(false));
                let change = PendingChange { at, is_replaced: Arc::clone(&is_replaced) };
                if let Some(last) = load.last_change.replace(change).filter(|last| last.at == at) {
                    last.is_replaced.store(true, Ordering::Relaxed);
                }
                self.request_at(at.saturating_sub(LEAD), request, is_replaced);
            }
            LoadOrder::End { at } => {
                let from_start = at.max(self.clock.now()).saturating_sub(load.began);
                self.shared.load_end.fetch_min(from_start, Ordering::Relaxed);
                self.request_at(0, ControlRequest::EndArrivals(from_start), Arc::default());
                self.request_at(at, ControlRequest::Stop, Arc::default());
            }
            LoadOrder::Abort => {
                let from_start = self.clock.now().saturating_sub(load.began);
                self.shared.load_end.fetch_min(from_start, Ordering::Relaxed);
                // The first ends the load, the second what is under way.
                self.request_at(0, ControlRequest::Abort, Arc::default());
                self.request_at(0, ControlRequest::Abort, Arc::default());
            }
        }
    }

    /// Asks the load generator for something at an instant, perhaps a past one, unless it is replaced by then.
    fn request_at(&self, at: Time, request: ControlRequest, is_replaced: Arc<AtomicBool>) {
        let Some(load) = &self.load else { return };
        let (control, instant) = (load.control.clone(), self.clock.instant(at));
        tokio::spawn(async move {
            sleep_until(instant).await;
            if is_replaced.load(Ordering::Relaxed) {
                return;
            }
            let (reply, answer) = oneshot::channel();
            if control.send(ControlCall { request: request.clone(), reply }).await.is_ok()
                && let Ok(Err(reason)) = answer.await
            {
                tracing::debug!("{request:?} was not carried out: {reason}");
            }
        });
    }
}

/// Fetches the objects of a plan, and compares each with its digest in the plan.
async fn fetch(bus: &Bus, plan: &FleetPlan) -> Result<Bundle, String> {
    let mut objects = BTreeMap::new();
    for object in &plan.objects {
        let content = bus.object(object).await?;
        if sha256(&content) != object.sha256 {
            return Err(format!("`{}` is not the one of the plan: its digest differs", object.name));
        }
        objects.insert(object.name.clone(), content);
    }
    if digest(plan.objects.iter().map(|object| (object.name.clone(), object.sha256.clone()))) != plan.digest {
        return Err("the plan has another digest than its objects".into());
    }
    Ok(Bundle::of(objects))
}
