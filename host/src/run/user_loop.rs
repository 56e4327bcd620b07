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

use super::iteration_source::IterationSource;
use super::step_task::StepOutcome;
use super::virtual_user::VirtualUser;
use super::walk::Walk;
use crate::plan::Step;
use crate::user::RowShortage;

/// Waits before the second, third and fourth attempt to sign in.
const SIGN_IN_BACK_OFF: [Nanos; 3] = [500_000_000, 1_000_000_000, 2_000_000_000];

/// How the life of a user went, for the outcome of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UserOutcome {
    /// The run, or its data, ended before it was signed in.
    NeverStarted,
    /// It could not sign in.
    GaveUp,
    /// It signed in, or there was no need to.
    SignedIn,
}

impl VirtualUser {
    /// The whole life.
    pub async fn run_to_end(&self) -> UserOutcome {
        let is_always_active = !self.is_arrival_driven();
        // Who was made for an arrival has it in hand, and it counts whatever comes.
        if is_always_active && !self.session.wait_until(self.session.window.get().begin).await {
            return UserOutcome::NeverStarted;
        }
        self.context.active_users.set(self.context.active_users.get() + u32::from(is_always_active));
        let outcome = self.iterate().await;
        self.context.active_users.set(self.context.active_users.get() - u32::from(is_always_active));
        self.instances.iter().for_each(|replica| replica.borrow_mut().forget_user(&self.session));
        outcome
    }

    /// Whether it counts as active only during its iterations.
    const fn is_arrival_driven(&self) -> bool {
        matches!(self.iterations, IterationSource::Arrivals(..))
    }

    async fn iterate(&self) -> UserOutcome {
        let mut login = self.context.plan.login.as_ref();
        while self.iterations.next(&self.session).await {
            // An iteration that never waits must not keep the worker to itself.
            tokio::task::consume_budget().await;
            let began = self.intended_start();
            self.session.http.begin_iteration();
            self.context.active_users.set(self.context.active_users.get() + u32::from(self.is_arrival_driven()));
            if let Some(step) = login
                && !self.sign_in(step).await
            {
                self.finish_iteration(began, false);
                let data_ended = matches!(self.session.shortage(), Some(RowShortage::Stop(_)));
                return if self.session.may_start() && !data_ended {
                    UserOutcome::GaveUp
                } else {
                    UserOutcome::NeverStarted
                };
            }
            login = None;
            let is_complete = Walk::new(self, &self.session).flow(&self.scenario.1.flow).await != StepOutcome::CutShort;
            self.finish_iteration(began, is_complete);
            if self.session.shortage().is_some() {
                self.iterations.stop();
                return UserOutcome::SignedIn;
            }
            self.session.iteration.set(self.session.iteration.get() + 1);
        }
        if login.is_none() { UserOutcome::SignedIn } else { UserOutcome::NeverStarted }
    }

    /// When the iteration began that is about to: then it should have.
    fn intended_start(&self) -> Nanos {
        let promise = self.session.promised.get();
        promise.map_or_else(|| self.session.shared.clock.now(), |promise| promise.intended)
    }

    /// An iteration has ended.
    fn finish_iteration(&self, began: Nanos, is_complete: bool) {
        let shared = &self.session.shared;
        if let (Some(scenario), _) = self.scenario {
            shared.recorder.borrow_mut().record_iteration(scenario, is_complete, (began, shared.clock.now()));
        }
        self.context.active_users.set(self.context.active_users.get() - u32::from(self.is_arrival_driven()));
    }

    async fn sign_in(&self, login: &Step) -> bool {
        for pause in std::iter::once(0).chain(SIGN_IN_BACK_OFF) {
            let again = self.session.shared.clock.now().saturating_add(pause);
            if !self.session.wait_until(again).await {
                return false;
            }
            if self.run_step(&self.session, login, self.session.shared.clock.now()).await == StepOutcome::Passed {
                self.session.http.save_login_cookies();
                return true;
            }
            if self.session.shortage().is_some() {
                return false;
            }
        }
        false
    }
}
