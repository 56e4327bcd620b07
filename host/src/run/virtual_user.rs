//! One virtual user: signs in, then walks its scenario's steps, iteration after iteration, until its time, its turns or its
//! data are over.
//!
//! ```text
//!   waiting for its time ─▶ waiting for a turn ─▶ signing in ─▶ walking ─▶ waiting for a turn ─▶ … ─▶ gone
//!                                                  │ failed four times ──────────────────────────────▲
//! ```
//!
//! Each step is one task in one plugin, see [`StepTask`].

use std::rc::Rc;

use crate::pace::Think;
use crate::plan::flow::Move;
use crate::plan::{Scenario, Step};
use crate::plugin::session::{Session, Shortage};

use super::clock::Nanos;
use super::groups::Groups;
use super::task::{Ran, StepTask};
use super::turns::Turns;
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
}

impl VirtualUser {
    /// A user before its first step.
    pub fn new(crew: Rc<Crew>, session: Rc<Session>, scenario: (Option<usize>, Rc<Scenario>), turns: Turns) -> Self {
        let replicas = crew.replicas();
        Self { crew, session, replicas, scenario, turns }
    }

    /// The whole life.
    pub async fn live(&self) -> Life {
        if !self.session.wait_until(self.session.hours.get().begin).await {
            return Life::NotBegun;
        }
        let always = !self.is_idle_between();
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
            let is_complete = self.walk().await;
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

    /// One iteration; whether it came to its end.
    async fn walk(&self) -> bool {
        let (session, plan) = (&self.session, &self.crew.plan);
        let mut groups = Groups::default();
        for next in &self.scenario.1.flow.0 {
            match *next {
                Move::Begin(group) => groups.begin(group, session.shared.clock.now()),
                Move::Think(think) => {
                    if !self.think(think).await {
                        return false;
                    }
                }
                Move::End => groups.end(&session.shared),
                Move::Step(number) => {
                    let (step, now) = (&plan.steps[number], session.shared.clock.now());
                    if !session.may_start_at(now) {
                        return false;
                    }
                    let ran = self.task(step).run(now).await;
                    // What was promised was the first step's to keep.
                    session.promise.set(None);
                    if ran == Ran::CutShort {
                        return false;
                    }
                    self.crew.failed.set(self.crew.failed.get() || ran == Ran::Failed);
                    groups.step(ran == Ran::Passed);
                    if session.shortage().is_some() {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Waits; `false` if the user's time ends before that.
    async fn think(&self, think: Think) -> bool {
        let wait = think.next(|| self.session.random_unit());
        self.session.pause_until(self.session.shared.clock.now().saturating_add(wait)).await
    }

    async fn sign_in(&self, login: &Step) -> bool {
        for pause in std::iter::once(0).chain(BACK_OFF) {
            let again = self.session.shared.clock.now().saturating_add(pause);
            if !self.session.wait_until(again).await {
                return false;
            }
            if self.task(login).run(self.session.shared.clock.now()).await == Ran::Passed {
                self.session.promise.set(None);
                self.session.http.signed_in();
                return true;
            }
            if self.session.shortage().is_some() {
                return false;
            }
        }
        false
    }

    fn task<'a>(&'a self, step: &'a Step) -> StepTask<'a> {
        let replica = &self.replicas[step.plugin];
        StepTask { crew: &self.crew, session: &self.session, step, replica }
    }
}
