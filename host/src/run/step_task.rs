//! A task: one run of one step by one user, from the guest's `start` until the guest has passed or failed the task.
//!
//! ```text
//!   start ─▶ pending ─▶ an operation ends ─▶ resume ─▶ pending … ─▶ passed | failed
//!               │ └─▶ timed out | the graceful stop is over | a person ended the run ─▶ cancel
//!               └─▶ the run ends before an operation has begun: what has begun may end, then cancel
//! ```
//!
//! The user's own tokio task polls the operations in flight and tells the guest which one has ended.

use std::cell::{OnceCell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use stampede_time::{Nanos, RunPhase};

use super::context::WorkerContext;
use super::count_checks;
use crate::expression::{LastExchange, MAX_REMEMBERED_BODY, ReplyDetail};
use crate::http::Reply;
use crate::metrics::row_stats::TaskEnd;
use crate::metrics::sample::{FailureKind, Sample};
use crate::net::Measurements;
use crate::plan::Step;
use crate::plugin::Progress;
use crate::plugin::instance::restarting_instance::{InstanceLost, RestartingInstance, TaskHandle};
use crate::template::VariableId;
use crate::user::{
    Completion, Conclusion, CutOffExchange, OperationId, RowShortage, Session, TaskOutcome, TaskSample, sample,
};

/// The wait of a user whose plugin's instance was lost before anything was sent. Replacing an instance costs the whole
/// worker time, and no rate limit slows a step that sends nothing.
const INSTANCE_LOSS_PAUSE: Nanos = 100_000_000;

/// A step, and the user that runs it.
pub(super) struct StepTask<'a> {
    /// The state that the users of the worker share.
    pub context: &'a WorkerContext,
    /// The user.
    pub session: &'a Rc<Session>,
    /// The step.
    pub step: &'a Step,
    /// The plugin's instance that it runs in.
    pub instance: &'a RefCell<RestartingInstance>,
}

/// The outcome of a step, for the steps after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepOutcome {
    /// The step passed.
    Passed,
    /// The step failed.
    Failed,
    /// The run, or its user's time, ended first.
    CutShort,
}

/// The next event of a pending task.
enum TaskEvent {
    Completed(OperationId),
    TimedOut,
    /// The graceful stop is over.
    Stopped,
    /// A person ended the run.
    Interrupted,
}

impl StepTask<'_> {
    /// Runs the task, which begins now, at `start`, to its end.
    pub(super) async fn run(&self, start: Nanos) -> StepOutcome {
        // A step that never waits must not keep the worker to itself.
        tokio::task::consume_budget().await;
        let session = self.session;
        session.task.begin(self.step.start());
        session.begin_trace();
        session.deadline().set(start.saturating_add(self.step.timeout).min(session.window.get().cut_off));
        let task = self.context.take_task_id();
        let end = self.drive(task).await;
        self.context.release_task_id(task);
        session.deadline().set(Nanos::MAX);
        self.conclude(start, &end);
        session.end_trace(start, session.task.sample.verdict(&end));
        self.unset_missing_captures();
        session.drop_operations();
        if matches!(end, TaskOutcome::Lost(_)) && !session.task.any_started.get() {
            session.wait_until(session.shared.clock.now().saturating_add(INSTANCE_LOSS_PAUSE)).await;
        }
        match end {
            TaskOutcome::Passed => StepOutcome::Passed,
            TaskOutcome::Failed | TaskOutcome::TimedOut | TaskOutcome::Lost(_) => StepOutcome::Failed,
            TaskOutcome::Unfinished | TaskOutcome::Cancelled => StepOutcome::CutShort,
        }
    }

    async fn drive(&self, task: u32) -> TaskOutcome {
        if let Some(end) = self.shortage_outcome() {
            return end;
        }
        let (mut progress, handle) = match self.instance.borrow_mut().start(self.session, self.step.plugin_step, task) {
            Ok(started) => started,
            Err(InstanceLost(text)) => return TaskOutcome::Lost(text),
        };
        let mut ready_at_once = false;
        let end = loop {
            match (progress, self.shortage_outcome()) {
                (Progress::Passed | Progress::Failed, Some(end)) => return end,
                (Progress::Pending, Some(end)) => break self.drain().await.or(end),
                _ => {}
            }
            match progress {
                Progress::Passed => return self.check_captures(),
                Progress::Failed => return TaskOutcome::Failed,
                Progress::Pending if self.session.task.operations.in_flight() => {}
                Progress::Pending => {
                    break TaskOutcome::Lost(format!("{} is pending with nothing in flight", self.plugin()));
                }
            }
            match self.next_event(&mut ready_at_once).await {
                TaskEvent::Completed(id) if self.is_not_started(id) => break self.drain().await,
                TaskEvent::Completed(id) => match self.resume(handle, id) {
                    Ok(next) => progress = next,
                    Err(InstanceLost(text)) => return TaskOutcome::Lost(text),
                },
                TaskEvent::TimedOut => break TaskOutcome::TimedOut,
                TaskEvent::Stopped => break self.stopped_outcome(),
                TaskEvent::Interrupted => break TaskOutcome::Cancelled,
            }
        };
        self.instance.borrow_mut().cancel(self.session, handle);
        end
    }

    /// Returns the outcome if a data set had no row for the task: its requests would not be those of the script.
    fn shortage_outcome(&self) -> Option<TaskOutcome> {
        let shortage = self.session.shortage()?;
        if matches!(shortage, RowShortage::Stop(_)) {
            return Some(TaskOutcome::Cancelled);
        }
        self.session.note_failure(FailureKind::Check, || self.session.shared.shortage_text(shortage));
        Some(TaskOutcome::Failed)
    }

    /// Waits for the exchanges that have begun, so that they count, when the task cannot go on because the run or the
    /// user's data is ending.
    async fn drain(&self) -> TaskOutcome {
        let mut at_once = false;
        while self.session.task.operations.in_flight() {
            match self.next_event(&mut at_once).await {
                TaskEvent::Completed(id) => self.open_sample(id),
                TaskEvent::TimedOut => return TaskOutcome::TimedOut,
                TaskEvent::Stopped => return self.stopped_outcome(),
                TaskEvent::Interrupted => return TaskOutcome::Cancelled,
            }
        }
        TaskOutcome::Cancelled
    }

    /// Returns the outcome of a task that the graceful stop did not let finish: it has failed if it waits for the
    /// target, and is cancelled if it only waits for a time.
    fn stopped_outcome(&self) -> TaskOutcome {
        if self.session.task.operations.waits_for_target() { TaskOutcome::Unfinished } else { TaskOutcome::Cancelled }
    }

    /// Waits for the next event. After an event that came without a wait, the other users of the worker go first: a
    /// guest whose operations end as soon as it submits them must neither keep the worker to itself nor escape its
    /// deadline.
    async fn next_event(&self, at_once: &mut bool) -> TaskEvent {
        if *at_once {
            tokio::task::yield_now().await;
            if let Some(over) = self.stop_event() {
                return over;
            }
        }
        let mut polls = 0_u32;
        let event = poll_fn(|cx| {
            polls = polls.saturating_add(1);
            match self.session.task.operations.poll_completion(cx) {
                Poll::Ready(id) => Poll::Ready(TaskEvent::Completed(id)),
                Poll::Pending => self.stop_event().map_or(Poll::Pending, Poll::Ready),
            }
        })
        .await;
        *at_once = polls == 1;
        event
    }

    /// Returns the event that ends the task, if the run was stopped or the time is up.
    fn stop_event(&self) -> Option<TaskEvent> {
        let shared = &self.session.shared;
        match shared.phase.get() {
            RunPhase::Interrupted => return Some(TaskEvent::Interrupted),
            RunPhase::Stopped => return Some(TaskEvent::Stopped),
            _ if self.session.window.get().cut_off <= shared.last_sweep.get() => return Some(TaskEvent::Stopped),
            _ => {}
        }
        (self.session.deadline().get() <= shared.last_sweep.get()).then_some(TaskEvent::TimedOut)
    }

    fn is_not_started(&self, id: OperationId) -> bool {
        self.session
            .task
            .operations
            .with_completion(id, |ended| matches!(ended, Completion::NotStarted))
            .unwrap_or(false)
    }

    /// Tells the guest that an operation has ended. The sample of an exchange is open from here on.
    fn resume(&self, begun: TaskHandle, id: OperationId) -> Result<Progress, InstanceLost> {
        self.open_sample(id);
        self.take_captures(id);
        self.instance.borrow_mut().resume(self.session, begun, id)
    }

    /// Opens the sample of an exchange that has ended, with the failure that the host knows of.
    fn open_sample(&self, id: OperationId) {
        self.session.task.operations.with_completion(id, |ended| {
            let timed = match ended {
                Completion::Exchange(timed) => timed,
                Completion::Connected(Err(failure))
                | Completion::Upgraded(Err(failure))
                | Completion::Written(Err(failure))
                | Completion::Secured(Err(failure))
                | Completion::Read(Err(failure)) => {
                    *self.session.task.sockets.failure.borrow_mut() = Some(failure.clone());
                    return;
                }
                _ => return,
            };
            let sample = timed.to_sample(self.step.row);
            self.session.task.sample.set_status(sample.status);
            self.session.open_sample(sample);
            self.session.task.judged.set(id);
            if self.step.reply_detail != ReplyDetail::Nothing {
                self.remember_reply(&sample, timed.result.as_ref().ok());
            }
            count_checks::count(self.step, self.session, &sample, timed.result.as_ref().ok());
            if let (Some(kind), Err(failure)) = (sample.failure, &timed.result) {
                self.session.task.sample.note_failure(kind);
                self.session.record_example(sample.row, kind, || failure.detail.to_string());
            }
        });
    }

    /// Keeps the parts of a reply that conditions read.
    fn remember_reply(&self, sample: &Sample, reply: Option<&Reply>) {
        let mut last = self.session.last_exchange.borrow_mut();
        let last = last.get_or_insert_with(|| Box::new(LastExchange::empty()));
        (last.status, last.size) = (sample.status, sample.body_bytes_in);
        last.latency = sample.response_time() as f64 / 1e6;
        let content = reply.map(|reply| &reply.body).filter(|body| body.len() <= MAX_REMEMBERED_BODY);
        last.body = content.filter(|_| self.step.reply_detail == ReplyDetail::Content).cloned().unwrap_or_default();
        last.json = OnceCell::new();
        if self.step.reply_detail >= ReplyDetail::Headers {
            last.headers.clear();
            if let Some(reply) = reply {
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                let fields = reply.headers.fields().map(|(name, value)| (text(name).to_ascii_lowercase(), text(value)));
                last.headers.extend(fields);
            }
        }
    }

    fn take_captures(&self, id: OperationId) {
        if self.step.captures.is_empty() {
            return;
        }
        self.session.task.operations.with_completion(id, |ended| {
            let Completion::Exchange(timed) = ended else { return };
            let Ok(reply) = &timed.result else { return };
            *self.session.task.codings_left.borrow_mut() = reply.codings_left();
            for capture in &self.step.captures {
                if let Some(value) = capture.extract(reply, &self.session.http.cookies) {
                    self.session.set_variable(capture.variable, &value);
                    if self.session.shows_all() {
                        self.session.note_capture(self.variable_name(capture.variable), &value);
                    }
                    self.session.task.captured.borrow_mut().push(capture.variable);
                }
            }
        });
    }

    /// Returns the outcome of a task that the guest has passed: it fails if a capture is missing.
    fn check_captures(&self) -> TaskOutcome {
        let captured = self.session.task.captured.borrow();
        let missing = self.step.captures.iter().find(|capture| !captured.contains(&capture.variable));
        match missing {
            None => TaskOutcome::Passed,
            Some(missing) => {
                self.session.note_failure(FailureKind::Check, || {
                    missing.missing_message(self.session.task.codings_left.borrow().as_deref())
                });
                TaskOutcome::Failed
            }
        }
    }

    /// Removes the values of variables that the task should have captured and did not: a later step must not take an
    /// earlier reply's value for this one's.
    fn unset_missing_captures(&self) {
        let captured = self.session.task.captured.borrow();
        let missing = self.step.captures.iter().filter(|capture| !captured.contains(&capture.variable));
        missing.for_each(|capture| self.session.unset_variable(capture.variable));
    }

    /// Counts the task and records what is not recorded yet: the exchanges that were cut off with it, the open sample,
    /// and the task itself for what it did on its sockets, or if it failed without an exchange. A task that only waited
    /// or computed has no sample: its time would be taken for the target's.
    fn conclude(&self, start: Nanos, outcome: &TaskOutcome) {
        let (session, task) = (self.session, &self.session.task);
        if matches!(outcome, TaskOutcome::Cancelled) && !task.any_started.get() {
            return;
        }
        if matches!(outcome, TaskOutcome::Failed)
            && let Some(failure) = task.sockets.failure.take()
            && task.sample.note_failure(failure.kind)
        {
            session.record_example(self.step.row, failure.kind, || failure.detail.into());
        }
        let mut cut_off = task.operations.cut_off_exchanges();
        if !cut_off.is_empty() {
            // The last exchange has no reply: a condition must not take an earlier one's for it.
            session.last_exchange.take();
        }
        cut_off.iter_mut().for_each(|exchange| exchange.measured.end = Some(session.shared.clock.now()));
        if outcome.is_failure() {
            cut_off.iter().for_each(|exchange| {
                count_checks::count(self.step, session, &sample(self.step.row, &exchange.measured, None), None);
            });
        }
        let conclusion = task.sample.conclude(outcome, cut_off.len(), task.sockets.has_begun());
        let Conclusion { cut_off: cut_off_failure, blame, task_sample } = conclusion;
        if let Some(kind) = cut_off_failure {
            self.record_cut_off(&cut_off, kind, outcome);
        }
        if let Some(kind) = blame {
            let sockets = task.sockets.has_begun().then(|| task.sockets.meter.read().socket_progress());
            session.note_failure(kind, || self.outcome_text(outcome, sockets.as_deref()));
        }
        session.close_sample();
        if let Some(TaskSample { failure }) = task_sample {
            self.record_task_sample(start, failure);
        }
        self.count_task(start, outcome);
    }

    /// Returns the reason that an example shows for exchanges that the end of a task cut off, or for the failed task.
    /// `progress` is how far it had come, if it waited for the target.
    fn outcome_text(&self, outcome: &TaskOutcome, progress: Option<&str>) -> String {
        let progress = progress.map(|progress| format!(": {progress}")).unwrap_or_default();
        match outcome {
            TaskOutcome::Passed => "the action ended first".into(),
            TaskOutcome::Unfinished => format!("not done by the end of the graceful stop{progress}"),
            TaskOutcome::Cancelled => "the run ended first".into(),
            TaskOutcome::Failed => format!("{} failed its task without a reason", self.plugin()),
            TaskOutcome::TimedOut => {
                let timeout = humantime::format_duration(Duration::from_nanos(self.step.timeout));
                format!("not done within {timeout}{progress}")
            }
            TaskOutcome::Lost(text) => text.clone(),
        }
    }

    /// Records the task itself, with the measurements of its sockets if it used any.
    fn record_task_sample(&self, start: Nanos, failure: Option<FailureKind>) {
        let task = &self.session.task;
        let mut measurements = Measurements { start, ..Measurements::default() };
        if task.sockets.has_begun() {
            measurements = *task.sockets.meter.read();
        }
        measurements.end = Some(self.session.shared.clock.now());
        self.session.record(&sample(self.step.row, &measurements, failure));
    }

    /// Records the exchanges that were cut off, with an example of their failure.
    fn record_cut_off(&self, cut_off: &[CutOffExchange], kind: FailureKind, outcome: &TaskOutcome) {
        for CutOffExchange { measured, request } in cut_off {
            let reason = || self.outcome_text(outcome, Some(&measured.progress()));
            let sample = sample(self.step.row, measured, Some(kind));
            self.session.record_other_example(sample.row, kind, reason);
            self.session.end_attempt(measured);
            self.session.show_cut_off(&sample, request.as_ref(), reason);
            self.session.record(&sample);
        }
    }

    /// Returns the name of a variable.
    fn variable_name(&self, variable: VariableId) -> &str {
        self.context.plan.variables.name(variable)
    }

    fn count_task(&self, start: Nanos, end: &TaskOutcome) {
        let mut recorder = self.session.shared.recorder.borrow_mut();
        if !recorder.is_counted(start) {
            return;
        }
        recorder.task_started(self.step.row);
        let task_end = match end {
            TaskOutcome::Passed => TaskEnd::Passed,
            TaskOutcome::Cancelled => TaskEnd::Cancelled,
            TaskOutcome::Failed | TaskOutcome::TimedOut | TaskOutcome::Unfinished | TaskOutcome::Lost(_) => {
                TaskEnd::Failed
            }
        };
        recorder.task_ended(self.step.row, task_end);
    }

    /// Returns the plugin of the step as messages name it.
    fn plugin(&self) -> String {
        format!("plugin `{}`", self.context.plan.runtime.plugins[self.step.plugin].policy.name)
    }
}
