//! `save:` variables from a message.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, Error};

use super::{JsonPath, Pattern};
use crate::{Failure, Outcome, Task};

/// The longest name that the host takes, in bytes.
const LONGEST_NAME: usize = 256;

/// The longest value that the host takes, in bytes.
const LONGEST_VALUE: usize = 64 << 10;

/// The place of a value in a message.
#[derive(Clone, Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ValueSource {
    /// A JSONPath.
    json: Option<JsonPath>,
    /// A regular expression: its first group, or all that it matches.
    regex: Option<Pattern>,
    /// `true`: the host never shows the value.
    #[serde(default)]
    #[expect(dead_code, reason = "the host reads it in the script")]
    secret: bool,
}

/// Variables to set from a message: `{name: {json: …}}` or `{name: {regex: …}}`. The default sets none.
///
/// An action with this parameter sets [`Action::SETS_VARIABLES`](crate::Action::SETS_VARIABLES).
#[derive(Clone, Debug, Default)]
pub struct Save(BTreeMap<String, ValueSource>);

impl Save {
    /// Returns `true` if there are no variables to set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets the variables of the task's user from a message.
    ///
    /// # Errors
    /// The message has no such value, or one that is longer than the host takes (64 KiB): a failure of kind
    /// [`FailureKind::Check`](crate::FailureKind::Check). The variables whose names come before are set by then.
    pub fn apply(&self, text: &str, task: &Task) -> Outcome {
        for (name, source) in &self.0 {
            let value = match source {
                ValueSource { json: Some(path), .. } => {
                    path.find_in(text).and_then(|found| found.ok_or_else(|| format!("nothing at `{path}`")))
                }
                ValueSource { regex: Some(pattern), .. } => {
                    pattern.find(text).ok_or_else(|| format!("nothing matches `{pattern}`"))
                }
                ValueSource { .. } => Ok(String::new()),
            };
            let value = value.map_err(|why| Failure::check(format!("save `{name}`: {why}")))?;
            if value.len() > LONGEST_VALUE {
                let length = value.len();
                return Err(Failure::check(format!(
                    "save `{name}`: a variable holds {LONGEST_VALUE} bytes, got {length}"
                )));
            }
            task.user().set_variable(name, &value);
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Save {
    /// Also rejects names for which the host would end the instance.
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let sources = BTreeMap::<String, ValueSource>::deserialize(source)?;
        for (name, source) in &sources {
            if !(1..=LONGEST_NAME).contains(&name.len()) {
                let length = name.len();
                let message = format!("the name of a variable has 1 to {LONGEST_NAME} bytes, got {length}");
                return Err(D::Error::custom(message));
            }
            if source.json.is_some() == source.regex.is_some() {
                return Err(D::Error::custom(format!("`{name}` takes one of `json` and `regex`")));
            }
        }
        Ok(Self(sources))
    }
}

impl JsonSchema for Save {
    fn schema_name() -> Cow<'static, str> {
        "Save".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = generator.subschema_for::<BTreeMap<String, ValueSource>>();
        // The keys are the names of the variables.
        schema.insert("x-sets-variables".into(), true.into());
        schema
    }
}
