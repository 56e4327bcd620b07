//! One section of a run, from its first user to its last: the worker threads, the channels to them, and the loop of the
//! main thread meanwhile.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use stampede_time::{Clock, Nanos, RunPhase, SECOND};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::load_controller::{ControlCall, ControlRequest, LoadController, Moment};
use super::observer::{LoadUpdate, RunObserver};
use super::outcome::{EndReason, Interrupts, RemoteResult, RunOutcome, SectionOutcome};
use super::remote::{RemoteOrder, RemoteWorkers, SectionRemote, StartGate};
use super::second_feed::{FeedMoment, SecondFeed};
use super::setup::{SectionKind, WorkerMessage, WorkerSetup};
use super::shared::RunShared;
use super::signals::Signals;
use super::worker;
use crate::metrics::aggregate::Snapshot;
use crate::metrics::interval::{Interval, WorkerInterval};
use crate::plan::Plan;
use crate::template::Variables;

/// Runs one section.
pub(super) struct SectionRunner {
    section: SectionKind,
    plan: Arc<Plan>,
    run_shared: Arc<RunShared>,
    threads: Vec<std::thread::JoinHandle<()>>,
    clock_senders: Vec<oneshot::Sender<Clock>>,
    spare_senders: Vec<Sender<Box<Interval>>>,
    messages: mpsc::UnboundedReceiver<WorkerMessage>,
    /// The number of workers, threads or not.
    workers: usize,
    remote: SectionRemote,
    result: Option<oneshot::Receiver<RemoteResult>>,
}

/// The state of a section while it runs.
struct SectionProgress<'o> {
    feed: SecondFeed<'o>,
    outcome: SectionOutcome,
    workers_left: usize,
    /// The second of the run in which the section began.
    first_second: u32,
}

impl SectionRunner {
    /// Starts the workers, whose users begin with these variables. They wait for the clock.
    ///
    /// # Errors
    /// The operating system has no more threads.
    pub(super) fn spawn(
        plan: &Arc<Plan>,
        section: SectionKind,
        workers: usize,
        variables: Variables,
    ) -> Result<Self, String> {
        let (sender, messages) = mpsc::unbounded_channel();
        let mut runner = Self {
            section,
            plan: Arc::clone(plan),
            run_shared: Arc::new(RunShared::new(section.scenarios(plan), section.own_users(plan))),
            threads: Vec::new(),
            clock_senders: Vec::new(),
            spare_senders: Vec::new(),
            messages,
            workers,
            remote: SectionRemote::none(),
            result: None,
        };
        for index in 0..workers {
            let (clock, clock_receiver) = oneshot::channel();
            let (spares, spare_receiver): (_, Receiver<Box<Interval>>) = std::sync::mpsc::channel();
            let setup = WorkerSetup {
                index,
                workers,
                plan: Arc::clone(plan),
                section,
                run_shared: Arc::clone(&runner.run_shared),
                variables: variables.clone(),
                messages: sender.clone(),
                clock: clock_receiver,
                spares: spare_receiver,
            };
            let thread = std::thread::Builder::new().name(format!("worker-{index}")).spawn(|| worker::run(setup));
            runner.threads.push(thread.map_err(|error| format!("cannot start a worker thread: {error}"))?);
            runner.clock_senders.push(clock);
            runner.spare_senders.push(spares);
        }
        Ok(runner)
    }

    /// Lets the load begin when others say so.
    pub(super) fn gated(mut self, gate: StartGate) -> Self {
        self.remote.gate = Some(gate);
        self
    }

    /// Returns a load whose workers are other processes.
    pub(super) fn remote(plan: &Arc<Plan>, remote: RemoteWorkers) -> Self {
        let section = SectionKind::Load;
        let RemoteWorkers { count, messages, gate, orders, result } = remote;
        Self {
            section,
            plan: Arc::clone(plan),
            run_shared: Arc::new(RunShared::new(section.scenarios(plan), section.own_users(plan))),
            threads: Vec::new(),
            clock_senders: Vec::new(),
            spare_senders: Vec::new(),
            messages,
            workers: count,
            remote: SectionRemote::of(gate, orders),
            result: Some(result),
        }
    }

    /// Runs the section to its end and adds its counts to the run's, whose clock is the section's from then on.
    ///
    /// # Errors
    /// A worker could not start; the text is for the user.
    pub(super) async fn run(
        mut self,
        run: &mut RunOutcome,
        interrupts: &mut Interrupts,
        observer: &mut dyn RunObserver,
    ) -> Result<SectionOutcome, String> {
        let Interrupts { signals, control } = interrupts;
        if self.section == SectionKind::Load {
            control.apply_to_load(&self.run_shared.scales);
        }
        let Some(clock) = self.start_clock(signals, run).await? else {
            self.give_up(run);
            return Ok(SectionOutcome::default());
        };
        run.clock = clock;
        run.aggregate.begin_section();
        if !std::mem::replace(&mut run.has_begun, true) {
            observer.begin(clock.wall(0));
        }
        let mut progress = self.progress(run, observer);
        let end = (self.section == SectionKind::Load).then(|| self.plan.end()).flatten();
        let mut next_advance = end.map(|end| clock.instant(end));
        let mut draining_since = None;
        // A little after each second, in case no worker hands it over.
        let mut show_at = clock.instant(SECOND + SECOND / 10);
        while progress.workers_left > 0 {
            let reason = tokio::select! {
                message = self.messages.recv() => {
                    let Some(message) = message else {
                        tracing::error!("a worker thread died; the counts that it still had are not in the report");
                        run.worker_died = true;
                        break;
                    };
                    self.take(message, run, &mut progress)?;
                    None
                }
                () = sleep_until_some(next_advance) => Some(EndReason::Duration),
                () = signals.next() => Some(EndReason::Interrupted),
                call = control.next_call() => {
                    let totals = run.aggregate.snapshot(clock.now());
                    self.handle_call(call, control, totals, &mut progress.feed).then_some(EndReason::Stopped)
                }
                () = sleep_until(show_at) => {
                    show_at += Duration::from_nanos(SECOND);
                    None
                }
            };
            if let Some(reason) = reason {
                draining_since.get_or_insert(clock.now());
                next_advance = self.advance_phase(&mut run.end_reason, reason, &clock);
            }
            while let Ok(message) = self.messages.try_recv() {
                self.take(message, run, &mut progress)?;
            }
            if let Some(reason) = progress.feed.show(run, &self.moment(&clock, control)) {
                draining_since.get_or_insert(clock.now());
                next_advance = self.advance_phase(&mut run.end_reason, reason, &clock);
            }
        }
        self.set_times(run, &clock, draining_since, end);
        let moment = FeedMoment { now: run.elapsed, shown_until: run.elapsed, phase: RunPhase::Stopped, control };
        let SectionProgress { feed, mut outcome, .. } = progress;
        let thresholds = feed.finish(run, &moment);
        if let Some(result) = self.result.take() {
            run.remote = result.await.ok();
        }
        outcome.verdicts = thresholds.map(|watch| watch.finish(&run.aggregate, run.load_end)).unwrap_or_default();
        self.join();
        Ok(outcome)
    }

    /// Returns the state of the section before its first second.
    fn progress<'o>(&self, run: &RunOutcome, observer: &'o mut dyn RunObserver) -> SectionProgress<'o> {
        SectionProgress {
            feed: SecondFeed::new(self.section, &self.plan, self.workers, observer),
            outcome: SectionOutcome { passed: true, ..SectionOutcome::default() },
            workers_left: self.workers,
            first_second: (run.elapsed / SECOND) as u32,
        }
    }

    /// Ends a section whose clock was never started.
    fn give_up(mut self, run: &mut RunOutcome) {
        self.remote.order(RemoteOrder::Abort);
        if !run.end_reason.is_by_person() {
            run.end_reason = EndReason::Stopped;
        }
        // Threads that wait for the clock end without it.
        self.clock_senders.clear();
        self.join();
    }

    /// Notes how long the section took, of which the load's `end` is planned.
    fn set_times(&self, run: &mut RunOutcome, clock: &Clock, draining_since: Option<Nanos>, end: Option<Nanos>) {
        let now = clock.now();
        // Counts of other machines come later than the load that they are of.
        run.elapsed = self.remote.shown_until(now).max(draining_since.unwrap_or(0)).min(now);
        if self.section == SectionKind::Load {
            run.load_end = draining_since.unwrap_or(run.elapsed).min(end.unwrap_or(Nanos::MAX));
        }
    }

    /// Takes a message of a worker.
    ///
    /// # Errors
    /// The worker could not start.
    fn take(
        &mut self,
        message: WorkerMessage,
        run: &mut RunOutcome,
        progress: &mut SectionProgress,
    ) -> Result<(), String> {
        match message {
            WorkerMessage::Ready => {}
            WorkerMessage::Interval(mut from) => {
                self.remote.close(from.second);
                progress.feed.add(&from);
                // Set-up and teardown count in the first and the last second of the load.
                from.second = if self.section == SectionKind::Load { from.second } else { progress.first_second };
                run.aggregate.add(&from);
                self.return_spare(from);
            }
            WorkerMessage::Finished { worker, signed_in, gave_up, passed, variables } => {
                progress.feed.worker_ended(worker);
                run.aggregate.worker_ended(worker);
                progress.workers_left -= 1;
                progress.outcome.add_worker(signed_in, gave_up, passed, variables);
            }
            WorkerMessage::Failed(reason) => return Err(reason),
        }
        Ok(())
    }

    fn moment<'c>(&self, clock: &Clock, control: &'c LoadController) -> FeedMoment<'c> {
        let now = clock.now();
        let shown_until = self.remote.shown_until(now);
        FeedMoment { now, shown_until, phase: self.run_shared.phase.get(), control }
    }

    /// Waits until all workers are ready, then starts the clock, or waits for the one that others start. Returns `None`
    /// if they do not, or a signal ends the wait.
    async fn start_clock(&mut self, signals: &mut Signals, run: &mut RunOutcome) -> Result<Option<Clock>, String> {
        for _ in 0..self.threads.len() {
            match self.messages.recv().await {
                Some(WorkerMessage::Failed(reason)) => return Err(reason),
                Some(_) => {}
                None => return Err("a worker ended before the run began; its message is above".into()),
            }
        }
        let clock = match self.remote.gate.take() {
            None => Clock::start(),
            Some(StartGate { ready, clock }) => {
                // The receiver may be gone by now; then so is the clock's sender.
                let _ = ready.send(());
                tokio::select! {
                    clock = clock => match clock {
                        Ok(clock) => clock,
                        Err(_) => return Ok(None),
                    },
                    () = signals.next() => {
                        run.end_reason = EndReason::Interrupted;
                        return Ok(None);
                    }
                }
            }
        };
        for worker in self.clock_senders.drain(..) {
            // A worker that is gone by now has sent its reason, or the end of its thread is noticed later.
            let _ = worker.send(clock);
        }
        Ok(Some(clock))
    }

    /// Carries out a call, answers it, and shows the observers how the load was changed. Returns `true` if the run is
    /// to end.
    fn handle_call(
        &self,
        call: ControlCall,
        control: &mut LoadController,
        totals: Snapshot,
        feed: &mut SecondFeed,
    ) -> bool {
        let before = control.load();
        if self.remote.orders.is_some() && matches!(call.request, ControlRequest::Scale(_, Some(_))) {
            // The caller may be gone by now.
            let _ = call.reply.send(Err("a fleet changes the load of all scenarios together".into()));
            return false;
        }
        let scales = (self.section == SectionKind::Load).then_some(&self.run_shared.scales);
        // Nothing can be changed in the teardown: the load is over.
        let is_ending = self.run_shared.phase.get() != RunPhase::Running || self.section == SectionKind::Teardown;
        let result = control.apply(&call.request, Moment { now: totals.elapsed, is_ending, scales });
        let ends_run = result == Ok(true);
        // The caller may be gone by now.
        let _ = call.reply.send(result.map(|_| control.status(&totals, is_ending || ends_run)));
        let load = control.load();
        if load != before {
            self.remote.order(RemoteOrder::Load(load.clone()));
            feed.load_changed(&LoadUpdate { totals, load });
        }
        ends_run
    }

    /// Moves the section to its next phase: first draining, then stopped. Returns when to move on again.
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
                self.remote.order(RemoteOrder::End(reason));
                Some(clock.instant(clock.now().saturating_add(grace)))
            }
            RunPhase::Draining | RunPhase::Stopped | RunPhase::Interrupted => {
                if reason == EndReason::Interrupted {
                    *end_reason = reason;
                }
                phase.advance(if end_reason.is_by_person() { RunPhase::Interrupted } else { RunPhase::Stopped });
                if reason.is_by_person() {
                    self.remote.order(RemoteOrder::Abort);
                }
                None
            }
        }
    }

    fn return_spare(&self, from: WorkerInterval) {
        // A worker that has finished needs no spare, and one that is not a thread has none.
        if let Some(spares) = self.spare_senders.get(from.worker) {
            let _ = spares.send(from.interval);
        }
    }

    fn join(self) {
        for thread in self.threads {
            // A panic has printed its message already, and the worker's intervals are in the aggregate.
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
