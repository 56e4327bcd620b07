//! The virtual user on whose behalf a task runs.

use crate::bindings::user;
use crate::{Failure, Task, UserId};

/// The task's user; from [`Task::user`].
#[derive(Clone, Copy, Debug)]
pub struct User<'t> {
    /// Keeps it within the task: between tasks there is no current user.
    _task: &'t Task,
}

impl<'t> User<'t> {
    pub(crate) fn new(task: &'t Task) -> Self {
        Self { _task: task }
    }

    /// Returns the user's number.
    pub fn id(self) -> UserId {
        user::id()
    }

    /// Returns the number of iterations of the script that the user has completed; 0 during the first one and the login
    /// before it.
    pub fn iteration(self) -> u64 {
        user::iteration()
    }

    /// Returns a variable's value, if it is set.
    pub fn variable(self, name: &str) -> Option<String> {
        user::variable(name)
    }

    /// Sets a variable, which later steps read with `{{var name}}`. It is kept until the user ends. An action that does
    /// this declares it in [`Action::SETS_VARIABLES`](crate::Action::SETS_VARIABLES).
    pub fn set_variable(self, name: &str, value: &str) {
        user::set_variable(name, value);
    }

    /// Adds a field to every request that this user submits from now on; the same name replaces the value. The value is
    /// a secret: the host never prints it.
    ///
    /// # Errors
    /// HTTP does not allow the field: a failure of kind `check`.
    pub fn set_header(self, name: &str, value: &str) -> Result<(), Failure> {
        user::set_header(name, value).map_err(Failure::check)
    }

    /// Returns the next number of the user's own random stream: the same seed gives the same numbers.
    pub fn random(self) -> u64 {
        user::random()
    }
}
