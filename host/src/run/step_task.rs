//! One task: one run of one step by one user, from the guest's `start` to its last word.
//!
//! ```text
//!   start ─▶ pending ─▶ an operation ends ─▶ resume ─▶ pending … ─▶ passed | failed
//!               │ └─▶ timed out | the run is stopped ─▶ cancel
//!               └─▶ the run ends before an operation has begun: what has begun may end, then cancel
//! ```
//!
//! The user's own tokio task polls whatever is in flight and tells the guest what has ended.

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
use crate::user::{Completion, OperationId, RowShortage, Session, sample};

/// How long a user waits after its plugin was lost before anything was sent: replacing the instance costs the whole
/// worker time, and no rate limit holds a step back that sends nothing.
const INSTANCE_LOSS_PAUSE: Nanos = 100_000_000;

/// A step and the user who runs it.
pub struct StepTask<'a> {
    /// What the users of the worker share.
    pub context: &'a WorkerContext,
    /// The user.
    pub session: &'a Rc<Session>,
    /// The step.
    pub step: &'a Step,
    /// The plugin's instance that it runs in.
    pub instance: &'a RefCell<RestartingInstance>,
}

/// How a step went, for what comes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// As it should.
    Passed,
    /// Not so.
    Failed,
    /// The run, or its user's time, ended first.
    CutShort,
}

/// How a task ended.
enum TaskOutcome {
    Passed,
    Failed,
    TimedOut,
    Cancelled,
    Lost(InstanceLost),
}

impl TaskOutcome {
    /// This end if it says more than that the task could not go on, or else the other.
    fn or(self, other: Self) -> Self {
        if matches!(self, Self::Cancelled) { other } else { self }
    }
}

/// What happens to a pending task next.
enum TaskEvent {
    Completed(OperationId),
    TimedOut,
    Stopped,
}

impl StepTask<'_> {
    /// Runs the task, which begins now, at `start`, to its end.
    pub async fn run(&self, start: Nanos) -> StepOutcome {
        // A step that never waits must not keep the worker to itself.
        tokio::task::consume_budget().await;
        let session = self.session;
        session.task.begin(self.step.row, self.step.needs_body);
        session.deadline().set(start.saturating_add(self.step.timeout).min(session.window.get().cut_off));
        let task = self.context.take_task_id();
        let end = self.drive(task).await;
        self.context.release_task_id(task);
        session.deadline().set(Nanos::MAX);
        self.conclude(start, &end);
        session.task.clear();
        if matches!(end, TaskOutcome::Lost(_)) && !session.task.any_started.get() {
            session.wait_until(session.shared.clock.now().saturating_add(INSTANCE_LOSS_PAUSE)).await;
        }
        match end {
            TaskOutcome::Passed => StepOutcome::Passed,
            TaskOutcome::Failed | TaskOutcome::TimedOut | TaskOutcome::Lost(_) => StepOutcome::Failed,
            TaskOutcome::Cancelled => StepOutcome::CutShort,
        }
    }

    async fn drive(&self, task: u32) -> TaskOutcome {
        if let Some(end) = self.shortage_outcome() {
            return end;
        }
        let (mut progress, handle) = match self.instance.borrow_mut().start(self.session, self.step.plugin_step, task) {
            Ok(started) => started,
            Err(lost) => return TaskOutcome::Lost(lost),
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
                Progress::Pending if self.session.task.in_flight() => {}
                Progress::Pending => {
                    break TaskOutcome::Lost(InstanceLost(format!("{} waits with nothing in flight", self.plugin())));
                }
            }
            match self.next_event(&mut ready_at_once).await {
                TaskEvent::Completed(id) if self.is_not_started(id) => break self.drain().await,
                TaskEvent::Completed(id) => match self.resume(handle, id) {
                    Ok(next) => progress = next,
                    Err(lost) => return TaskOutcome::Lost(lost),
                },
                TaskEvent::TimedOut => break TaskOutcome::TimedOut,
                TaskEvent::Stopped => break TaskOutcome::Cancelled,
            }
        };
        self.instance.borrow_mut().cancel(self.session, handle);
        end
    }

    /// How the task ends if a data set had no row for it: what it was to send is not what the script says.
    fn shortage_outcome(&self) -> Option<TaskOutcome> {
        let shortage = self.session.shortage()?;
        if matches!(shortage, RowShortage::Stop(_)) {
            return Some(TaskOutcome::Cancelled);
        }
        self.session.note_failure(FailureKind::Check, || self.session.shared.shortage_text(shortage));
        Some(TaskOutcome::Failed)
    }

    /// The run, or the user's data, is ending and the task cannot go on: waits for the exchanges that have begun, so that they count.
    async fn drain(&self) -> TaskOutcome {
        let mut at_once = false;
        while self.session.task.in_flight() {
            match self.next_event(&mut at_once).await {
                TaskEvent::Completed(id) => self.open_sample(id),
                TaskEvent::TimedOut => return TaskOutcome::TimedOut,
                TaskEvent::Stopped => return TaskOutcome::Cancelled,
            }
        }
        TaskOutcome::Cancelled
    }

    /// Waits for what happens next. An event that came without a wait lets the others on the worker go first: a guest
    /// whose operations end as soon as it submits them must keep neither the worker to itself nor its own deadline from
    /// being noticed.
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
            match self.session.task.poll_completion(cx) {
                Poll::Ready(id) => Poll::Ready(TaskEvent::Completed(id)),
                Poll::Pending => self.stop_event().map_or(Poll::Pending, Poll::Ready),
            }
        })
        .await;
        *at_once = polls == 1;
        event
    }

    /// Why the task cannot go on, if the run was stopped or the time is up.
    fn stop_event(&self) -> Option<TaskEvent> {
        let shared = &self.session.shared;
        if shared.phase.get() == RunPhase::Stopped || self.session.window.get().cut_off <= shared.last_sweep.get() {
            return Some(TaskEvent::Stopped);
        }
        (self.session.deadline().get() <= shared.last_sweep.get()).then_some(TaskEvent::TimedOut)
    }

    fn is_not_started(&self, id: OperationId) -> bool {
        self.session.task.with_completion(id, |ended| matches!(ended, Completion::NotStarted)).unwrap_or(false)
    }

    /// Tells the guest that an operation has ended. The sample of an exchange is open from here on.
    fn resume(&self, begun: TaskHandle, id: OperationId) -> Result<Progress, InstanceLost> {
        self.open_sample(id);
        self.take_captures(id);
        self.instance.borrow_mut().resume(self.session, begun, id)
    }

    /// Opens the sample of an exchange that has ended, and holds against it what the host knows.
    fn open_sample(&self, id: OperationId) {
        self.session.task.with_completion(id, |ended| {
            let timed = match ended {
                Completion::Exchange(timed) => timed,
                Completion::Connected(Err(failure))
                | Completion::Upgraded(Err(failure))
                | Completion::Written(Err(failure))
                | Completion::Read(Err(failure)) => {
                    *self.session.task.sockets.failure.borrow_mut() = Some(failure.clone());
                    return;
                }
                _ => return,
            };
            let sample = timed.to_sample(self.step.row);
            self.session.task.status.set(sample.status);
            self.session.open_sample(sample);
            if self.step.reply_detail != ReplyDetail::Nothing {
                self.remember_reply(&sample, timed.result.as_ref().ok());
            }
            count_checks::count(self.step, self.session, &sample, timed.result.as_ref().ok());
            if let (Some(kind), Err(failure)) = (sample.failure, &timed.result) {
                self.session.task.failure.set(self.session.task.failure.get().or(Some(kind)));
                self.session.record_example(kind, || failure.detail.to_string());
            }
        });
    }

    /// Keeps what conditions ask for.
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
        self.session.task.with_completion(id, |ended| {
            let Completion::Exchange(timed) = ended else { return };
            let Ok(reply) = &timed.result else { return };
            for capture in &self.step.captures {
                if let Some(value) = capture.extract(reply, &self.session.http.cookies) {
                    self.session.set_variable(capture.variable, &value);
                    self.session.task.captured.borrow_mut().push(capture.variable);
                }
            }
        });
    }

    /// The guest is content; the step may yet miss a value it was to capture.
    fn check_captures(&self) -> TaskOutcome {
        let captured = self.session.task.captured.borrow();
        let missing = self.step.captures.iter().find(|capture| !captured.contains(&capture.variable));
        match missing {
            None => TaskOutcome::Passed,
            Some(missing) => {
                self.session.note_failure(FailureKind::Check, || missing.missing_message());
                TaskOutcome::Failed
            }
        }
    }

    /// Counts the task and records what is not recorded yet: what was cut off with it, the open sample; the task itself
    /// for what it did on its sockets, or if it failed without an exchange. One that only waited or computed is no
    /// request: its time would be taken for the target's.
    fn conclude(&self, start: Nanos, end: &TaskOutcome) {
        let (session, task) = (self.session, &self.session.task);
        if matches!(end, TaskOutcome::Cancelled) && !task.any_started.get() {
            return;
        }
        if matches!(end, TaskOutcome::Failed)
            && let Some(failure) = task.sockets.failure.take()
        {
            // An exchange of the same task is a sample of its own, and has not failed by this.
            if task.failure.get().is_none() {
                task.failure.set(Some(failure.kind));
                session.record_example(failure.kind, || failure.detail.into());
            }
        }
        let mut cut_off = task.cut_off_exchanges();
        cut_off.iter_mut().for_each(|measured| measured.end = Some(session.shared.clock.now()));
        if !matches!(end, TaskOutcome::Passed | TaskOutcome::Cancelled) {
            cut_off.iter().for_each(|measured| {
                count_checks::count(self.step, session, &sample(self.step.row, measured, None), None);
            });
        }
        match end {
            TaskOutcome::Passed | TaskOutcome::Cancelled => {
                let why =
                    if matches!(end, TaskOutcome::Passed) { "the action ended first" } else { "the run ended first" };
                self.record_cut_off(&cut_off, FailureKind::Cancelled, || why.into());
            }
            // A guest that fails without a word is at fault, unless the host knows of a failure.
            TaskOutcome::Failed if cut_off.is_empty() && task.failure.get().is_some() => {}
            TaskOutcome::Failed => {
                self.attribute_failure(&cut_off, task.failure.get().unwrap_or(FailureKind::Plugin), || {
                    format!("{} failed its task and did not say why", self.plugin())
                })
            }
            TaskOutcome::TimedOut => self.attribute_failure(&cut_off, FailureKind::Timeout, || {
                format!("not done within {}", humantime::format_duration(Duration::from_nanos(self.step.timeout)))
            }),
            TaskOutcome::Lost(InstanceLost(text)) => {
                self.attribute_failure(&cut_off, FailureKind::Plugin, || text.clone())
            }
        }
        session.close_sample();
        let sent_nothing = matches!(end, TaskOutcome::Failed | TaskOutcome::TimedOut | TaskOutcome::Lost(_))
            && task.exchanges.get() == 0;
        if sent_nothing || task.sockets.has_begun() {
            self.record_task_sample(start, end);
        }
        self.count_task(start, end);
    }

    /// Records the task itself: what it did on its sockets, or that it failed before there was anything to measure.
    fn record_task_sample(&self, start: Nanos, end: &TaskOutcome) {
        let task = &self.session.task;
        let failure = match end {
            TaskOutcome::Passed => None,
            TaskOutcome::Cancelled => Some(FailureKind::Cancelled),
            TaskOutcome::Failed => task.failure.get().or(Some(FailureKind::Plugin)),
            TaskOutcome::TimedOut => task.failure.get().or(Some(FailureKind::Timeout)),
            TaskOutcome::Lost(_) => task.failure.get().or(Some(FailureKind::Plugin)),
        };
        let mut measurements = Measurements { start, ..Measurements::default() };
        if task.sockets.has_begun() {
            measurements = *task.sockets.meter.read();
        }
        measurements.end = Some(self.session.shared.clock.now());
        self.session.record(&sample(self.step.row, &measurements, failure));
    }

    /// Holds a failure against the exchanges that were cut off; without any, against the task and its open sample.
    fn attribute_failure(&self, cut_off: &[Measurements], kind: FailureKind, text: impl FnOnce() -> String) {
        if cut_off.is_empty() {
            self.session.note_failure(kind, text);
        } else {
            self.record_cut_off(cut_off, kind, text);
        }
    }

    fn record_cut_off(&self, cut_off: &[Measurements], kind: FailureKind, text: impl FnOnce() -> String) {
        if !cut_off.is_empty() {
            self.session.record_example(kind, text);
        }
        cut_off.iter().for_each(|measured| self.session.record(&sample(self.step.row, measured, Some(kind))));
    }

    fn count_task(&self, start: Nanos, end: &TaskOutcome) {
        let mut recorder = self.session.shared.recorder.borrow_mut();
        if !recorder.is_counted(start) {
            return;
        }
        recorder.task_started(self.step.row);
        let how = match end {
            TaskOutcome::Passed => TaskEnd::Passed,
            TaskOutcome::Cancelled => TaskEnd::Cancelled,
            TaskOutcome::Failed | TaskOutcome::TimedOut | TaskOutcome::Lost(_) => TaskEnd::Failed,
        };
        recorder.task_ended(self.step.row, how);
    }

    /// The plugin of the step, as texts name it.
    fn plugin(&self) -> String {
        format!("plugin `{}`", self.context.plan.runtime.plugins[self.step.plugin].policy.name)
    }
}
