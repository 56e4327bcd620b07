//! `set`: variables of the user, from templates.

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::{Action, ConfigError, Failure, Fields, Outcome, Task};

/// The longest name that the host takes, in bytes.
const LONGEST_NAME: usize = 256;

/// The longest value that the host takes, in bytes.
const LONGEST_VALUE: usize = 64 << 10;

/// The parameters of `set`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// Names and values. They are set in the order typed, and each value may read the variables before it.
    #[schemars(extend("x-sets-variables" = true))]
    variables: Fields,
}

/// One configured step.
pub(crate) struct Set(Fields);

impl Action for Set {
    const NAME: &'static str = "set";
    const SUMMARY: &'static str = "sets variables that later steps read with `{{var name}}`";
    const SETS_VARIABLES: bool = true;
    const PARAMS_SCHEMA: Option<&'static str> = Some(include_str!("../schema/set.json"));
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        let wrong = |message: String| Err(ConfigError::new(message).at("/variables"));
        if params.variables.is_empty() {
            return wrong("`variables` is empty".to_owned());
        }
        if let Some((name, _)) = params.variables.iter().find(|(name, _)| !(1..=LONGEST_NAME).contains(&name.len())) {
            return wrong(format!("the name of a variable has 1 to {LONGEST_NAME} bytes, got {}", name.len()));
        }
        if let Some(name) = params.variables.repeated_name() {
            return Err(ConfigError::new(format!("the variable `{name}` takes one value")).at("/variables"));
        }
        Ok(Self(params.variables))
    }

    async fn run(&self, task: &Task) -> Outcome {
        for (name, value) in self.0.iter() {
            let value = value.render(task);
            if value.len() > LONGEST_VALUE {
                let length = value.len();
                return Err(Failure::check(format!("a variable holds {LONGEST_VALUE} bytes, `{name}` got {length}")));
            }
            task.user().set_variable(name, &value);
        }
        Ok(())
    }
}
