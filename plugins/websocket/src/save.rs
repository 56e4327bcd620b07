//! `save:` variables from a message.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::{ConfigError, Failure, Outcome, Task};

use crate::pattern::{Path, Pattern, document};

/// The longest name that the host takes, in bytes.
const LONGEST_NAME: usize = 256;

/// The longest value that the host takes, in bytes.
const LONGEST_VALUE: usize = 64 << 10;

/// Where one value is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// A JSONPath.
    json: Option<Path>,
    /// A regular expression: its first group, or all that it matches.
    regex: Option<Pattern>,
}

/// Names of variables, and where their values are.
pub struct Save(BTreeMap<String, Source>);

impl Save {
    /// Checks what the host would end the instance for.
    pub fn new(sources: BTreeMap<String, Source>) -> Result<Self, ConfigError> {
        let wrong = |message: String| Err(ConfigError::new(message).at("/save"));
        for (name, source) in &sources {
            if !(1..=LONGEST_NAME).contains(&name.len()) {
                return wrong(format!("the name of a variable has 1 to {LONGEST_NAME} bytes, got {}", name.len()));
            }
            if source.json.is_some() == source.regex.is_some() {
                return wrong(format!("`{name}` takes one of `json` and `regex`"));
            }
        }
        Ok(Self(sources))
    }

    /// Sets the variables from a message.
    pub fn apply(&self, text: &str, task: &Task) -> Outcome {
        let mut read = None;
        for (name, source) in &self.0 {
            let value = match source {
                Source { json: Some(path), .. } => {
                    let read = read.get_or_insert_with(|| document(text));
                    let found = read.as_ref().and_then(|document| path.find(document));
                    found.ok_or_else(|| format!("nothing at `{path}`"))
                }
                Source { regex: Some(pattern), .. } => {
                    pattern.find(text).ok_or_else(|| format!("nothing matches `{pattern}`"))
                }
                Source { .. } => Ok(String::new()),
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
