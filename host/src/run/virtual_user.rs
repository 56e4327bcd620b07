//! One virtual user: what it walks with, and how it takes one step. A step is one task in one plugin, see [`StepTask`].

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
pub struct VirtualUser {
    pub context: Rc<WorkerContext>,
    pub session: Rc<Session>,
    /// The plugins' instances that its steps run in.
    pub instances: InstanceSet,
    /// What it walks: the scenario's number in the run, if it is counted, and the scenario.
    pub scenario: (Option<usize>, Rc<Scenario>),
    pub iterations: IterationSource,
    /// The user as it does several things at once; none before it first does.
    lanes: RefCell<Vec<Rc<Session>>>,
    /// How often it has signed in again, whether the last time went well, and whether it is about to.
    refreshes: Cell<u64>,
    last_refresh_passed: Cell<bool>,
    refresh_lock: Mutex<()>,
}

impl VirtualUser {
    /// A user before its first step.
    pub fn new(
        crew: Rc<WorkerContext>,
        session: Rc<Session>,
        scenario: (Option<usize>, Rc<Scenario>),
        turns: IterationSource,
    ) -> Self {
        let replicas = crew.instances();
        let (lanes, sign_ins, refreshed, signing_in) = Default::default();
        Self {
            context: crew,
            session,
            instances: replicas,
            scenario,
            iterations: turns,
            lanes,
            refreshes: sign_ins,
            last_refresh_passed: refreshed,
            refresh_lock: signing_in,
        }
    }

    /// One step, which begins now; after a status that asks for it the sign-in, and the step once more.
    pub async fn step(&self, session: &Rc<Session>, step: &Step, now: Nanos) -> StepOutcome {
        let refreshes = self.refreshes.get();
        let outcome = self.run_step(session, step, now).await;
        let Some(login) = self.refresh_login(session, outcome) else { return outcome };
        // Of several things under way at once that are refused, one signs in, and the others wait for it.
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

    /// The sign-in, if a step that ended like this asks for it.
    fn refresh_login(&self, session: &Session, ran: StepOutcome) -> Option<&Step> {
        let plan = &self.context.plan;
        let status = session.task.status.get();
        let asks = || plan.refresh_on.iter().any(|(first, last)| (*first..=*last).contains(&status));
        plan.login.as_ref().filter(|_| ran == StepOutcome::Failed && asks() && session.may_start())
    }

    /// A step, or the sign-in. What its user was promised was the first one's to keep; one that sends nothing began when it
    /// was started.
    pub async fn run_step(&self, session: &Rc<Session>, step: &Step, now: Nanos) -> StepOutcome {
        let replica = &self.instances[step.plugin];
        let ran = StepTask { context: &self.context, session, step, instance: replica }.run(now).await;
        if let Some(promise) = session.promised.take() {
            session.shared.recorder.borrow_mut().record_start_delay(now.saturating_sub(promise.due));
        }
        ran
    }

    /// The user as it does several things at once, itself for the first of them. What it is to others, to the target and to
    /// plugins, is the same in all of them.
    pub fn lanes(&self, wanted: usize) -> Vec<Rc<Session>> {
        let mut lanes = self.lanes.borrow_mut();
        if lanes.is_empty() {
            lanes.push(Rc::clone(&self.session));
        }
        while lanes.len() < wanted {
            let next = self.session.lane(lanes.len());
            lanes.push(Rc::new(next));
        }
        lanes[..wanted].to_vec()
    }

    /// A step has failed for good.
    pub fn mark_failed(&self) {
        self.context.any_step_failed.set(true);
    }

    /// What to run.
    pub fn plan(&self) -> &Plan {
        &self.context.plan
    }

    /// What conditions are told in.
    pub fn language(&self) -> &CelContext {
        self.context.language.get_or_init(CelContext::default)
    }
}
