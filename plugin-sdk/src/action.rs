//! The one trait a plugin implements.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{ConfigError, Outcome, Task};

/// A virtual user's number: from 0, in the order of their start, the same for the whole run.
pub type UserId = u32;

/// A verb that a load script can name. The value is one configured step of the script; all virtual users share it.
///
/// Each worker thread of the host has its own instance of the plugin, and with it its own value per step: what an
/// action keeps in itself is neither shared between threads nor needs a lock.
pub trait Action: Sized + 'static {
    /// The name used in `action:` of a step: lower case letters, digits, `-` and `.`, a letter first.
    const NAME: &'static str;

    /// One line for `stampede-shooter plugins`.
    const SUMMARY: &'static str;

    /// Whether `run` sets variables under names that the script does not mention in `capture:`. If no action does, the
    /// host refuses `{{var x}}` with an `x` that nothing captures.
    const SETS_VARIABLES: bool = false;

    /// The step's own parameters. Doc comments of the fields are shown to users; derive `Deserialize` with
    /// `#[serde(deny_unknown_fields)]`, so that a misspelt key inside a nested mapping is an error too.
    type Params: DeserializeOwned + JsonSchema;

    /// The JSON Schema of [`Params`](Action::Params), if it was written to a file beforehand; by default the component
    /// makes it from the type when the host asks. The code for that is a third of a small component, and a first run
    /// waits until the host has compiled it. See "A fast first start" in the crate's documentation.
    const PARAMS_SCHEMA: Option<&'static str> = None;

    /// Prepares one step of the script, before the run. The place to check parameters and to prepare requests.
    fn configure(params: Self::Params) -> Result<Self, ConfigError>;

    /// One run of the step by one virtual user; implement it as an `async fn`.
    ///
    /// It must never compute for long or wait by other means than the futures of this crate: other users' tasks run on
    /// the same thread, and the host ends a call that takes more than 100 ms as a fault of the plugin. If the task
    /// times out, the future is dropped where it waits.
    fn run(&self, task: &Task) -> impl Future<Output = Outcome>;

    /// A user is gone for good: drop what was kept for it. Called on every step of the plugin.
    fn forget_user(&self, _user: UserId) {}
}
