//! Parameters with `{{helpers}}` in them. The host compiles and renders them; a plugin holds a number.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::bindings::templates;
use crate::{ConfigError, Task};

/// A text with `{{helpers}}`, which are rendered again for each request.
///
/// As a field of an action's parameters it is compiled while the parameters are read, and an error in it is an error
/// at its place in the script. Numbers and `true` or `false` are taken as their text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template(pub(crate) u32);

impl Template {
    /// Compiles a text. Only within [`Action::configure`](crate::Action::configure): later the host ends the instance.
    ///
    /// # Errors
    /// The text is not a template, such as one with an unknown helper.
    pub fn compile(source: &str) -> Result<Self, ConfigError> {
        templates::compile(source).map(Self).map_err(|error| ConfigError {
            pointer: String::new(),
            message: error.message,
            help: error.help,
        })
    }

    /// Renders the text for the task's user. Each call draws new values from the user's random stream, so render once
    /// where two places must agree. To send a template in a request, pass it to the request instead.
    pub fn render(&self, _task: &Task) -> String {
        templates::render(self.0)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(TemplateVisitor)
    }
}

/// Reads any scalar: YAML reads `page: 7` as a number, and its author meant a text.
pub(crate) struct TemplateVisitor;

impl Visitor<'_> for TemplateVisitor {
    type Value = Template;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Template, E> {
        Template::compile(text).map_err(E::custom)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Template, E> {
        self.visit_str(if value { "true" } else { "false" })
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Template, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Template, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Template, E> {
        self.visit_str(&value.to_string())
    }
}

impl JsonSchema for Template {
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // The types that `TemplateVisitor` above reads.
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}
