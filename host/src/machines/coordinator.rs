//! The driver of a coordinator: it carries out what the state machine of the protocol says, over NATS, on a thread of
//! its own. The main thread meanwhile runs a plan whose workers are the segments (`run::remote`): each closed second
//! becomes their intervals, and what the run decides goes out as orders.

use std::sync::Arc;

use stampede_fleet::{
    Ask, Channel, Coordinator, CoordinatorCommand, CoordinatorEvent, CoordinatorExit, FleetNote, FleetPlan,
    FleetReport, MAX_MESSAGE, NodeName, OperatorAnswer, OperatorRequest, SECOND, StopCause, Time, Window, WindowPart,
    read_message, write_message,
};
use stampede_time::Clock;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep_until;

use super::bus::Bus;
use super::counts::{FleetCounts, SharedShape, SignIns};
use super::notes::{self, doubt};
use super::schedule::PlanSchedule;
use crate::diagnostic::Diagnostic;
use crate::metrics::interval::WorkerInterval;
use crate::run::load_controller::{ControlCall, ControlRequest, ControlSender, LoadState};
use crate::run::remote::RemoteOrder;
use crate::run::{EndReason, RemoteResult, WorkerMessage};
use crate::template::Variables;

/// The time between two looks for final counts.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(250);

/// The machine's time when the process begins. A run that is carried on has started before that, and times are not
/// negative.
const EPOCH: Time = 40 * 24 * 3_600 * SECOND;

/// Everything that a coordinator is made from.
pub(super) struct CoordinatorSetup {
    pub(super) bus: Bus,
    pub(super) plan: FleetPlan,
    pub(super) schedule: PlanSchedule,
    pub(super) shape: SharedShape,
    /// The ends of the run's channels.
    pub(super) ends: RunEnds,
    /// Events of the connection, and the way to send more.
    pub(super) events: mpsc::UnboundedSender<CoordinatorEvent>,
    pub(super) incoming: mpsc::UnboundedReceiver<CoordinatorEvent>,
    /// `true` to print no more than warnings.
    pub(super) is_quiet: bool,
}

/// The coordinator's ends of the channels to the run on the main thread.
pub(super) struct RunEnds {
    pub(super) messages: mpsc::UnboundedSender<WorkerMessage>,
    pub(super) start: oneshot::Sender<Clock>,
    pub(super) orders: mpsc::UnboundedReceiver<RemoteOrder>,
    pub(super) result: oneshot::Sender<RemoteResult>,
    pub(super) control: ControlSender,
}

/// Drives a coordinator to its end. Returns its report, `None` if the run was given up by a person.
///
/// # Errors
/// Another coordinator is at work, or has reported the run.
pub(super) async fn lead(setup: CoordinatorSetup) -> Result<Option<FleetReport>, Diagnostic> {
    let CoordinatorSetup { bus, plan, schedule, shape, ends, events, mut incoming, is_quiet } = setup;
    let RunEnds { messages, start, mut orders, result, control } = ends;
    let name = NodeName::of_process("coordinator", rand::random());
    let segments = plan.segments;
    let machine = Coordinator::new(plan, name.clone(), schedule, FleetCounts::empty(shape));
    let mut driver = CoordinatorDriver {
        machine,
        name,
        bus,
        clock: Clock::start(),
        events,
        messages,
        start: Some(start),
        result: Some(result),
        control,
        sign_ins: vec![SignIns::default(); segments as usize],
        told: ToldLoad::default(),
        stopped_by_run: false,
        report: None,
        wake: None,
        commands: Vec::new(),
        is_quiet,
    };
    driver.step(CoordinatorEvent::Start);
    loop {
        if let Some(exit) = driver.carry_out() {
            driver.bus.flush().await;
            return driver.end(exit);
        }
        let wake = driver.wake.map(|at| driver.clock.instant(at.saturating_sub(EPOCH)));
        tokio::select! {
            Some(event) = incoming.recv() => driver.take(event),
            Some(order) = orders.recv() => {
                if driver.order(order) {
                    driver.carry_out();
                    driver.bus.flush().await;
                    return Ok(None);
                }
            }
            () = async { match wake { Some(at) => sleep_until(at).await, None => std::future::pending().await } } => {
                driver.wake = None;
                driver.step(CoordinatorEvent::Timer);
            }
        }
    }
}

/// The load that the machine was told, and the run knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ToldLoad {
    permille: u32,
    is_paused: bool,
}

impl Default for ToldLoad {
    fn default() -> Self {
        Self { permille: 1_000, is_paused: false }
    }
}

struct CoordinatorDriver {
    machine: Coordinator<FleetCounts, PlanSchedule>,
    name: NodeName,
    bus: Bus,
    clock: Clock,
    events: mpsc::UnboundedSender<CoordinatorEvent>,
    messages: mpsc::UnboundedSender<WorkerMessage>,
    start: Option<oneshot::Sender<Clock>>,
    result: Option<oneshot::Sender<RemoteResult>>,
    control: ControlSender,
    /// The users that signed in, by segment.
    sign_ins: Vec<SignIns>,
    told: ToldLoad,
    /// `true` if the run itself has asked for its end.
    stopped_by_run: bool,
    report: Option<FleetReport>,
    wake: Option<Time>,
    commands: Vec<CoordinatorCommand<FleetCounts>>,
    is_quiet: bool,
}

impl CoordinatorDriver {
    fn step(&mut self, event: CoordinatorEvent) {
        self.machine.step(EPOCH + self.clock.now(), event, &mut self.commands);
        if let Some(at) = self.machine.load_start()
            && let Some(start) = self.start.take()
        {
            let clock = match at.checked_sub(EPOCH) {
                Some(at) => self.clock.starting_at(at),
                None => self.clock.started_before(EPOCH - at),
            };
            let instant = clock.instant(0);
            tokio::spawn(async move {
                sleep_until(instant).await;
                // The run may have been interrupted by now.
                let _ = start.send(clock);
            });
        }
    }

    /// Takes an event, and lets the run know what an operator has changed.
    fn take(&mut self, event: CoordinatorEvent) {
        if matches!(event, CoordinatorEvent::Reconnected) {
            let bus = self.bus.clone();
            tokio::spawn(async move { bus.create_leases().await });
        }
        let is_request = matches!(event, CoordinatorEvent::Message { channel: Channel::Ask, .. });
        self.step(event);
        if is_request && let Some(steering) = self.machine.status().steering {
            let now = ToldLoad { permille: steering.scale_permille, is_paused: steering.is_paused };
            let before = std::mem::replace(&mut self.told, now);
            if now.permille != before.permille {
                self.tell_run(ControlRequest::Scale(f64::from(now.permille) / 1_000.0, None));
            }
            if now.is_paused != before.is_paused {
                self.tell_run(ControlRequest::Pause(now.is_paused));
            }
        }
    }

    fn tell_run(&self, request: ControlRequest) {
        let control = self.control.clone();
        tokio::spawn(async move {
            let (reply, answer) = oneshot::channel();
            // The run may be ending by now.
            if control.send(ControlCall { request, reply }).await.is_ok() {
                let _ = answer.await;
            }
        });
    }

    /// Carries out an order of the run. Returns `true` if nothing more is to be waited for.
    fn order(&mut self, order: RemoteOrder) -> bool {
        match order {
            RemoteOrder::Load(load) => self.steer(&load),
            RemoteOrder::End(EndReason::Duration) => {}
            RemoteOrder::End(EndReason::Threshold) => self.stop(StopCause::Threshold),
            RemoteOrder::End(_) => self.stop(StopCause::Operator),
            // The report is made already.
            RemoteOrder::Abort if self.report.is_some() => {}
            RemoteOrder::Abort => {
                self.stop(StopCause::Operator);
                let doubt = Some("the run was interrupted before all counts had come".to_owned());
                self.conclude(RemoteResult { segments: self.segments(), complete: Vec::new(), doubt });
                return true;
            }
        }
        false
    }

    fn stop(&mut self, cause: StopCause) {
        self.stopped_by_run = true;
        self.step(CoordinatorEvent::Stop(cause));
    }

    /// Asks the machine for another load, as an operator does.
    fn steer(&mut self, load: &LoadState) {
        let scale = load.scales.first().copied().unwrap_or(1.0);
        let wanted = ToldLoad { permille: (scale * 1_000.0).round() as u32, is_paused: load.paused };
        let before = std::mem::replace(&mut self.told, wanted);
        if wanted.permille != before.permille {
            self.ask(OperatorRequest::Scale(wanted.permille));
        }
        if wanted.is_paused != before.is_paused {
            self.ask(if wanted.is_paused { OperatorRequest::Pause } else { OperatorRequest::Resume });
        }
    }

    fn ask(&mut self, request: OperatorRequest) {
        let payload = write_message(&Ask { from: self.name.clone(), request });
        self.step(CoordinatorEvent::Message { channel: Channel::Ask, from: self.name.clone(), payload });
    }

    /// Carries out all commands. Returns the exit after the last one.
    fn carry_out(&mut self) -> Option<CoordinatorExit> {
        for command in std::mem::take(&mut self.commands) {
            match command {
                CoordinatorCommand::ClaimLease { value } => self.write_lease(None, value),
                CoordinatorCommand::RenewLease { revision, value } => self.write_lease(Some(revision), value),
                CoordinatorCommand::ReleaseLease { revision } => {
                    let (bus, key) = (self.bus.clone(), self.bus.subjects.coordinator_key());
                    tokio::spawn(async move { bus.delete_lease(&key, revision).await });
                }
                CoordinatorCommand::GetState => {
                    let bus = self.bus.clone();
                    self.answer(
                        async move { CoordinatorEvent::GotState(bus.get_record(&bus.subjects.state_key()).await) },
                    );
                }
                CoordinatorCommand::PutState { revision, value } => {
                    let (bus, key) = (self.bus.clone(), self.bus.subjects.state_key());
                    self.answer(async move { CoordinatorEvent::StatePut(bus.put_record(&key, revision, value).await) });
                }
                CoordinatorCommand::GetSegmentLease(segment) => {
                    let (bus, key) = (self.bus.clone(), self.bus.subjects.segment_key(segment));
                    self.answer(
                        async move { CoordinatorEvent::SegmentLease { segment, lease: bus.get_lease(&key).await } },
                    );
                }
                CoordinatorCommand::Subscribe => self.subscribe(),
                CoordinatorCommand::Broadcast(payload) => self.bus.publish(self.bus.subjects.control(), payload),
                CoordinatorCommand::Send(to, payload) => self.send(&to, payload),
                CoordinatorCommand::Window(window) => self.window(window),
                CoordinatorCommand::Baseline(part) => self.part(part.second_end.saturating_sub(1), part),
                CoordinatorCommand::Note(note) => self.note(&note),
                CoordinatorCommand::Report(report) => self.reported(*report),
                CoordinatorCommand::WakeAt(at) => self.wake = Some(at),
                CoordinatorCommand::Finish(exit) => return Some(exit),
            }
        }
        None
    }

    /// Does something that takes time, and gives the machine what comes of it.
    fn answer(&self, answer: impl Future<Output = CoordinatorEvent> + Send + 'static) {
        let events = self.events.clone();
        tokio::spawn(async move {
            // The coordinator may have ended by now.
            let _ = events.send(answer.await);
        });
    }

    fn write_lease(&self, revision: Option<u64>, value: Vec<u8>) {
        let (bus, key) = (self.bus.clone(), self.bus.subjects.coordinator_key());
        self.answer(async move { CoordinatorEvent::Lease(bus.write_lease(&key, revision, value).await) });
    }

    fn send(&self, to: &NodeName, payload: Vec<u8>) {
        if *to != self.name {
            return self.bus.publish(self.bus.subjects.to(to), payload);
        }
        if let Ok(OperatorAnswer::Refused(reason)) = read_message(&payload, MAX_MESSAGE) {
            tracing::warn!("the load was not changed: {reason}");
        }
    }

    /// Delivers the messages of all channels.
    fn subscribe(&self) {
        for channel in Channel::ALL.into_iter().filter(|channel| *channel != Channel::Final) {
            tokio::spawn(deliver(self.bus.clone(), channel, self.events.clone()));
        }
        tokio::spawn(deliver_finals(self.bus.clone(), self.events.clone()));
    }

    fn window(&mut self, window: Window<FleetCounts>) {
        let second = window.second;
        window.parts.into_iter().for_each(|part| self.part(second, part));
    }

    /// Hands counts of a segment to the run, as those of a worker.
    fn part(&mut self, second: u32, part: WindowPart<FleetCounts>) {
        let sign_ins = part.counts.sign_ins();
        if let Some(sum) = self.sign_ins.get_mut(part.segment as usize) {
            sum.signed_in = sum.signed_in.saturating_add(sign_ins.signed_in);
            sum.gave_up = sum.gave_up.saturating_add(sign_ins.gave_up);
        }
        if !part.counts.has_interval() {
            return;
        }
        let interval = part.counts.into_interval();
        let from = WorkerInterval { worker: part.segment as usize, second, interval };
        // The run may have been interrupted by now.
        let _ = self.messages.send(WorkerMessage::Interval(from));
    }

    fn note(&mut self, note: &FleetNote) {
        notes::print(note, self.is_quiet);
        if let FleetNote::Stopping(_) = note
            && !self.stopped_by_run
        {
            self.tell_run(ControlRequest::Stop);
        }
    }

    fn segments(&self) -> u32 {
        self.sign_ins.len() as u32
    }

    /// Ends the run: all windows are with it.
    fn reported(&mut self, report: FleetReport) {
        let is_complete = |segment: &stampede_fleet::SegmentReport| {
            let is_sound = segment.shares.iter().all(|share| share.difference.is_none());
            !segment.is_lost && !segment.shares.is_empty() && is_sound
        };
        let complete = report.segments.iter().filter(|segment| is_complete(segment));
        let complete = complete.map(|segment| segment.segment + 1).collect();
        self.conclude(RemoteResult { segments: self.segments(), complete, doubt: doubt(&report) });
        if !report.has_started {
            // There is no load: the run does not wait for its start.
            self.start = None;
        }
        self.report = Some(report);
    }

    fn conclude(&mut self, result: RemoteResult) {
        let Some(sender) = self.result.take() else { return };
        for (worker, sign_ins) in self.sign_ins.iter().enumerate() {
            let SignIns { signed_in, gave_up } = *sign_ins;
            let variables = Variables::default();
            let message = WorkerMessage::Finished { worker, signed_in, gave_up, passed: gave_up == 0, variables };
            // The run may have been interrupted by now.
            let _ = self.messages.send(message);
        }
        let _ = sender.send(result);
    }

    fn end(self, exit: CoordinatorExit) -> Result<Option<FleetReport>, Diagnostic> {
        let wrong = |message: &str, help: &str| Err(Diagnostic::new("fleet::coordinator", message).help(help));
        match exit {
            CoordinatorExit::Reported => Ok(self.report),
            CoordinatorExit::Superseded => wrong("another coordinator has taken the run over", "its report counts"),
            CoordinatorExit::Occupied => wrong("another coordinator leads the run", "give this run another `--run`"),
            CoordinatorExit::AlreadyFinished => wrong("the run is over already", "give this run another `--run`"),
            CoordinatorExit::UnreadableState => {
                wrong("the state of the run is damaged, or of another version", "give this run another `--run`")
            }
        }
    }
}

/// Delivers the messages of a channel. The last token of a subject is the sender.
async fn deliver(bus: Bus, channel: Channel, events: mpsc::UnboundedSender<CoordinatorEvent>) {
    use futures_util::StreamExt;
    let Ok(mut messages) = bus.subscribe(bus.subjects.all(channel)).await else { return };
    while let Some(message) = messages.next().await {
        let Some(from) = sender_of(&message.subject) else { continue };
        let event = CoordinatorEvent::Message { channel, from, payload: message.payload.to_vec() };
        if events.send(event).is_err() {
            return;
        }
    }
}

/// Delivers the messages of the stream of final counts, from its beginning.
async fn deliver_finals(bus: Bus, events: mpsc::UnboundedSender<CoordinatorEvent>) {
    let pattern = bus.subjects.all(Channel::Final);
    let mut place = 1;
    while !events.is_closed() {
        match bus.final_after(&pattern, place).await {
            Ok(Some(message)) => {
                place = message.place + 1;
                let Some(from) = sender_of(&message.subject) else { continue };
                let payload = message.payload;
                if events.send(CoordinatorEvent::Message { channel: Channel::Final, from, payload }).is_err() {
                    return;
                }
            }
            Ok(None) | Err(()) => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

fn sender_of(subject: &str) -> Option<NodeName> {
    NodeName::new(subject.rsplit('.').next()?).ok()
}

/// Returns a shape that is known.
pub(super) fn known_shape(shape: crate::metrics::wire::IntervalShape) -> SharedShape {
    Arc::new(std::sync::OnceLock::from(shape))
}
