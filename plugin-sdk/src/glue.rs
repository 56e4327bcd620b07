//! The contract's exports, implemented on the executor. Public only for [`plugin!`](crate::plugin); authors need none
//! of it.

use schemars::generate::SchemaSettings;

use crate::bindings::exports::stampede::plugin::action as raw;
use crate::parameters::parse;
use crate::{Action, ConfigError, executor};

pub use crate::bindings::{export, exports};

/// A list of actions, as [`plugin!`](crate::plugin) declares it.
pub trait Plugin {
    /// The name of the plugin's package.
    const NAME: &'static str;
    /// The version of the plugin's package.
    const VERSION: &'static str;
    /// The actions, at least one.
    const ACTIONS: &'static [Offer];
}

/// An action with its type erased.
#[derive(Debug)]
pub struct Offer {
    /// The name in `action:` of a step.
    name: &'static str,
    describe: fn() -> raw::ActionDescription,
    configure: fn(&str) -> Result<u32, ConfigError>,
}

impl Offer {
    /// Erases the type of an action.
    pub const fn of<A: Action>() -> Self {
        Self { name: A::NAME, describe: describe::<A>, configure: configure::<A> }
    }
}

/// Describes an action to the host.
fn describe<A: Action>() -> raw::ActionDescription {
    raw::ActionDescription {
        name: A::NAME.to_owned(),
        summary: A::SUMMARY.to_owned(),
        params_schema: schema::<A>(),
        sets_variables: A::SETS_VARIABLES,
    }
}

/// Returns the schema that the host gets: the one from a file, or else the one of the type. The choice is made when the
/// plugin is compiled, so a plugin with its schema in a file has no code that generates schemas.
pub(crate) fn schema<A: Action>() -> String {
    A::PARAMS_SCHEMA.map_or_else(|| schema_of_type::<A>().to_string(), str::to_owned)
}

/// Generates a JSON Schema (draft 2020-12) without references, so that no reader needs to follow any.
pub(crate) fn schema_of_type<A: Action>() -> serde_json::Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<A::Params>().to_value()
}

/// Configures a step from its parameters, and returns its number.
pub(crate) fn configure<A: Action>(params: &str) -> Result<u32, ConfigError> {
    parse::parse(params).and_then(A::configure).map(executor::add_step)
}

/// The exports. One implementation serves every plugin, so the macro expands to little code.
impl<P: Plugin> raw::Guest for P {
    fn describe() -> raw::Description {
        raw::Description {
            name: P::NAME.to_owned(),
            version: P::VERSION.to_owned(),
            actions: P::ACTIONS.iter().map(|offer| (offer.describe)()).collect(),
        }
    }

    fn configure(action: String, params: String) -> Result<u32, raw::ConfigError> {
        let offer = P::ACTIONS.iter().find(|offer| offer.name == action);
        let configured = match offer {
            Some(offer) => (offer.configure)(&params),
            None => Err(ConfigError::new(format!("plugin `{}` has no action `{action}`", P::NAME))),
        };
        configured.map_err(|error| raw::ConfigError {
            pointer: error.pointer,
            message: error.message,
            help: error.help,
        })
    }

    fn start(step: u32, task: u32) -> raw::Progress {
        executor::start(step, task).into()
    }

    fn resume(task: u32, operation: u32) -> raw::Progress {
        executor::resume(task, operation).into()
    }

    fn cancel(task: u32) {
        executor::cancel(task);
    }

    fn forget_user(user: u32) {
        executor::forget_user(user);
    }
}

impl From<executor::Progress> for raw::Progress {
    fn from(progress: executor::Progress) -> Self {
        match progress {
            executor::Progress::Pending => Self::Pending,
            executor::Progress::Passed => Self::Passed,
            executor::Progress::Failed => Self::Failed,
        }
    }
}
