//! What a reply's content is looked through for: a text, `{contains: …}` or `{regex: …}`. The plugin `sse` has this file
//! as a module too.

use std::borrow::Cow;
use std::fmt;

use regex_lite::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use stampede_plugin::ConfigError;

use crate::shorthand;

/// What a body, or an event, is looked through for.
#[derive(Debug)]
pub enum Search {
    /// A text, letter by letter.
    Contains(String),
    /// A regular expression that matches somewhere.
    Regex(Regex),
}

impl Search {
    /// Whether a content is right.
    pub fn accepts(&self, content: &str) -> bool {
        match self {
            Self::Contains(text) => content.contains(text.as_str()),
            Self::Regex(regex) => regex.is_match(content),
        }
    }
}

/// What follows "expected the body to".
impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contains(text) => write!(f, "contain `{text}`"),
            Self::Regex(regex) => write!(f, "match `{regex}`"),
        }
    }
}

impl<'de> Deserialize<'de> for Search {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let forms = "a text, `{contains: …}` or `{regex: …}`";
        shorthand::read(source, forms, |text| Ok(Self::Contains(text.to_owned())), Self::of_mapping)
    }
}

/// A mapping, of which one key is there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mapping {
    contains: Option<String>,
    regex: Option<String>,
}

impl Search {
    fn of_mapping(mapping: Mapping) -> Result<Self, ConfigError> {
        match mapping {
            Mapping { contains: Some(text), regex: None } => Ok(Self::Contains(text)),
            Mapping { contains: None, regex: Some(pattern) } => {
                let wrong = |error| ConfigError::new(format!("`{pattern}` is no regular expression: {error}"));
                Regex::new(&pattern).map(Self::Regex).map_err(wrong)
            }
            _ => Err(ConfigError::new("expected one of `contains` and `regex`")),
        }
    }
}

impl JsonSchema for Search {
    fn schema_name() -> Cow<'static, str> {
        "Search".into()
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
