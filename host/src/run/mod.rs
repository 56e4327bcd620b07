//! The load engine: workers, users, phases, and the one clock.
//!
//! [`execute`] stands on the main thread. It starts a worker per core, gives all of them the same clock, collects what
//! they record once a second, and moves the run's phase forward when the duration is over or the person who runs it
//! says so.

mod alarm;
pub mod clock;
mod groups;
mod health;
pub mod phase;
pub mod shutdown;
mod task;
pub mod timers;
mod virtual_user;
mod watch;
pub mod worker;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::metrics::aggregate::{Aggregate, Snapshot};
use crate::metrics::interval::Interval;
use crate::plan::Plan;
use clock::{Clock, Nanos, nanos};
use phase::{Phase, SharedPhase};
use shutdown::Signals;
use worker::{Message, Setup};

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// The duration was over.
    Duration,
    /// Every user had walked its iterations.
    Iterations,
    /// Every user had walked its iterations, or found no row left in a data set.
    Data,
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// Nobody could sign in.
    NoUserSignedIn,
}

/// What a run leaves behind.
pub struct Run {
    /// Everything that was measured.
    pub aggregate: Aggregate,
    /// The clock it was measured by.
    pub clock: Clock,
    /// From the start to the last user's end.
    pub elapsed: Nanos,
    /// Why it ended.
    pub ended: EndReason,
    /// Users that signed in or had no need to.
    pub walked: u32,
    /// Users that could not sign in.
    pub gave_up: u32,
    /// Whether a worker died, which is a bug.
    pub broken: bool,
}

/// Runs a plan to its end; `show` is called about once a second.
///
/// # Errors
/// A worker could not start; the text is for the user.
pub async fn execute(plan: &Arc<Plan>, mut show: impl FnMut(&Snapshot)) -> Result<Run, String> {
    let mut signals = Signals::listen().map_err(|error| format!("cannot listen for signals: {error}"))?;
    let phase = Arc::new(SharedPhase::default());
    let (mut workers, mut messages) = Workers::spawn(plan, &phase)?;
    let clock = workers.start(&mut messages).await?;
    let mut run = Run {
        aggregate: Aggregate::new(plan.rows.clone(), plan.workers).with_metrics(plan.metrics.clone()),
        clock,
        elapsed: 0,
        ended: EndReason::Iterations,
        walked: 0,
        gave_up: 0,
        broken: false,
    };
    let mut next = plan.workload.duration.map(|duration| clock.instant(nanos(duration)));
    let mut show_at = clock.instant(SHOW + SHOW / 10);
    let mut left = plan.workers;
    while left > 0 {
        tokio::select! {
            message = messages.recv() => match message {
                Some(Message::Interval { worker, second, interval }) => {
                    run.aggregate.add(worker, second, &interval);
                    workers.reuse(worker, interval);
                }
                Some(Message::Finished { walked, gave_up }) => {
                    left -= 1;
                    run.walked += walked;
                    run.gave_up += gave_up;
                }
                Some(Message::Ready) => {}
                Some(Message::Failed(reason)) => return Err(reason),
                None => {
                    tracing::error!("a worker thread died; what it had not handed over is missing from the report");
                    run.broken = true;
                    break;
                }
            },
            () = at(next) => next = forward(plan, &phase, &mut run.ended, EndReason::Duration, &clock),
            () = signals.next() => next = forward(plan, &phase, &mut run.ended, EndReason::Interrupted, &clock),
            () = sleep_until(show_at) => {
                show(&run.aggregate.snapshot(clock.now()));
                show_at += Duration::from_nanos(SHOW);
            }
        }
    }
    run.elapsed = clock.now();
    // Users stop by themselves when the duration is over, and may all be gone before this thread's timer fires.
    if run.ended == EndReason::Iterations
        && plan.workload.duration.is_some_and(|duration| run.elapsed >= nanos(duration))
    {
        run.ended = EndReason::Duration;
    }
    if run.ended == EndReason::Iterations && plan.scripting.data.iter().any(|set| set.users_ended() > 0) {
        run.ended = EndReason::Data;
    }
    if run.walked == 0 && plan.login.is_some() && run.ended != EndReason::Interrupted {
        run.ended = EndReason::NoUserSignedIn;
    }
    workers.join();
    Ok(run)
}

/// How often progress is shown; a little after each second, when the workers have handed it over.
const SHOW: Nanos = 1_000_000_000;

/// Moves the run on: first to draining, then to stopped. Says when to move on again.
fn forward(plan: &Plan, phase: &SharedPhase, ended: &mut EndReason, why: EndReason, clock: &Clock) -> Option<Instant> {
    match phase.get() {
        Phase::Running => {
            *ended = why;
            if why == EndReason::Interrupted {
                let grace = humantime::format_duration(plan.workload.graceful_stop);
                tracing::warn!("stopping: requests in flight get {grace} to finish; interrupt again to stop at once");
            }
            phase.advance(Phase::Draining);
            Some(clock.instant(clock.now().saturating_add(nanos(plan.workload.graceful_stop))))
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

async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => std::future::pending().await,
    }
}

/// The worker threads and the ways to reach them.
struct Workers {
    threads: Vec<std::thread::JoinHandle<()>>,
    clocks: Vec<oneshot::Sender<Clock>>,
    spares: Vec<Sender<Box<Interval>>>,
}

impl Workers {
    fn spawn(plan: &Arc<Plan>, phase: &Arc<SharedPhase>) -> Result<(Self, mpsc::UnboundedReceiver<Message>), String> {
        let (sender, messages) = mpsc::unbounded_channel();
        let mut workers = Self { threads: Vec::new(), clocks: Vec::new(), spares: Vec::new() };
        for index in 0..plan.workers {
            let (clock, clock_receiver) = oneshot::channel();
            let (spares, spare_receiver): (_, Receiver<Box<Interval>>) = std::sync::mpsc::channel();
            let setup = Setup {
                index,
                plan: Arc::clone(plan),
                phase: Arc::clone(phase),
                messages: sender.clone(),
                clock: clock_receiver,
                spares: spare_receiver,
            };
            let thread = std::thread::Builder::new().name(format!("worker-{index}")).spawn(|| worker::run(setup));
            workers.threads.push(thread.map_err(|error| format!("cannot start a worker thread: {error}"))?);
            workers.clocks.push(clock);
            workers.spares.push(spares);
        }
        Ok((workers, messages))
    }

    /// Waits until all are ready, then starts the clock.
    async fn start(&mut self, messages: &mut mpsc::UnboundedReceiver<Message>) -> Result<Clock, String> {
        for _ in 0..self.threads.len() {
            match messages.recv().await {
                Some(Message::Failed(reason)) => return Err(reason),
                Some(_) => {}
                None => return Err("a worker ended without a word; its message is above".into()),
            }
        }
        let clock = Clock::start();
        for worker in self.clocks.drain(..) {
            // A worker that is gone by now has said why, or its thread's end is noticed below.
            let _ = worker.send(clock);
        }
        Ok(clock)
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
