//! One part of a run, from its first user to its last: the worker threads, the ways to reach them, and what the main
//! thread does meanwhile.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use stampede_time::{Clock, Nanos, RunPhase};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::load_controller::{ControlCall, LoadController};
use super::outcome::{EndReason, Interrupts, RunOutcome, SegmentOutcome};
use super::setup::{SegmentKind, WorkerMessage, WorkerSetup};
use super::shared::RunShared;
use super::threshold_watch::ThresholdWatch;
use super::worker;
use crate::metrics::aggregate::Snapshot;
use crate::metrics::interval::Interval;
use crate::plan::Plan;
use crate::template::Variables;

/// How often progress is shown; a little after each second, when the workers have handed it over.
const PROGRESS_PERIOD: Nanos = 1_000_000_000;

/// A part of a run.
pub struct SegmentRunner {
    segment: SegmentKind,
    plan: Arc<Plan>,
    run_shared: Arc<RunShared>,
    threads: Vec<std::thread::JoinHandle<()>>,
    clock_senders: Vec<oneshot::Sender<Clock>>,
    spare_senders: Vec<Sender<Box<Interval>>>,
    messages: mpsc::UnboundedReceiver<WorkerMessage>,
}

impl SegmentRunner {
    /// Starts the workers, whose users begin with these variables; they wait for the clock.
    ///
    /// # Errors
    /// The operating system has no more threads.
    pub fn spawn(plan: &Arc<Plan>, part: SegmentKind, workers: usize, variables: Variables) -> Result<Self, String> {
        let (sender, messages) = mpsc::unbounded_channel();
        let common = Arc::new(RunShared::new(part.scenarios(plan)));
        let (threads, clocks, spares) = Default::default();
        let mut stage = Self {
            segment: part,
            plan: Arc::clone(plan),
            run_shared: common,
            threads,
            clock_senders: clocks,
            spare_senders: spares,
            messages,
        };
        for index in 0..workers {
            let (clock, clock_receiver) = oneshot::channel();
            let (spares, spare_receiver): (_, Receiver<Box<Interval>>) = std::sync::mpsc::channel();
            let setup = WorkerSetup {
                index,
                workers,
                plan: Arc::clone(plan),
                segment: part,
                run_shared: Arc::clone(&stage.run_shared),
                variables: variables.clone(),
                messages: sender.clone(),
                clock: clock_receiver,
                spares: spare_receiver,
            };
            let thread = std::thread::Builder::new().name(format!("worker-{index}")).spawn(|| worker::run(setup));
            stage.threads.push(thread.map_err(|error| format!("cannot start a worker thread: {error}"))?);
            stage.clock_senders.push(clock);
            stage.spare_senders.push(spares);
        }
        Ok(stage)
    }

    /// Runs it to its end, and adds what is counted to the run's; the run's clock is this part's from now on.
    ///
    /// # Errors
    /// A worker could not start; the text is for the user.
    pub async fn run(
        mut self,
        run: &mut RunOutcome,
        interrupts: &mut Interrupts,
        show: &mut impl FnMut(&Snapshot, &str),
    ) -> Result<SegmentOutcome, String> {
        let Interrupts { signals, control } = interrupts;
        if self.segment == SegmentKind::Load {
            control.apply_to_load(&self.run_shared.scales);
        }
        let first_second = (run.elapsed / PROGRESS_PERIOD) as u32;
        let clock = self.start_clock().await?;
        run.clock = clock;
        let mut outcome = SegmentOutcome { passed: true, ..SegmentOutcome::default() };
        let end = (self.segment == SegmentKind::Load).then(|| self.plan.end()).flatten();
        let mut next_advance = end.map(|end| clock.instant(end));
        let mut thresholds = (self.segment == SegmentKind::Load).then(|| ThresholdWatch::new(&self.plan));
        let mut show_at = clock.instant(PROGRESS_PERIOD + PROGRESS_PERIOD / 10);
        let mut workers_left = self.threads.len();
        while workers_left > 0 {
            tokio::select! {
                message = self.messages.recv() => match message {
                    Some(WorkerMessage::Interval { worker, second, interval }) => {
                        // Set-up and teardown count in the first and the last second of the load.
                        let second = if self.segment == SegmentKind::Load { second } else { first_second };
                        run.aggregate.add(worker, second, &interval);
                        let worker_interval = (worker, second, &*interval);
                        let phase = self.run_shared.phase.get();
                        if thresholds.as_mut().is_some_and(|bench| bench.observe(worker_interval, &run.aggregate, clock.now(), phase)) {
                            next_advance = self.advance_phase(&mut run.end_reason, EndReason::Threshold, &clock);
                        }
                        self.return_spare(worker, interval);
                    }
                    Some(WorkerMessage::Finished { signed_in, gave_up, passed, variables }) => {
                        workers_left -= 1;
                        outcome.signed_in += signed_in;
                        outcome.gave_up += gave_up;
                        outcome.passed &= passed && gave_up == 0;
                        outcome.variables = variables;
                    }
                    Some(WorkerMessage::Ready) => {}
                    Some(WorkerMessage::Failed(reason)) => return Err(reason),
                    None => {
                        tracing::error!("a worker thread died; what it had not handed over is missing from the report");
                        run.worker_died = true;
                        break;
                    }
                },
                () = sleep_until_some(next_advance) => next_advance = self.advance_phase(&mut run.end_reason, EndReason::Duration, &clock),
                () = signals.next() => next_advance = self.advance_phase(&mut run.end_reason, EndReason::Interrupted, &clock),
                ask = control.next_call() => {
                    let (snapshot, before) = (run.aggregate.snapshot(clock.now()), control.summary());
                    if self.handle_call(ask, control, &snapshot) {
                        next_advance = self.advance_phase(&mut run.end_reason, EndReason::Stopped, &clock);
                    }
                    if control.summary() != before {
                        show(&snapshot, &control.summary());
                    }
                }
                () = sleep_until(show_at) => {
                    show(&run.aggregate.snapshot(clock.now()), &control.summary());
                    show_at += Duration::from_nanos(PROGRESS_PERIOD);
                }
            }
        }
        run.elapsed = clock.now();
        outcome.verdicts = thresholds.map(|bench| bench.finish(&run.aggregate, run.elapsed)).unwrap_or_default();
        self.join();
        Ok(outcome)
    }

    /// Waits until all are ready, then starts the clock.
    async fn start_clock(&mut self) -> Result<Clock, String> {
        for _ in 0..self.threads.len() {
            match self.messages.recv().await {
                Some(WorkerMessage::Failed(reason)) => return Err(reason),
                Some(_) => {}
                None => return Err("a worker ended without a word; its message is above".into()),
            }
        }
        let clock = Clock::start();
        for worker in self.clock_senders.drain(..) {
            // A worker that is gone by now has said why, or its thread's end is noticed later.
            let _ = worker.send(clock);
        }
        Ok(clock)
    }

    /// Does what somebody asks for, and tells them how the run stands; true if it is to end.
    fn handle_call(&self, ask: ControlCall, control: &mut LoadController, snapshot: &Snapshot) -> bool {
        let scales = (self.segment == SegmentKind::Load).then_some(&self.run_shared.scales);
        // Of the teardown nothing can be changed: the load is over.
        let is_ending = self.run_shared.phase.get() != RunPhase::Running || self.segment == SegmentKind::Teardown;
        let done = control.apply(&ask.request, scales, (snapshot.elapsed, is_ending));
        let stop = done == Ok(true);
        // Who asked may be gone by now.
        let _ = ask.reply.send(done.map(|_| control.status(snapshot, is_ending || stop)));
        stop
    }

    /// Moves the part on: first to draining, then to stopped. Says when to move on again.
    fn advance_phase(&self, end_reason: &mut EndReason, reason: EndReason, clock: &Clock) -> Option<Instant> {
        let phase = &self.run_shared.phase;
        match phase.get() {
            RunPhase::Running => {
                *end_reason = reason;
                let grace = self.plan.graceful_stop();
                if reason == EndReason::Interrupted {
                    let grace = humantime::format_duration(Duration::from_nanos(grace));
                    tracing::warn!(
                        "stopping: requests in flight get {grace} to finish; interrupt again to stop at once"
                    );
                }
                phase.advance(RunPhase::Draining);
                Some(clock.instant(clock.now().saturating_add(grace)))
            }
            RunPhase::Draining | RunPhase::Stopped => {
                if reason == EndReason::Interrupted {
                    *end_reason = reason;
                }
                phase.advance(RunPhase::Stopped);
                None
            }
        }
    }

    fn return_spare(&self, worker: usize, interval: Box<Interval>) {
        // A worker that has finished needs no spare.
        let _ = self.spare_senders[worker].send(interval);
    }

    fn join(self) {
        for thread in self.threads {
            // A panic has printed its message already, and what the worker had recorded is in.
            let _ = thread.join();
        }
    }
}

async fn sleep_until_some(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => std::future::pending().await,
    }
}
