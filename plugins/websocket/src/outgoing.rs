//! `send:` a text, `{json: …}`, `{hex: …}`, `{base64: …}` or `{ping: …}`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use stampede_plugin::parameters::{Notation, Payload};
use stampede_plugin::{ConfigError, Failure, JsonTemplate, Task, Template};
use tungstenite::Message;

/// The longest payload of a control frame, in bytes (RFC 6455, section 5.5).
const LONGEST_PING: usize = 125;

/// The message that a step sends.
pub(crate) enum Outgoing {
    /// A text message.
    Text(Template),
    /// A binary message.
    Binary(Payload),
    /// A ping, whose payload the pong repeats.
    Ping(Template),
}

impl Outgoing {
    /// Renders the message for the task's user.
    pub(crate) fn render(&self, task: &Task) -> Result<Message, Failure> {
        match self {
            Self::Text(text) => Ok(Message::text(text.render(task))),
            Self::Binary(payload) => payload.render(task).map(Message::binary),
            Self::Ping(text) => {
                let payload = text.render(task);
                if payload.len() > LONGEST_PING {
                    let length = payload.len();
                    return Err(Failure::check(format!("a ping holds {LONGEST_PING} bytes, got {length}")));
                }
                Ok(Message::Ping(payload.into()))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Outgoing {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(OutgoingVisitor)
    }
}

/// Reads the forms without a derive: the messages of an untagged enum would name none of them.
struct OutgoingVisitor;

impl<'de> Visitor<'de> for OutgoingVisitor {
    type Value = Outgoing;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, `{json: …}`, `{hex: …}`, `{base64: …}` or `{ping: …}`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Outgoing, E> {
        Template::compile(text).map(Outgoing::Text).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outgoing, A::Error> {
        const KEYS: &str = "expected `text`, `json`, `hex`, `base64` or `ping`";
        let Some(key) = map.next_key::<String>()? else {
            return Err(A::Error::custom(ConfigError::new("`send` is empty").help(KEYS)));
        };
        let outgoing = match key.as_str() {
            "text" => Outgoing::Text(map.next_value()?),
            "json" => Outgoing::Text(map.next_value::<JsonTemplate>()?.0),
            "hex" => binary(Notation::Hex, &map.next_value::<String>()?)?,
            "base64" => binary(Notation::Base64, &map.next_value::<String>()?)?,
            "ping" => Outgoing::Ping(map.next_value()?),
            _ => return Err(A::Error::custom(ConfigError::new(format!("unknown kind of message `{key}`")).help(KEYS))),
        };
        match map.next_key::<String>()? {
            None => Ok(outgoing),
            Some(_) => Err(A::Error::custom(ConfigError::new("`send` takes one message").help(KEYS))),
        }
    }
}

fn binary<E: Error>(notation: Notation, text: &str) -> Result<Outgoing, E> {
    Payload::decoded(notation, text).map(Outgoing::Binary).map_err(E::custom)
}

impl JsonSchema for Outgoing {
    fn schema_name() -> Cow<'static, str> {
        "Send".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (text, json) = (generator.subschema_for::<Template>(), generator.subschema_for::<JsonTemplate>());
        json_schema!({
            "type": ["string", "object"],
            "properties": {
                "text": text,
                "json": json,
                "hex": { "type": "string" },
                "base64": { "type": "string" },
                "ping": text,
            },
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        })
    }
}
