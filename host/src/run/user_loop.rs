//! One virtual user: signs in, then walks its scenario's steps, iteration after iteration, until its time, its turns or its
//! data are over.
//!
//! ```text
//!   waiting for its time ─▶ waiting for a turn ─▶ signing in ─▶ walking ─▶ waiting for a turn ─▶ … ─▶ gone
//!                                                  │ failed four times ──────────────────────────────▲
//! ```
//!
//! What it walks is in [`Walk`]; each step is taken by [`VirtualUser`].

use stampede_time::Nanos;

use super::iteration_source::Turns;
use super::step_task::Ran;
use super::virtual_user::VirtualUser;
use super::walk::Walk;
use crate::plan::Step;
use crate::user::Shortage;

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

impl VirtualUser {
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
