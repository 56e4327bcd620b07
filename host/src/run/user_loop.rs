//! The loop of one virtual user: it signs in, then walks its scenario's steps, iteration after iteration, until its
//! window, its iterations or its data end.
//!
//! ```text
//!   waiting to begin ─▶ waiting for an iteration ─▶ signing in ─▶ walking ─▶ waiting for an iteration ─▶ … ─▶ gone
//!                                                    │ failed four times ────────────────────────────────▲
//! ```
//!
//! [`Walk`] follows the flow; [`VirtualUser`] runs each step.

use stampede_time::Nanos;

use super::iteration_source::IterationSource;
use super::step_task::StepOutcome;
use super::virtual_user::VirtualUser;
use super::walk::Walk;
use crate::plan::Step;
use crate::user::RowShortage;

/// The waits before the second, third and fourth attempt to sign in.
const SIGN_IN_BACK_OFF: [Nanos; 3] = [500_000_000, 1_000_000_000, 2_000_000_000];

/// The outcome of a user, for the outcome of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum UserOutcome {
    /// The run, or its data, ended before the user was signed in.
    NeverStarted,
    /// The user could not sign in.
    GaveUp,
    /// The user signed in, or the script has no sign-in.
    SignedIn,
}

impl VirtualUser {
    /// Runs the user from waiting to begin until it is gone.
    pub(super) async fn run_to_end(&self) -> UserOutcome {
        let is_always_active = !self.is_arrival_driven();
        // A user spawned for an arrival already owns it; it counts even if the run is ending.
        if is_always_active && !self.session.wait_until(self.session.window.get().begin).await {
            return UserOutcome::NeverStarted;
        }
        self.context.active_users.set(self.context.active_users.get() + u32::from(is_always_active));
        let outcome = self.iterate().await;
        self.iterations.leave(&self.session);
        self.context.active_users.set(self.context.active_users.get() - u32::from(is_always_active));
        self.instances.iter().for_each(|instance| instance.borrow_mut().forget_user(&self.session));
        outcome
    }

    /// Returns true if the user counts as active during its iterations only.
    const fn is_arrival_driven(&self) -> bool {
        match self.iterations {
            IterationSource::SelfPaced(_) => false,
            IterationSource::Arrivals(..) => true,
        }
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
                let data_ended = matches!(self.session.user_shortage(), Some(RowShortage::Stop(_)));
                return if self.session.may_start() && !data_ended {
                    UserOutcome::GaveUp
                } else {
                    UserOutcome::NeverStarted
                };
            }
            login = None;
            let flow = &self.scenario.scenario.flow;
            let is_complete = Walk::new(self, &self.session).flow(flow).await != StepOutcome::CutShort;
            self.finish_iteration(began, is_complete);
            if self.session.user_shortage().is_some() {
                return UserOutcome::SignedIn;
            }
            self.session.iteration.set(self.session.iteration.get() + 1);
        }
        if login.is_none() { UserOutcome::SignedIn } else { UserOutcome::NeverStarted }
    }

    /// Returns when the iteration that is about to begin should have begun.
    fn intended_start(&self) -> Nanos {
        let promise = self.session.promised.get();
        promise.map_or_else(|| self.session.shared.clock.now(), |promise| promise.intended)
    }

    /// Records an iteration that has ended.
    fn finish_iteration(&self, began: Nanos, is_complete: bool) {
        let shared = &self.session.shared;
        if let Some(scenario) = self.scenario.index {
            shared.recorder.borrow_mut().record_iteration(scenario, is_complete, began, shared.clock.now());
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
            if self.session.user_shortage().is_some() {
                return false;
            }
        }
        false
    }
}
