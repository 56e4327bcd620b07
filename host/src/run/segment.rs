//! One part of a run, from its first user to its last: the worker threads, the ways to reach them, and what the main
//! thread does meanwhile.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use stampede_time::{Clock, Nanos, Phase};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::control::{Ask, Control};
use super::outcome::{EndReason, Hands, Outcome, Run};
use super::setup::{Message, Part, Setup};
use super::shared::Common;
use super::threshold_watch::Bench;
use super::worker;
use crate::metrics::aggregate::Snapshot;
use crate::metrics::interval::Interval;
use crate::plan::Plan;
use crate::template::Variables;

/// How often progress is shown; a little after each second, when the workers have handed it over.
const SHOW: Nanos = 1_000_000_000;

/// A part of a run.
pub struct Stage {
    part: Part,
    plan: Arc<Plan>,
    common: Arc<Common>,
    threads: Vec<std::thread::JoinHandle<()>>,
    clocks: Vec<oneshot::Sender<Clock>>,
    spares: Vec<Sender<Box<Interval>>>,
    messages: mpsc::UnboundedReceiver<Message>,
}

impl Stage {
    /// Starts the workers, whose users begin with these variables; they wait for the clock.
    ///
    /// # Errors
    /// The operating system has no more threads.
    pub fn spawn(plan: &Arc<Plan>, part: Part, workers: usize, found: Variables) -> Result<Self, String> {
        let (sender, messages) = mpsc::unbounded_channel();
        let common = Arc::new(Common::new(part.scenarios(plan)));
        let (threads, clocks, spares) = Default::default();
        let mut stage = Self { part, plan: Arc::clone(plan), common, threads, clocks, spares, messages };
        for index in 0..workers {
            let (clock, clock_receiver) = oneshot::channel();
            let (spares, spare_receiver): (_, Receiver<Box<Interval>>) = std::sync::mpsc::channel();
            let setup = Setup {
                index,
                workers,
                plan: Arc::clone(plan),
                part,
                common: Arc::clone(&stage.common),
                found: found.clone(),
                messages: sender.clone(),
                clock: clock_receiver,
                spares: spare_receiver,
            };
            let thread = std::thread::Builder::new().name(format!("worker-{index}")).spawn(|| worker::run(setup));
            stage.threads.push(thread.map_err(|error| format!("cannot start a worker thread: {error}"))?);
            stage.clocks.push(clock);
            stage.spares.push(spares);
        }
        Ok(stage)
    }

    /// Runs it to its end, and adds what is counted to the run's; the run's clock is this part's from now on.
    ///
    /// # Errors
    /// A worker could not start; the text is for the user.
    pub async fn run(
        mut self,
        run: &mut Run,
        hands: &mut Hands,
        show: &mut impl FnMut(&Snapshot, &str),
    ) -> Result<Outcome, String> {
        let Hands { signals, control } = hands;
        if self.part == Part::Load {
            control.begin(&self.common.scales);
        }
        let began = (run.elapsed / SHOW) as u32;
        let clock = self.start().await?;
        run.clock = clock;
        let mut outcome = Outcome { passed: true, ..Outcome::default() };
        let end = (self.part == Part::Load).then(|| self.plan.end()).flatten();
        let mut next = end.map(|end| clock.instant(end));
        let mut bench = (self.part == Part::Load).then(|| Bench::new(&self.plan));
        let mut show_at = clock.instant(SHOW + SHOW / 10);
        let mut left = self.threads.len();
        while left > 0 {
            tokio::select! {
                message = self.messages.recv() => match message {
                    Some(Message::Interval { worker, second, interval }) => {
                        // Set-up and teardown count in the first and the last second of the load.
                        let second = if self.part == Part::Load { second } else { began };
                        run.aggregate.add(worker, second, &interval);
                        let heard = (worker, second, &*interval);
                        let phase = self.common.phase.get();
                        if bench.as_mut().is_some_and(|bench| bench.hear(heard, &run.aggregate, clock.now(), phase)) {
                            next = self.forward(&mut run.ended, EndReason::Threshold, &clock);
                        }
                        self.reuse(worker, interval);
                    }
                    Some(Message::Finished { walked, gave_up, passed, found }) => {
                        left -= 1;
                        outcome.walked += walked;
                        outcome.gave_up += gave_up;
                        outcome.passed &= passed && gave_up == 0;
                        outcome.found = found;
                    }
                    Some(Message::Ready) => {}
                    Some(Message::Failed(reason)) => return Err(reason),
                    None => {
                        tracing::error!("a worker thread died; what it had not handed over is missing from the report");
                        run.broken = true;
                        break;
                    }
                },
                () = at(next) => next = self.forward(&mut run.ended, EndReason::Duration, &clock),
                () = signals.next() => next = self.forward(&mut run.ended, EndReason::Interrupted, &clock),
                ask = control.next() => {
                    let (snapshot, before) = (run.aggregate.snapshot(clock.now()), control.words());
                    if self.answer(ask, control, &snapshot) {
                        next = self.forward(&mut run.ended, EndReason::Stopped, &clock);
                    }
                    if control.words() != before {
                        show(&snapshot, &control.words());
                    }
                }
                () = sleep_until(show_at) => {
                    show(&run.aggregate.snapshot(clock.now()), &control.words());
                    show_at += Duration::from_nanos(SHOW);
                }
            }
        }
        run.elapsed = clock.now();
        outcome.verdicts = bench.map(|bench| bench.finish(&run.aggregate, run.elapsed)).unwrap_or_default();
        self.join();
        Ok(outcome)
    }

    /// Waits until all are ready, then starts the clock.
    async fn start(&mut self) -> Result<Clock, String> {
        for _ in 0..self.threads.len() {
            match self.messages.recv().await {
                Some(Message::Failed(reason)) => return Err(reason),
                Some(_) => {}
                None => return Err("a worker ended without a word; its message is above".into()),
            }
        }
        let clock = Clock::start();
        for worker in self.clocks.drain(..) {
            // A worker that is gone by now has said why, or its thread's end is noticed later.
            let _ = worker.send(clock);
        }
        Ok(clock)
    }

    /// Does what somebody asks for, and tells them how the run stands; true if it is to end.
    fn answer(&self, ask: Ask, control: &mut Control, snapshot: &Snapshot) -> bool {
        let scales = (self.part == Part::Load).then_some(&self.common.scales);
        // Of the teardown nothing can be changed: the load is over.
        let is_ending = self.common.phase.get() != Phase::Running || self.part == Part::Teardown;
        let done = control.take(&ask.request, scales, (snapshot.elapsed, is_ending));
        let stop = done == Ok(true);
        // Who asked may be gone by now.
        let _ = ask.reply.send(done.map(|_| control.status(snapshot, is_ending || stop)));
        stop
    }

    /// Moves the part on: first to draining, then to stopped. Says when to move on again.
    fn forward(&self, ended: &mut EndReason, why: EndReason, clock: &Clock) -> Option<Instant> {
        let phase = &self.common.phase;
        match phase.get() {
            Phase::Running => {
                *ended = why;
                let grace = self.plan.graceful_stop();
                if why == EndReason::Interrupted {
                    let grace = humantime::format_duration(Duration::from_nanos(grace));
                    tracing::warn!(
                        "stopping: requests in flight get {grace} to finish; interrupt again to stop at once"
                    );
                }
                phase.advance(Phase::Draining);
                Some(clock.instant(clock.now().saturating_add(grace)))
            }
            Phase::Draining | Phase::Stopped => {
                if why == EndReason::Interrupted {
                    *ended = why;
                }
                phase.advance(Phase::Stopped);
                None
            }
        }
    }

    fn reuse(&self, worker: usize, interval: Box<Interval>) {
        // A worker that has finished needs no spare.
        let _ = self.spares[worker].send(interval);
    }

    fn join(self) {
        for thread in self.threads {
            // A panic has printed its message already, and what the worker had recorded is in.
            let _ = thread.join();
        }
    }
}

async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => std::future::pending().await,
    }
}
