//! `expect:` a text, `{contains: …}` or `{regex: …}`.

use std::borrow::Cow;
use std::fmt;

use regex_lite::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use stampede_plugin::ConfigError;

/// What the data of an event is looked through for.
#[derive(Debug)]
pub enum Expect {
    /// A text, letter by letter.
    Contains(String),
    /// A regular expression that matches somewhere.
    Regex(Regex),
}

impl Expect {
    /// Whether an event is right.
    pub fn accepts(&self, data: &str) -> bool {
        match self {
            Self::Contains(text) => data.contains(text.as_str()),
            Self::Regex(regex) => regex.is_match(data),
        }
    }

    fn regex<E: Error>(pattern: &str) -> Result<Self, E> {
        Regex::new(pattern)
            .map(Self::Regex)
            .map_err(|error| E::custom(format!("`{pattern}` is no regular expression: {error}")))
    }
}

/// What follows "expected an event to".
impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contains(text) => write!(f, "contain `{text}`"),
            Self::Regex(regex) => write!(f, "match `{regex}`"),
        }
    }
}

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(Forms)
    }
}

/// By hand: the messages of an untagged enum would name none of the forms.
struct Forms;

impl<'de> Visitor<'de> for Forms {
    type Value = Expect;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, `{contains: …}` or `{regex: …}`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Expect, E> {
        Ok(Expect::Contains(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Expect, A::Error> {
        let expected = match map.next_entry::<String, Pattern>()? {
            Some((key, Pattern(text))) if key == "contains" => Expect::Contains(text),
            Some((key, Pattern(pattern))) if key == "regex" => Expect::regex(&pattern)?,
            Some((key, _)) => {
                let error = ConfigError::new(format!("`{key}` is no way to look through an event"));
                return Err(A::Error::custom(error.help("expected `contains` or `regex`")));
            }
            None => return Err(A::Error::custom("`expect` must be a text, `{contains: …}` or `{regex: …}`")),
        };
        match map.next_key::<String>()? {
            None => Ok(expected),
            Some(_) => Err(A::Error::custom("`expect` takes one of `contains` and `regex`")),
        }
    }
}

/// A text, of whatever key: which one is known only when both have been read.
#[derive(serde::Deserialize)]
struct Pattern(String);

impl JsonSchema for Expect {
    fn schema_name() -> Cow<'static, str> {
        "Expect".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "object"],
            "properties": { "contains": { "type": "string" }, "regex": { "type": "string" } },
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        })
    }
}
