//! Sessions of several steps, users and runs, for tests that need more than the one run of
//! [`Host::run`](super::Host::run).

use std::marker::PhantomData;

use super::{DeclaredLifetime, Run, state};
use crate::executor::{self, Progress};
use crate::{Action, ConfigError, UserId, glue};

/// The number of the task: there is one at a time.
const TASK: u32 = 0;

/// An instance of a plugin for several runs of a test; from [`Host::session`](super::Host::session).
///
/// ```
/// # use stampede_plugin::testing::{Host, json};
/// # use stampede_plugin::{Action, ConfigError, Outcome, PerUser, Task};
/// # struct Count(PerUser<u32>);
/// # impl Action for Count {
/// #     const NAME: &'static str = "count";
/// #     const SUMMARY: &'static str = "";
/// #     type Params = Option<u8>;
/// #     fn configure(_: Option<u8>) -> Result<Self, ConfigError> { Ok(Self(PerUser::new())) }
/// #     async fn run(&self, task: &Task) -> Outcome {
/// #         let count = self.0.with(task, |count| { *count += 1; *count });
/// #         task.user().set_variable("count", &count.to_string());
/// #         Ok(())
/// #     }
/// # }
/// let mut session = Host::new().session();
/// let step = session.configure::<Count>(json!(null)).expect("the parameters are right");
/// assert_eq!(session.run(step, 0).variable("count"), Some("1"));
/// assert_eq!(session.run(step, 1).variable("count"), Some("1"));
/// assert_eq!(session.run(step, 0).variable("count"), Some("2"));
/// session.forget_user(0);
/// assert_eq!(session.run(step, 0).variable("count"), Some("1"));
/// ```
#[derive(Debug)]
pub struct Session {
    /// Keeps it on its thread, which the host belongs to.
    thread: PhantomData<*const ()>,
}

/// A step that a [`Session`] has configured.
#[derive(Clone, Copy, Debug)]
pub struct Step(u32);

impl Session {
    pub(super) fn new(script: state::Script) -> Self {
        executor::reset();
        state::begin(script);
        Self { thread: PhantomData }
    }

    /// Configures a step. The parameters are JSON: a text, or a value of [`json!`](super::json); only the text keeps
    /// its order.
    pub fn configure<A: Action>(&mut self, params: impl ToString) -> Result<Step, ConfigError> {
        state::with(|state| state.declared = DeclaredLifetime::default());
        glue::configure::<A>(&params.to_string()).map(Step)
    }

    /// Returns the lifetime of tasks that the step configured last has declared.
    pub fn declared_lifetime(&self) -> DeclaredLifetime {
        state::with(|state| state.declared)
    }

    /// Runs a step once for a user, to its end.
    ///
    /// # Panics
    /// The action sends more requests than there are replies, connects more often than there are peers, or does
    /// something for which the host would end the instance.
    pub fn run(&mut self, step: Step, user: UserId) -> Run {
        state::with(|state| state.begin_task(user));
        let mut progress = within_task(|| executor::start(step.0, TASK));
        while progress == Progress::Pending {
            let Some(operation) = state::complete_next() else {
                executor::cancel(TASK);
                state::with(state::State::stuck);
                break;
            };
            progress = within_task(|| executor::resume(TASK, operation));
        }
        state::with(|state| state.end_task(progress == Progress::Passed))
    }

    /// Tells the plugin that a user is gone. A later run with that number begins with a new user.
    pub fn forget_user(&mut self, user: UserId) {
        executor::forget_user(user);
        state::with(|state| state.forget_user(user));
    }
}

/// Calls into the guest, which may call the imports of a task meanwhile.
fn within_task(call: impl FnOnce() -> Progress) -> Progress {
    state::with(|state| state.in_task = true);
    let progress = call();
    state::with(|state| state.in_task = false);
    progress
}
