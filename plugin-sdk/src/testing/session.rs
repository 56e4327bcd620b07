//! Several steps, several users and several times: what the one run of [`Host::run`](super::Host::run) cannot show.

use std::marker::PhantomData;

use super::{Run, state};
use crate::executor::{self, Progress};
use crate::{Action, ConfigError, UserId, glue};

/// The one task at a time.
const TASK: u32 = 0;

/// One instance of a plugin for the whole of a test; from [`Host::session`](super::Host::session).
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
    /// Stays on the thread that the host is of.
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

    /// Configures a step. The parameters are JSON: a text, or what [`json!`](super::json) makes; only the text keeps its
    /// order.
    pub fn configure<A: Action>(&mut self, params: impl ToString) -> Result<Step, ConfigError> {
        glue::configure::<A>(&params.to_string()).map(Step)
    }

    /// Runs a step once for a user, to its end.
    ///
    /// # Panics
    /// If the action sends more requests than there are replies, connects more often than there are peers, or does what
    /// would end the instance.
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

    /// Tells the plugin that a user is gone. Running a step for it once more begins with another user of that number.
    pub fn forget_user(&mut self, user: UserId) {
        executor::forget_user(user);
        state::with(|state| state.forget_user(user));
    }
}

/// Calls into the guest, in which it may ask for what concerns the task.
fn within_task(call: impl FnOnce() -> Progress) -> Progress {
    state::with(|state| state.in_task = true);
    let progress = call();
    state::with(|state| state.in_task = false);
    progress
}
