//! One virtual user: signs in, then walks its scenario's steps, iteration after iteration, until its time, its turns or its
//! data are over.
//!
//! ```text
//!   waiting for its time ─▶ waiting for a turn ─▶ signing in ─▶ walking ─▶ waiting for a turn ─▶ … ─▶ gone
//!                                                  │ failed four times ──────────────────────────────▲
//! ```
//!
//! What it walks is in [`Walk`]; each step is one task in one plugin, see [`StepTask`].

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tokio::sync::Mutex;

use crate::expression::Language;
use crate::plan::{Plan, Scenario, Step};
use crate::plugin::session::{Session, Shortage};

use super::clock::Nanos;
use super::task::{Ran, StepTask};
use super::turns::Turns;
use super::walk::Walk;
use super::worker::{Crew, Replicas};

/// Waits before the second, third and fourth attempt to sign in.
const BACK_OFF: [Nanos; 3] = [500_000_000, 1_000_000_000, 2_000_000_000];

/// How the life of a user went, for the outcome of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Life {
    /// The run, or its data, ended before it was signed in.
    NotBegun,
    /// It could not sign in.
    GaveUp,
    /// It signed in, or there was no need to.
    Walked,
}

/// One virtual user.
pub struct VirtualUser {
    crew: Rc<Crew>,
    session: Rc<Session>,
    /// The plugins' instances that its steps run in.
    replicas: Replicas,
    /// What it walks: the scenario's number in the run, if it is counted, and the scenario.
    scenario: (Option<usize>, Rc<Scenario>),
    turns: Turns,
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

    /// The whole life.
    pub async fn live(&self) -> Life {
        let always = !self.is_idle_between();
        // Who was made for an arrival has it in hand, and it counts whatever comes.
        if always && !self.session.wait_until(self.session.hours.get().begin).await {
            return Life::NotBegun;
        }
        self.crew.active.set(self.crew.active.get() + u32::from(always));
        let life = self.iterate().await;
        self.crew.active.set(self.crew.active.get() - u32::from(always));
        self.replicas.iter().for_each(|replica| replica.borrow_mut().forget_user(&self.session));
        life
    }

    /// Whether it counts as active only during its iterations.
    const fn is_idle_between(&self) -> bool {
        matches!(self.turns, Turns::Arrivals(..))
    }

    async fn iterate(&self) -> Life {
        let mut login = self.crew.plan.login.as_ref();
        while self.turns.next(&self.session).await {
            // An iteration that never waits must not keep the worker to itself.
            tokio::task::consume_budget().await;
            let began = self.began();
            self.session.http.begin_iteration();
            self.crew.active.set(self.crew.active.get() + u32::from(self.is_idle_between()));
            if let Some(step) = login
                && !self.sign_in(step).await
            {
                self.ended(began, false);
                let data_ended = matches!(self.session.shortage(), Some(Shortage::Stop(_)));
                return if self.session.running() && !data_ended { Life::GaveUp } else { Life::NotBegun };
            }
            login = None;
            let is_complete = Walk::new(self, &self.session).flow(&self.scenario.1.flow).await != Ran::CutShort;
            self.ended(began, is_complete);
            if self.session.shortage().is_some() {
                self.turns.stop();
                return Life::Walked;
            }
            self.session.iteration.set(self.session.iteration.get() + 1);
        }
        if login.is_none() { Life::Walked } else { Life::NotBegun }
    }

    /// When the iteration began that is about to: then it should have.
    fn began(&self) -> Nanos {
        let promise = self.session.promise.get();
        promise.map_or_else(|| self.session.shared.clock.now(), |promise| promise.intended)
    }

    /// An iteration has ended.
    fn ended(&self, began: Nanos, is_complete: bool) {
        let shared = &self.session.shared;
        if let (Some(scenario), _) = self.scenario {
            shared.recorder.borrow_mut().iteration(scenario, is_complete, (began, shared.clock.now()));
        }
        self.crew.active.set(self.crew.active.get() - u32::from(self.is_idle_between()));
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
    async fn run(&self, session: &Rc<Session>, step: &Step, now: Nanos) -> Ran {
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

    async fn sign_in(&self, login: &Step) -> bool {
        for pause in std::iter::once(0).chain(BACK_OFF) {
            let again = self.session.shared.clock.now().saturating_add(pause);
            if !self.session.wait_until(again).await {
                return false;
            }
            if self.run(&self.session, login, self.session.shared.clock.now()).await == Ran::Passed {
                self.session.http.signed_in();
                return true;
            }
            if self.session.shortage().is_some() {
                return false;
            }
        }
        false
    }
}
