//! The trait that a plugin implements.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{ConfigError, Outcome, Task};

/// The number of a virtual user: from 0, in the order in which users start; a user keeps it for the whole run.
pub type UserId = u32;

/// A verb that a load script can name. The value is one configured step of the script; all virtual users share it.
///
/// Each worker thread of the host has its own instance of the plugin, and with it its own value per step: the fields of
/// an action are not shared between threads and need no lock.
pub trait Action: Sized + 'static {
    /// The name used in `action:` of a step: lower case letters, digits, `-` and `.`, a letter first.
    const NAME: &'static str;

    /// One line for `stampede-shooter plugins`.
    const SUMMARY: &'static str;

    /// `true` if `run` sets variables. Their names are the keys of those parameters whose schema has the keyword
    /// `x-sets-variables: true`, as `#[schemars(extend("x-sets-variables" = true))]` writes it; without such a
    /// parameter the host cannot know them before the run. If it knows all names, it rejects `{{var x}}` with an `x`
    /// that nothing sets. A variable whose value there is a mapping with `secret: true` is never shown.
    const SETS_VARIABLES: bool = false;

    /// The step's own parameters. Users see the doc comments of the fields; derive `Deserialize` with
    /// `#[serde(deny_unknown_fields)]`, so that a misspelt key inside a nested mapping is an error too.
    type Params: DeserializeOwned + JsonSchema;

    /// The JSON Schema of [`Params`](Action::Params), if it was written to a file beforehand; by default the component
    /// generates it from the type when the host asks. The code for that is a third of a small component, and a first
    /// run waits until the host has compiled it. See "A fast first start" in the crate's documentation.
    const PARAMS_SCHEMA: Option<&'static str> = None;

    /// Prepares one step of the script, before the run: checks its parameters, prepares its requests.
    ///
    /// # Errors
    /// The parameters are wrong. The host shows the message at their place in the script.
    fn configure(params: Self::Params) -> Result<Self, ConfigError>;

    /// Runs the step once for one virtual user; implement it as an `async fn`.
    ///
    /// It must never compute for long or wait by other means than the futures of this crate: other users' tasks run on
    /// the same thread, and the host ends a call that takes more than 100 ms as a fault of the plugin. If the task
    /// times out, the future is dropped where it waits.
    fn run(&self, task: &Task) -> impl Future<Output = Outcome>;

    /// Drops the state of a user who is gone for good. Called on every step of the plugin.
    fn forget_user(&self, _user: UserId) {}
}
