//! One worker: a thread with its own runtime, users, plugin instances, connections and recorder. Almost nothing is
//! shared with the other workers while the run lasts; once a second the worker hands its counts over.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use stampede_time::SECOND;

use super::context::{WorkerContext, instantiate_plugins};
use super::deadline_sweep;
use super::health_monitor::HealthMonitor;
use super::setup::{WorkerMessage, WorkerSetup};
use super::worker_users::WorkerUsers;
use crate::metrics::interval::{Interval, WorkerInterval};
use crate::user::WorkerShared;

/// Runs a worker to its end; the body of its thread.
pub(super) fn run(setup: WorkerSetup) {
    let messages = setup.messages.clone();
    let outcome = instantiate_plugins(&setup.plan).and_then(|context| {
        let _ = messages.send(WorkerMessage::Ready);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build_local(Default::default());
        let runtime = runtime.map_err(|error| error.to_string())?;
        let result = runtime.block_on(run_users(setup, context));
        runtime.shutdown_background();
        result
    });
    if let Err(reason) = outcome {
        let _ = messages.send(WorkerMessage::Failed(reason));
    }
}

/// Runs the users of a worker, from the start of the clock until the last user is gone.
///
/// # Errors
/// The operating system has no more timers.
pub async fn run_users(mut setup: WorkerSetup, context: Rc<WorkerContext>) -> Result<(), String> {
    let Ok(clock) = (&mut setup.clock).await else { return Ok(()) };
    let worker_users =
        WorkerUsers::new(&setup, clock, context).map_err(|error| format!("cannot create a timer: {error}"))?;
    worker_users.spawn_all();
    let WorkerSetup { index, run_shared, messages, spares, .. } = setup;
    let (shared, context) = (Rc::clone(&worker_users.shared), Rc::clone(&worker_users.context));
    let health = HealthMonitor::start(clock.now());
    let mut sender = IntervalSender { index, context, shared, messages, spares, health, second: 0 };
    let mut tick = tokio::time::interval(Duration::from_nanos(deadline_sweep::SWEEP_PERIOD));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut timers = pin!(worker_users.shared.timers.run(clock));
    let mut seen_generation = 0;
    while worker_users.tally.running.get() > 0 {
        tokio::select! {
            never = &mut timers => match never {},
            _ = tick.tick() => {}
            () = worker_users.tally.all_done.notified() => {}
        }
        let now = clock.now();
        sender.health.loop_turned(now);
        worker_users.sweep.sweep(&worker_users.shared, now, run_shared.phase.get());
        let generation = run_shared.scales.generation();
        if std::mem::replace(&mut seen_generation, generation) != generation {
            worker_users.sweep.wake_all();
        }
        if now / SECOND > u64::from(sender.second) {
            sender.send((now / SECOND) as u32);
        }
    }
    worker_users.drop_queued_arrivals();
    sender.send((clock.now() / SECOND) as u32 + 1);
    let _ = sender.messages.send(worker_users.final_message(index));
    Ok(())
}

/// Hands the recorded counts to the main thread.
struct IntervalSender {
    index: usize,
    context: Rc<WorkerContext>,
    shared: Rc<WorkerShared>,
    messages: tokio::sync::mpsc::UnboundedSender<WorkerMessage>,
    spares: std::sync::mpsc::Receiver<Box<Interval>>,
    health: HealthMonitor,
    second: u32,
}

impl IntervalSender {
    /// Sends everything recorded so far, as the interval of the seconds before `second`.
    fn send(&mut self, second: u32) {
        let mut recorder = self.shared.recorder.borrow_mut();
        recorder.set_users_active(self.context.active_users.get());
        let mut interval = recorder.take(self.spares.try_recv().ok());
        interval.health = self.health.take_interval(self.shared.clock.now(), &self.context.plugins);
        interval.health.connections = self.shared.client.connector.open.count();
        let from = WorkerInterval { worker: self.index, second: self.second, interval };
        let _ = self.messages.send(WorkerMessage::Interval(from));
        self.second = second;
    }
}

#[cfg(test)]
mod tests;
