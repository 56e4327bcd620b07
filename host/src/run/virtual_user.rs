//! One virtual user: signs in, then walks the script step by step until its time, its iterations or its data are over.
//!
//! ```text
//!   waiting for its ramp-up time ─▶ signing in ─▶ walking ─▶ gone
//!                                    │ failed four times ───────▲
//! ```
//!
//! Each step is one task in one plugin, see [`StepTask`].

use std::rc::Rc;

use crate::plan::{Plan, Step};
use crate::plugin::session::{Session, Shortage};

use super::clock::Nanos;
use super::groups::Groups;
use super::task::StepTask;
use super::worker::{Crew, Replicas};

/// Waits before the second, third and fourth attempt to sign in.
const BACK_OFF: [Nanos; 3] = [500_000_000, 1_000_000_000, 2_000_000_000];

/// How the life of a user went, for the outcome of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It signed in, or there was no need to.
    Walked,
    /// It could not sign in.
    GaveUp,
    /// The run, or its data, ended before it was signed in.
    NotBegun,
}

/// One virtual user.
pub struct VirtualUser {
    crew: Rc<Crew>,
    session: Rc<Session>,
    /// The plugins' instances that its steps run in.
    replicas: Replicas,
}

impl VirtualUser {
    /// A user before its first step.
    pub fn new(crew: Rc<Crew>, session: Rc<Session>) -> Self {
        let replicas = crew.replicas();
        Self { crew, session, replicas }
    }

    /// The whole life, from `begin` on.
    pub async fn live(&self, begin: Nanos) -> Life {
        if !self.session.wait_until(begin).await {
            return Life::NotBegun;
        }
        self.crew.active.set(self.crew.active.get() + 1);
        let life = self.walk(&self.crew.plan).await;
        self.crew.active.set(self.crew.active.get() - 1);
        self.replicas.iter().for_each(|replica| replica.borrow_mut().forget_user(&self.session));
        life
    }

    async fn walk(&self, plan: &Plan) -> Life {
        if let Some(login) = &plan.login
            && !self.sign_in(login).await
        {
            let gave_up = self.session.running() && !matches!(self.session.shortage(), Some(Shortage::Stop(_)));
            return if gave_up { Life::GaveUp } else { Life::NotBegun };
        }
        while plan.workload.iterations.is_none_or(|most| self.session.iteration.get() < most) {
            let mut groups = Groups::new(&plan.groups);
            for (number, step) in plan.steps.iter().enumerate() {
                let now = self.session.shared.clock.now();
                if !self.session.may_start_at(now) {
                    return Life::Walked;
                }
                groups.begin(number, now);
                let passed = self.task(step).run(now).await;
                groups.end(number, passed, &self.session.shared);
                if self.session.shortage().is_some() {
                    return Life::Walked;
                }
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
            if self.task(login).run(self.session.shared.clock.now()).await {
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
