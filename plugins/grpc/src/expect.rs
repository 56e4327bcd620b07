//! `expect:` a text, or a mapping of conditions, all of which must hold for one message as JSON.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use stampede_plugin::parameters::{JsonPath, Pattern, text_or_mapping};
use stampede_plugin::{ConfigError, Task, Template};

/// Conditions on a message. Without any, every message meets them.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Conditions {
    contains: Option<Template>,
    regex: Option<Pattern>,
    json: Option<JsonPath>,
    equals: Option<Template>,
}

/// The conditions, rendered for one run.
pub(crate) struct RenderedConditions<'a> {
    conditions: &'a Conditions,
    contains: Option<String>,
    equals: Option<String>,
}

impl Conditions {
    /// Renders the conditions for one run.
    pub(crate) fn render(&self, task: &Task) -> RenderedConditions<'_> {
        let render = |template: &Option<Template>| template.map(|template| template.render(task));
        RenderedConditions { conditions: self, contains: render(&self.contains), equals: render(&self.equals) }
    }
}

impl RenderedConditions<'_> {
    /// Returns `true` if the message meets the conditions.
    pub(crate) fn accepts(&self, text: &str) -> bool {
        let Conditions { regex, json, .. } = self.conditions;
        self.contains.as_ref().is_none_or(|part| text.contains(part.as_str()))
            && regex.as_ref().is_none_or(|regex| regex.matches(text))
            && json.as_ref().is_none_or(|path| self.leads(path, text))
    }

    fn leads(&self, path: &JsonPath, text: &str) -> bool {
        let found = path.find_in(text).unwrap_or_default();
        found.is_some_and(|value| self.equals.as_ref().is_none_or(|expected| *expected == value))
    }
}

/// Completes "expected …".
impl fmt::Display for RenderedConditions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")?;
        let mut word = " with";
        let mut next = |f: &mut fmt::Formatter<'_>| f.write_str(std::mem::replace(&mut word, " and"));
        if let Some(text) = &self.contains {
            next(f)?;
            write!(f, " `{text}`")?;
        }
        if let Some(regex) = &self.conditions.regex {
            next(f)?;
            write!(f, " a match of `{regex}`")?;
        }
        if let Some(path) = &self.conditions.json {
            next(f)?;
            write!(f, " `{path}`")?;
            if let Some(value) = &self.equals {
                write!(f, " = `{value}`")?;
            }
        }
        Ok(())
    }
}

/// The `expect:` of a step.
pub(crate) struct Expect(pub Conditions);

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let forms = "a text, or `{contains: …, regex: …, json: …, equals: …}`";
        text_or_mapping(source, forms, Self::of_text, Self::of_mapping)
    }
}

impl Expect {
    fn of_text(text: &str) -> Result<Self, ConfigError> {
        let contains = Some(Template::compile(text)?);
        Ok(Self(Conditions { contains, ..Conditions::default() }))
    }

    fn of_mapping(conditions: Conditions) -> Result<Self, ConfigError> {
        if conditions.equals.is_some() && conditions.json.is_none() {
            return Err(ConfigError::new("`equals` needs `json`").help("give the path of the value with `json`"));
        }
        Ok(Self(conditions))
    }
}

impl JsonSchema for Expect {
    fn schema_name() -> Cow<'static, str> {
        "Expect".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = generator.subschema_for::<Template>();
        json_schema!({
            "type": ["string", "object"],
            "properties": {
                "contains": text,
                "regex": { "type": "string" },
                "json": { "type": "string" },
                "equals": text,
            },
            "additionalProperties": false,
        })
    }
}
