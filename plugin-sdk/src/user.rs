//! The virtual user on whose behalf a task runs.

use crate::bindings::user;
use crate::{Failure, Task, UserId};

/// The task's user; from [`Task::user`].
#[derive(Clone, Copy, Debug)]
pub struct User<'t> {
    /// There is a user only as long as there is a task.
    _task: &'t Task,
}

impl<'t> User<'t> {
    pub(crate) fn new(task: &'t Task) -> Self {
        Self { _task: task }
    }

    /// Who it is.
    pub fn id(self) -> UserId {
        user::id()
    }

    /// How many times the user has walked the whole script so far; 0 during the first walk and the login before it.
    pub fn iteration(self) -> u64 {
        user::iteration()
    }

    /// A variable's value, if it is set.
    pub fn variable(self, name: &str) -> Option<String> {
        user::variable(name)
    }

    /// Sets a variable, to be read by `{{var name}}` in later steps. Kept until the user ends. An action that does this
    /// says so in [`Action::SETS_VARIABLES`](crate::Action::SETS_VARIABLES).
    pub fn set_variable(self, name: &str, value: &str) {
        user::set_variable(name, value);
    }

    /// Adds a field to every request of this user that is submitted from now on; the same name replaces the value. The
    /// value is a secret: the host never prints it. A field that HTTP does not allow is a failure of kind `check`.
    pub fn set_header(self, name: &str, value: &str) -> Result<(), Failure> {
        user::set_header(name, value).map_err(Failure::check)
    }

    /// The next number of the user's own random stream: the same seed gives the same numbers.
    pub fn random(self) -> u64 {
        user::random()
    }
}
