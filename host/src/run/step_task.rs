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

use stampede_time::{Nanos, Phase};

use super::checks;
use super::context::Crew;
use crate::expression::{Last, MOST_REMEMBERED, Remembers};
use crate::http::Reply;
use crate::metrics::sample::{FailureKind, Sample};
use crate::metrics::series::TaskEnd;
use crate::net::Measured;
use crate::plan::Step;
use crate::plugin::Progress;
use crate::plugin::instance::restarting_instance::{Begun, Lost, Replica};
use crate::user::{Ended, OperationId, Session, Shortage, sample};

/// How long a user waits after its plugin was lost before anything was sent: replacing the instance costs the whole
/// worker time, and no rate limit holds a step back that sends nothing.
const AFTER_A_LOSS: Nanos = 100_000_000;

/// A step and the user who runs it.
pub struct StepTask<'a> {
    /// What the users of the worker share.
    pub crew: &'a Crew,
    /// The user.
    pub session: &'a Rc<Session>,
    /// The step.
    pub step: &'a Step,
    /// The plugin's instance that it runs in.
    pub replica: &'a RefCell<Replica>,
}

/// How a step went, for what comes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ran {
    /// As it should.
    Passed,
    /// Not so.
    Failed,
    /// The run, or its user's time, ended first.
    CutShort,
}

/// How a task ended.
enum End {
    Passed,
    Failed,
    TimedOut,
    Cancelled,
    Lost(Lost),
}

impl End {
    /// This end if it says more than that the task could not go on, or else the other.
    fn or(self, other: Self) -> Self {
        if matches!(self, Self::Cancelled) { other } else { self }
    }
}

/// What happens to a pending task next.
enum Event {
    Ended(OperationId),
    TimedOut,
    Stopped,
}

impl StepTask<'_> {
    /// Runs the task, which begins now, at `start`, to its end.
    pub async fn run(&self, start: Nanos) -> Ran {
        // A step that never waits must not keep the worker to itself.
        tokio::task::consume_budget().await;
        let session = self.session;
        session.task.begin(self.step.row, self.step.needs_body);
        session.deadline().set(start.saturating_add(self.step.timeout).min(session.hours.get().cut));
        let task = self.crew.take_task_id();
        let end = self.drive(task).await;
        self.crew.give_back(task);
        session.deadline().set(Nanos::MAX);
        self.conclude(start, &end);
        session.task.clear();
        if matches!(end, End::Lost(_)) && !session.task.begun_any.get() {
            session.wait_until(session.shared.clock.now().saturating_add(AFTER_A_LOSS)).await;
        }
        match end {
            End::Passed => Ran::Passed,
            End::Failed | End::TimedOut | End::Lost(_) => Ran::Failed,
            End::Cancelled => Ran::CutShort,
        }
    }

    async fn drive(&self, task: u32) -> End {
        if let Some(end) = self.without_data() {
            return end;
        }
        let (mut progress, begun) = match self.replica.borrow_mut().start(self.session, self.step.index, task) {
            Ok(started) => started,
            Err(lost) => return End::Lost(lost),
        };
        let mut at_once = false;
        let end = loop {
            match (progress, self.without_data()) {
                (Progress::Passed | Progress::Failed, Some(end)) => return end,
                (Progress::Pending, Some(end)) => break self.let_end().await.or(end),
                _ => {}
            }
            match progress {
                Progress::Passed => return self.captured(),
                Progress::Failed => return End::Failed,
                Progress::Pending if self.session.task.in_flight() => {}
                Progress::Pending => {
                    break End::Lost(Lost(format!("{} waits with nothing in flight", self.plugin())));
                }
            }
            match self.next_event(&mut at_once).await {
                Event::Ended(id) if self.never_started(id) => break self.let_end().await,
                Event::Ended(id) => match self.resume(begun, id) {
                    Ok(next) => progress = next,
                    Err(lost) => return End::Lost(lost),
                },
                Event::TimedOut => break End::TimedOut,
                Event::Stopped => break End::Cancelled,
            }
        };
        self.replica.borrow_mut().cancel(self.session, begun);
        end
    }

    /// How the task ends if a data set had no row for it: what it was to send is not what the script says.
    fn without_data(&self) -> Option<End> {
        let shortage = self.session.shortage()?;
        if matches!(shortage, Shortage::Stop(_)) {
            return Some(End::Cancelled);
        }
        self.session.blame(FailureKind::Check, || self.session.shared.shortage_text(shortage));
        Some(End::Failed)
    }

    /// The run, or the user's data, is ending and the task cannot go on: waits for the exchanges that have begun, so that they count.
    async fn let_end(&self) -> End {
        let mut at_once = false;
        while self.session.task.in_flight() {
            match self.next_event(&mut at_once).await {
                Event::Ended(id) => self.open(id),
                Event::TimedOut => return End::TimedOut,
                Event::Stopped => return End::Cancelled,
            }
        }
        End::Cancelled
    }

    /// Waits for what happens next. An event that came without a wait lets the others on the worker go first: a guest
    /// whose operations end as soon as it submits them must keep neither the worker to itself nor its own deadline from
    /// being noticed.
    async fn next_event(&self, at_once: &mut bool) -> Event {
        if *at_once {
            tokio::task::yield_now().await;
            if let Some(over) = self.over() {
                return over;
            }
        }
        let mut polls = 0_u32;
        let event = poll_fn(|cx| {
            polls = polls.saturating_add(1);
            match self.session.task.poll_ended(cx) {
                Poll::Ready(id) => Poll::Ready(Event::Ended(id)),
                Poll::Pending => self.over().map_or(Poll::Pending, Poll::Ready),
            }
        })
        .await;
        *at_once = polls == 1;
        event
    }

    /// Why the task cannot go on, if the run was stopped or the time is up.
    fn over(&self) -> Option<Event> {
        let shared = &self.session.shared;
        if shared.phase.get() == Phase::Stopped || self.session.hours.get().cut <= shared.swept.get() {
            return Some(Event::Stopped);
        }
        (self.session.deadline().get() <= shared.swept.get()).then_some(Event::TimedOut)
    }

    fn never_started(&self, id: OperationId) -> bool {
        self.session.task.ended(id, |ended| matches!(ended, Ended::NotStarted)).unwrap_or(false)
    }

    /// Tells the guest that an operation has ended. The sample of an exchange is open from here on.
    fn resume(&self, begun: Begun, id: OperationId) -> Result<Progress, Lost> {
        self.open(id);
        self.capture(id);
        self.replica.borrow_mut().resume(self.session, begun, id)
    }

    /// Opens the sample of an exchange that has ended, and holds against it what the host knows.
    fn open(&self, id: OperationId) {
        self.session.task.ended(id, |ended| {
            let timed = match ended {
                Ended::Exchange(timed) => timed,
                Ended::Connected(Err(failure))
                | Ended::Upgraded(Err(failure))
                | Ended::Written(Err(failure))
                | Ended::Read(Err(failure)) => {
                    *self.session.task.sockets.failure.borrow_mut() = Some(failure.clone());
                    return;
                }
                _ => return,
            };
            let sample = timed.sample(self.step.row);
            self.session.task.status.set(sample.status);
            self.session.open(sample);
            if self.step.remembers != Remembers::Nothing {
                self.remember(&sample, timed.result.as_ref().ok());
            }
            checks::count(self.step, self.session, &sample, timed.result.as_ref().ok());
            if let (Some(kind), Err(failure)) = (sample.failure, &timed.result) {
                self.session.task.failure.set(self.session.task.failure.get().or(Some(kind)));
                self.session.example(kind, || failure.detail.to_string());
            }
        });
    }

    /// Keeps what conditions ask for.
    fn remember(&self, sample: &Sample, reply: Option<&Reply>) {
        let mut last = self.session.last.borrow_mut();
        let last = last.get_or_insert_with(|| Box::new(Last::none()));
        (last.status, last.size) = (sample.status, sample.body_bytes_in);
        last.latency = sample.response_time() as f64 / 1e6;
        let content = reply.map(|reply| &reply.body).filter(|body| body.len() <= MOST_REMEMBERED);
        last.body = content.filter(|_| self.step.remembers == Remembers::Content).cloned().unwrap_or_default();
        last.json = OnceCell::new();
        if self.step.remembers >= Remembers::Headers {
            last.headers.clear();
            if let Some(reply) = reply {
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                let fields = reply.headers.fields().map(|(name, value)| (text(name).to_ascii_lowercase(), text(value)));
                last.headers.extend(fields);
            }
        }
    }

    fn capture(&self, id: OperationId) {
        if self.step.captures.is_empty() {
            return;
        }
        self.session.task.ended(id, |ended| {
            let Ended::Exchange(timed) = ended else { return };
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
    fn captured(&self) -> End {
        let captured = self.session.task.captured.borrow();
        let missing = self.step.captures.iter().find(|capture| !captured.contains(&capture.variable));
        match missing {
            None => End::Passed,
            Some(missing) => {
                self.session.blame(FailureKind::Check, || missing.missing());
                End::Failed
            }
        }
    }

    /// Counts the task and records what is not recorded yet: what was cut off with it, the open sample; the task itself
    /// for what it did on its sockets, or if it failed without an exchange. One that only waited or computed is no
    /// request: its time would be taken for the target's.
    fn conclude(&self, start: Nanos, end: &End) {
        let (session, task) = (self.session, &self.session.task);
        if matches!(end, End::Cancelled) && !task.begun_any.get() {
            return;
        }
        if matches!(end, End::Failed)
            && let Some(failure) = task.sockets.failure.take()
        {
            // An exchange of the same task is a sample of its own, and has not failed by this.
            if task.failure.get().is_none() {
                task.failure.set(Some(failure.kind));
                session.example(failure.kind, || failure.detail.into());
            }
        }
        let mut cut_off = task.cut_off();
        cut_off.iter_mut().for_each(|measured| measured.end = Some(session.shared.clock.now()));
        if !matches!(end, End::Passed | End::Cancelled) {
            cut_off.iter().for_each(|measured| {
                checks::count(self.step, session, &sample(self.step.row, measured, None), None);
            });
        }
        match end {
            End::Passed | End::Cancelled => {
                let why = if matches!(end, End::Passed) { "the action ended first" } else { "the run ended first" };
                self.record(&cut_off, FailureKind::Cancelled, || why.into());
            }
            // A guest that fails without a word is at fault, unless the host knows of a failure.
            End::Failed if cut_off.is_empty() && task.failure.get().is_some() => {}
            End::Failed => self.hold(&cut_off, task.failure.get().unwrap_or(FailureKind::Plugin), || {
                format!("{} failed its task and did not say why", self.plugin())
            }),
            End::TimedOut => self.hold(&cut_off, FailureKind::Timeout, || {
                format!("not done within {}", humantime::format_duration(Duration::from_nanos(self.step.timeout)))
            }),
            End::Lost(Lost(text)) => self.hold(&cut_off, FailureKind::Plugin, || text.clone()),
        }
        session.close();
        let in_vain = matches!(end, End::Failed | End::TimedOut | End::Lost(_)) && task.exchanges.get() == 0;
        if in_vain || task.sockets.has_begun() {
            self.record_whole(start, end);
        }
        self.count(start, end);
    }

    /// Records the task itself: what it did on its sockets, or that it failed before there was anything to measure.
    fn record_whole(&self, start: Nanos, end: &End) {
        let task = &self.session.task;
        let failure = match end {
            End::Passed => None,
            End::Cancelled => Some(FailureKind::Cancelled),
            End::Failed => task.failure.get().or(Some(FailureKind::Plugin)),
            End::TimedOut => task.failure.get().or(Some(FailureKind::Timeout)),
            End::Lost(_) => task.failure.get().or(Some(FailureKind::Plugin)),
        };
        let mut whole = Measured { start, ..Measured::default() };
        if task.sockets.has_begun() {
            whole = *task.sockets.meter.read();
        }
        whole.end = Some(self.session.shared.clock.now());
        self.session.record(&sample(self.step.row, &whole, failure));
    }

    /// Holds a failure against the exchanges that were cut off; without any, against the task and its open sample.
    fn hold(&self, cut_off: &[Measured], kind: FailureKind, text: impl FnOnce() -> String) {
        if cut_off.is_empty() {
            self.session.blame(kind, text);
        } else {
            self.record(cut_off, kind, text);
        }
    }

    fn record(&self, cut_off: &[Measured], kind: FailureKind, text: impl FnOnce() -> String) {
        if !cut_off.is_empty() {
            self.session.example(kind, text);
        }
        cut_off.iter().for_each(|measured| self.session.record(&sample(self.step.row, measured, Some(kind))));
    }

    fn count(&self, start: Nanos, end: &End) {
        let mut recorder = self.session.shared.recorder.borrow_mut();
        if !recorder.counts(start) {
            return;
        }
        recorder.task_started(self.step.row);
        let how = match end {
            End::Passed => TaskEnd::Passed,
            End::Cancelled => TaskEnd::Cancelled,
            End::Failed | End::TimedOut | End::Lost(_) => TaskEnd::Failed,
        };
        recorder.task_ended(self.step.row, how);
    }

    /// The plugin of the step, as texts name it.
    fn plugin(&self) -> String {
        format!("plugin `{}`", self.crew.plan.plugins[self.step.plugin].terms.name)
    }
}
