//! One virtual user, and how it runs one step. A step is one task in one plugin, see [`StepTask`].

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use stampede_time::Nanos;
use tokio::sync::Mutex;

use super::context::{InstanceSet, WorkerContext};
use super::iteration_source::IterationSource;
use super::step_task::{StepOutcome, StepTask};
use crate::expression::CelContext;
use crate::plan::{Plan, Scenario, Step};
use crate::user::Session;

/// One virtual user.
pub(super) struct VirtualUser {
    pub context: Rc<WorkerContext>,
    pub session: Rc<Session>,
    /// The plugins' instances that its steps run in.
    pub instances: InstanceSet,
    pub scenario: ScenarioHandle,
    pub iterations: IterationSource,
    /// Its sessions for branches that run in parallel; empty before it first runs any.
    lanes: RefCell<Vec<Rc<Session>>>,
    /// The number of times that it has signed in again.
    refreshes: Cell<u64>,
    last_refresh_passed: Cell<bool>,
    /// Held while it signs in again.
    refresh_lock: Mutex<()>,
}

/// A scenario that users walk.
#[derive(Clone)]
pub(super) struct ScenarioHandle {
    /// Its index in the run; `None` in set-up and teardown, whose iterations are not counted.
    pub index: Option<usize>,
    /// The scenario itself.
    pub scenario: Rc<Scenario>,
}

impl VirtualUser {
    /// Returns a user before its first step.
    pub(super) fn new(
        context: Rc<WorkerContext>,
        session: Rc<Session>,
        scenario: ScenarioHandle,
        iterations: IterationSource,
    ) -> Self {
        Self {
            instances: context.instances(),
            context,
            session,
            scenario,
            iterations,
            lanes: RefCell::default(),
            refreshes: Cell::default(),
            last_refresh_passed: Cell::default(),
            refresh_lock: Mutex::default(),
        }
    }

    /// Runs one step, which begins now. After a status of `refresh_on` the user signs in and runs the step once more.
    pub(super) async fn step(&self, session: &Rc<Session>, step: &Step, now: Nanos) -> StepOutcome {
        let refreshes = self.refreshes.get();
        let outcome = self.run_step(session, step, now).await;
        let Some(login) = self.refresh_login(session, outcome) else { return outcome };
        // If several parallel branches need a new sign-in, one signs in and the others wait for it.
        let lock = self.refresh_lock.lock().await;
        if self.refreshes.get() == refreshes {
            self.refreshes.set(refreshes + 1);
            self.last_refresh_passed
                .set(self.run_step(session, login, session.shared.clock.now()).await == StepOutcome::Passed);
            if self.last_refresh_passed.get() {
                session.http.save_login_cookies();
            }
        }
        drop(lock);
        if !self.last_refresh_passed.get() || !session.may_start() {
            return outcome;
        }
        self.run_step(session, step, session.shared.clock.now()).await
    }

    /// Returns the sign-in step, if the outcome of a step calls for it.
    fn refresh_login(&self, session: &Session, outcome: StepOutcome) -> Option<&Step> {
        let plan = &self.context.plan;
        let status = session.task.sample.status();
        let needs_refresh = || plan.refresh_on.iter().any(|range| range.contains(status));
        plan.login.as_ref().filter(|_| outcome == StepOutcome::Failed && needs_refresh() && session.may_start())
    }

    /// Runs a step, or the sign-in. The first one that sends a request takes the promised start of the iteration; one
    /// that sends nothing began when it was started.
    pub(super) async fn run_step(&self, session: &Rc<Session>, step: &Step, now: Nanos) -> StepOutcome {
        let instance = &self.instances[step.plugin];
        let outcome = StepTask { context: &self.context, session, step, instance }.run(now).await;
        if let Some(promise) = session.promised.take() {
            session.shared.recorder.borrow_mut().record_start_delay(now.saturating_sub(promise.due));
        }
        outcome
    }

    /// Returns sessions for branches that run in parallel, the first of which is the user's own. To the target and to
    /// plugins all of them are one user.
    pub(super) fn lanes(&self, count: usize) -> Vec<Rc<Session>> {
        let mut lanes = self.lanes.borrow_mut();
        if lanes.is_empty() {
            lanes.push(Rc::clone(&self.session));
        }
        while lanes.len() < count {
            let next = self.session.lane(lanes.len());
            lanes.push(Rc::new(next));
        }
        lanes[..count].to_vec()
    }

    /// Notes that a step has failed for good.
    pub(super) fn mark_failed(&self) {
        self.context.any_step_failed.set(true);
    }

    /// Returns the plan of the run.
    pub(super) fn plan(&self) -> &Plan {
        &self.context.plan
    }

    /// Returns the context in which conditions are evaluated.
    pub(super) fn language(&self) -> &CelContext {
        self.context.language.get_or_init(CelContext::default)
    }
}
