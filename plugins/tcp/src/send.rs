//! `send:` a text, `{hex: …}` or `{base64: …}`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use stampede_plugin::parameters::{Notation, Payload};
use stampede_plugin::{ConfigError, Failure, Task, Template};

/// The bytes that a step sends.
pub(crate) enum Send {
    /// A text, rendered each time.
    Text(Template),
    /// Bytes in a notation.
    Bytes(Payload),
}

impl Send {
    /// Renders the bytes for the task's user.
    pub(crate) fn render(&self, task: &Task) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Text(template) => Ok(template.render(task).into_bytes()),
            Self::Bytes(payload) => payload.render(task),
        }
    }
}

impl<'de> Deserialize<'de> for Send {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(SendVisitor)
    }
}

/// Reads the forms without a derive: the messages of an untagged enum would name none of them.
struct SendVisitor;

impl<'de> Visitor<'de> for SendVisitor {
    type Value = Send;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, `{hex: …}` or `{base64: …}`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Send, E> {
        Template::compile(text).map(Send::Text).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Send, A::Error> {
        let Some((key, text)) = map.next_entry::<String, String>()? else {
            return Err(A::Error::custom("`send` must be a text, `{hex: …}` or `{base64: …}`"));
        };
        let notation = match key.as_str() {
            "hex" => Notation::Hex,
            "base64" => Notation::Base64,
            _ => {
                let error = ConfigError::new(format!("unknown notation `{key}`"));
                return Err(A::Error::custom(error.help("expected `hex` or `base64`")));
            }
        };
        match map.next_key::<String>()? {
            None => Payload::decoded(notation, &text).map(Send::Bytes).map_err(A::Error::custom),
            Some(_) => Err(A::Error::custom("`send` takes one of `hex` and `base64`")),
        }
    }
}

impl JsonSchema for Send {
    fn schema_name() -> Cow<'static, str> {
        "Send".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "object"],
            "properties": { "hex": { "type": "string" }, "base64": { "type": "string" } },
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        })
    }
}
