//! One virtual user: what it walks with, and how it takes one step. A step is one task in one plugin, see [`StepTask`].

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use stampede_time::Nanos;
use tokio::sync::Mutex;

use super::context::{Crew, Replicas};
use super::iteration_source::Turns;
use super::step_task::{Ran, StepTask};
use crate::expression::Language;
use crate::plan::{Plan, Scenario, Step};
use crate::user::Session;

/// One virtual user.
pub struct VirtualUser {
    pub crew: Rc<Crew>,
    pub session: Rc<Session>,
    /// The plugins' instances that its steps run in.
    pub replicas: Replicas,
    /// What it walks: the scenario's number in the run, if it is counted, and the scenario.
    pub scenario: (Option<usize>, Rc<Scenario>),
    pub turns: Turns,
    /// The user as it does several things at once; none before it first does.
    lanes: RefCell<Vec<Rc<Session>>>,
    /// How often it has signed in again, whether the last time went well, and whether it is about to.
    sign_ins: Cell<u64>,
    refreshed: Cell<bool>,
    signing_in: Mutex<()>,
}

impl VirtualUser {
    /// A user before its first step.
    pub fn new(crew: Rc<Crew>, session: Rc<Session>, scenario: (Option<usize>, Rc<Scenario>), turns: Turns) -> Self {
        let replicas = crew.replicas();
        let (lanes, sign_ins, refreshed, signing_in) = Default::default();
        Self { crew, session, replicas, scenario, turns, lanes, sign_ins, refreshed, signing_in }
    }

    /// One step, which begins now; after a status that asks for it the sign-in, and the step once more.
    pub async fn step(&self, session: &Rc<Session>, step: &Step, now: Nanos) -> Ran {
        let signed_in = self.sign_ins.get();
        let ran = self.run(session, step, now).await;
        let Some(login) = self.refresh(session, ran) else { return ran };
        // Of several things under way at once that are refused, one signs in, and the others wait for it.
        let turn = self.signing_in.lock().await;
        if self.sign_ins.get() == signed_in {
            self.sign_ins.set(signed_in + 1);
            self.refreshed.set(self.run(session, login, session.shared.clock.now()).await == Ran::Passed);
            if self.refreshed.get() {
                session.http.signed_in();
            }
        }
        drop(turn);
        if !self.refreshed.get() || !session.running() {
            return ran;
        }
        self.run(session, step, session.shared.clock.now()).await
    }

    /// The sign-in, if a step that ended like this asks for it.
    fn refresh(&self, session: &Session, ran: Ran) -> Option<&Step> {
        let plan = &self.crew.plan;
        let status = session.task.status.get();
        let asks = || plan.refresh_on.iter().any(|(first, last)| (*first..=*last).contains(&status));
        plan.login.as_ref().filter(|_| ran == Ran::Failed && asks() && session.running())
    }

    /// A step, or the sign-in. What its user was promised was the first one's to keep; one that sends nothing began when it
    /// was started.
    pub async fn run(&self, session: &Rc<Session>, step: &Step, now: Nanos) -> Ran {
        let replica = &self.replicas[step.plugin];
        let ran = StepTask { crew: &self.crew, session, step, replica }.run(now).await;
        if let Some(promise) = session.promise.take() {
            session.shared.recorder.borrow_mut().start_delay(now.saturating_sub(promise.due));
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
    pub fn failed(&self) {
        self.crew.failed.set(true);
    }

    /// What to run.
    pub fn plan(&self) -> &Plan {
        &self.crew.plan
    }

    /// What conditions are told in.
    pub fn language(&self) -> &Language {
        self.crew.language.get_or_init(Language::default)
    }
}
