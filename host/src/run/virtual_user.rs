//! One virtual user: signs in, then walks the script step by step until its time or its iterations are over.
//!
//! ```text
//!   waiting for its ramp-up time ─▶ signing in ─▶ walking ─▶ gone
//!                                    │ failed four times ───────▲
//! ```
//!
//! A step is one task in one plugin. The user's own tokio task polls whatever the task has in flight and tells the guest
//! what has ended; it records what was measured, once the guest has judged it.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use crate::http::Measured;
use crate::metrics::sample::FailureKind;
use crate::metrics::series::TaskEnd;
use crate::plan::{Plan, Step};
use crate::plugin::Progress;
use crate::plugin::operation::{Ended, OperationId, sample};
use crate::plugin::replica::{Generation, Lost};
use crate::plugin::session::Session;

use super::clock::Nanos;
use super::phase::Phase;
use super::worker::Crew;

/// Waits before the second, third and fourth attempt to sign in.
const BACK_OFF: [Nanos; 3] = [500_000_000, 1_000_000_000, 2_000_000_000];

/// How the life of a user went, for the outcome of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It signed in, or there was no need to.
    Walked,
    /// It could not sign in.
    GaveUp,
    /// The run ended before it was signed in.
    NotBegun,
}

/// How a task ended.
enum End {
    Passed,
    Failed,
    TimedOut,
    Cancelled,
    Lost(Lost),
}

/// What happens to a pending task next.
enum Event {
    Ended(OperationId),
    TimedOut,
    Stopped,
}

/// One virtual user.
pub struct VirtualUser {
    crew: Rc<Crew>,
    session: Rc<Session>,
}

impl VirtualUser {
    /// A user before its first step.
    pub const fn new(crew: Rc<Crew>, session: Rc<Session>) -> Self {
        Self { crew, session }
    }

    /// The whole life, from `begin` on.
    pub async fn live(&self, begin: Nanos) -> Life {
        if !self.session.wait_until(begin).await {
            return Life::NotBegun;
        }
        self.crew.active.set(self.crew.active.get() + 1);
        let life = self.walk(&self.crew.plan).await;
        self.crew.active.set(self.crew.active.get() - 1);
        self.crew.replicas.iter().for_each(|replica| replica.borrow_mut().forget_user(&self.session));
        life
    }

    async fn walk(&self, plan: &Plan) -> Life {
        if let Some(login) = &plan.login
            && !self.sign_in(login).await
        {
            return if self.session.running() { Life::GaveUp } else { Life::NotBegun };
        }
        while self.session.running() && plan.workload.iterations.is_none_or(|most| self.session.iteration.get() < most)
        {
            for step in &plan.steps {
                if !self.session.running() {
                    break;
                }
                self.run(step).await;
            }
            self.session.iteration.set(self.session.iteration.get() + 1);
        }
        Life::Walked
    }

    async fn sign_in(&self, login: &Step) -> bool {
        for pause in std::iter::once(0).chain(BACK_OFF) {
            let again = self.session.shared.clock.now().saturating_add(pause);
            if !self.session.wait_until(again).await {
                return false;
            }
            if self.run(login).await {
                return true;
            }
        }
        false
    }

    /// Runs one step; true if it passed.
    async fn run(&self, step: &Step) -> bool {
        // A step that never waits must not keep the worker to itself.
        tokio::task::consume_budget().await;
        let start = self.session.shared.clock.now();
        self.session.task.begin(step.row, step.needs_body);
        self.session.deadline().set(start.saturating_add(step.timeout));
        let task = self.crew.take_task_id();
        let end = self.drive(step, task).await;
        self.crew.give_back(task);
        self.session.deadline().set(Nanos::MAX);
        let passed = matches!(end, End::Passed);
        self.conclude(step, start, end);
        self.session.task.clear();
        passed
    }

    async fn drive(&self, step: &Step, task: u32) -> End {
        let replica = &self.crew.replicas[step.plugin];
        let (mut progress, generation) = match replica.borrow_mut().start(&self.session, step.index, task) {
            Ok(started) => started,
            Err(lost) => return End::Lost(lost),
        };
        loop {
            match progress {
                Progress::Passed => return self.captured(step),
                Progress::Failed => return End::Failed,
                Progress::Pending if self.session.task.in_flight() => {}
                Progress::Pending => {
                    replica.borrow_mut().cancel(&self.session, task, generation);
                    return End::Lost(Lost(format!("{} waits with nothing in flight", self.plugin_of(step))));
                }
            }
            let end = match self.next_event().await {
                Event::Ended(id) if !self.never_started(id) => {
                    match self.resume(step, (task, generation), id) {
                        Ok(next) => progress = next,
                        Err(lost) => return End::Lost(lost),
                    }
                    continue;
                }
                Event::TimedOut => End::TimedOut,
                Event::Ended(_) | Event::Stopped => End::Cancelled,
            };
            replica.borrow_mut().cancel(&self.session, task, generation);
            return end;
        }
    }

    async fn next_event(&self) -> Event {
        let shared = &self.session.shared;
        poll_fn(|cx| {
            if let Poll::Ready(id) = self.session.task.poll_ended(cx) {
                Poll::Ready(Event::Ended(id))
            } else if shared.phase.get() == Phase::Stopped {
                Poll::Ready(Event::Stopped)
            } else if self.session.deadline().get() <= shared.swept.get() {
                Poll::Ready(Event::TimedOut)
            } else {
                Poll::Pending
            }
        })
        .await
    }

    fn never_started(&self, id: OperationId) -> bool {
        self.session.task.ended(id, |ended| matches!(ended, Ended::NotStarted)).unwrap_or(false)
    }

    /// Tells the guest that an operation has ended, and records it as the guest judges it.
    fn resume(&self, step: &Step, task: (u32, Generation), id: OperationId) -> Result<Progress, Lost> {
        self.capture(step, id);
        let resumed = self.crew.replicas[step.plugin].borrow_mut().resume(&self.session, task, id);
        let measured = self.session.task.ended(id, |ended| match ended {
            Ended::Exchange(timed) => {
                let detail = timed.result.as_ref().err().map(|failure| failure.detail.clone());
                Some((timed.sample(step.row), detail))
            }
            Ended::Slept | Ended::NotStarted => None,
        });
        if let Some((mut sample, detail)) = measured.flatten() {
            match (sample.failure, self.verdict(step, &resumed)) {
                (Some(kind), _) => {
                    let detail = detail.unwrap_or_default().into_owned();
                    self.example(step, kind, &detail);
                    self.session.task.blame((kind, detail));
                }
                (None, Some((kind, detail))) => {
                    sample.failure = Some(kind);
                    self.example(step, kind, &detail);
                }
                (None, None) => {}
            }
            self.session.record(&sample);
        }
        resumed
    }

    /// What the guest holds against the reply it was just told of.
    fn verdict(&self, step: &Step, resumed: &Result<Progress, Lost>) -> Option<(FailureKind, String)> {
        let task = &self.session.task;
        if let Err(Lost(text)) = resumed {
            return Some((FailureKind::Plugin, text.clone()));
        }
        if let Some(said) = task.failure.borrow().as_ref().filter(|_| !task.blamed.replace(true)) {
            return Some(said.clone());
        }
        match resumed {
            Ok(Progress::Failed) if !task.blamed.replace(true) => Some((FailureKind::Plugin, self.unsaid(step))),
            Ok(Progress::Passed) => self.missing_capture(step).map(|text| (FailureKind::Check, text)),
            _ => None,
        }
    }

    fn capture(&self, step: &Step, id: OperationId) {
        if step.captures.is_empty() {
            return;
        }
        self.session.task.ended(id, |ended| {
            let Ended::Exchange(timed) = ended else { return };
            let Ok(reply) = &timed.result else { return };
            for capture in &step.captures {
                if let Some(value) = capture.extract(reply, &self.session.http.cookies) {
                    self.session.variables().borrow_mut().set(capture.variable, &value);
                    self.session.task.captured.borrow_mut().push(capture.variable);
                }
            }
        });
    }

    fn missing_capture(&self, step: &Step) -> Option<String> {
        let captured = self.session.task.captured.borrow();
        step.captures.iter().find(|capture| !captured.contains(&capture.variable)).map(|capture| capture.missing())
    }

    fn captured(&self, step: &Step) -> End {
        if self.missing_capture(step).is_some() { End::Failed } else { End::Passed }
    }

    /// Counts the task, and what was cut off with it.
    fn conclude(&self, step: &Step, start: Nanos, end: End) {
        let task = &self.session.task;
        if matches!(end, End::Cancelled) && !task.begun_any.get() {
            return;
        }
        let (kind, text) = match &end {
            End::Passed => (None, String::new()),
            End::Failed => {
                let said = task.failure.borrow().clone();
                let (kind, text) = said
                    .or_else(|| self.missing_capture(step).map(|text| (FailureKind::Check, text)))
                    .unwrap_or_else(|| (FailureKind::Plugin, self.unsaid(step)));
                (Some(kind), text)
            }
            End::TimedOut => {
                let limit = std::time::Duration::from_nanos(step.timeout);
                (Some(FailureKind::Timeout), format!("not done within {}", humantime::format_duration(limit)))
            }
            End::Cancelled => (Some(FailureKind::Cancelled), "the run ended first".into()),
            End::Lost(Lost(text)) => (Some(FailureKind::Plugin), text.clone()),
        };
        self.record_cut_off(step, start, kind);
        if let Some(kind) = kind {
            self.example(step, kind, &text);
        }
        let mut recorder = self.session.shared.recorder.borrow_mut();
        recorder.task_started(step.row);
        recorder.task_ended(
            step.row,
            match end {
                End::Passed => TaskEnd::Passed,
                End::Cancelled => TaskEnd::Cancelled,
                End::Failed | End::TimedOut | End::Lost(_) => TaskEnd::Failed,
            },
        );
    }

    /// Records the exchanges that were in flight when the task ended; or, if it made none at all, the task itself.
    fn record_cut_off(&self, step: &Step, start: Nanos, kind: Option<FailureKind>) {
        let task = &self.session.task;
        let now = self.session.shared.clock.now();
        for mut measured in task.cut_off() {
            measured.end = Some(now);
            self.session.record(&sample(step.row, &measured, Some(kind.unwrap_or(FailureKind::Cancelled))));
        }
        if task.exchanges.get() == 0 {
            let whole = Measured { start, end: Some(now), ..Measured::default() };
            self.session.record(&sample(step.row, &whole, kind));
        }
    }

    /// Shown for a guest that answers `failed` though nothing the host knows of has failed, and does not say why.
    fn unsaid(&self, step: &Step) -> String {
        format!("{} failed its task and did not say why", self.plugin_of(step))
    }

    /// The plugin of a step, as texts name it.
    fn plugin_of(&self, step: &Step) -> String {
        format!("plugin `{}`", self.crew.plan.plugins[step.plugin].plugin.name)
    }

    fn example(&self, step: &Step, kind: FailureKind, text: &str) {
        let session = &self.session;
        session.shared.recorder.borrow_mut().example(step.row, kind, || session.redact(text));
    }
}
