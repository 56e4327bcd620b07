//! A condition on a reply's content: a text, `{contains: …}` or `{regex: …}`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::{Pattern, text_or_mapping};
use crate::ConfigError;

/// A condition on a text, such as a reply's body or an event: a text in it, `{contains: …}` or `{regex: …}`.
///
/// As a [`Display`](fmt::Display) it completes "expected the body to …": `` contain `ok` ``, `` match `o[jk]` ``.
#[derive(Clone, Debug)]
pub enum Search {
    /// A text, letter by letter.
    Contains(String),
    /// A regular expression that matches somewhere.
    Regex(Pattern),
}

impl Search {
    /// Returns `true` if the content contains the text, or the regular expression matches somewhere in it.
    pub fn accepts(&self, content: &str) -> bool {
        match self {
            Self::Contains(text) => content.contains(text.as_str()),
            Self::Regex(pattern) => pattern.matches(content),
        }
    }
}

impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contains(text) => write!(f, "contain `{text}`"),
            Self::Regex(pattern) => write!(f, "match `{pattern}`"),
        }
    }
}

impl<'de> Deserialize<'de> for Search {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let forms = "a text, `{contains: …}` or `{regex: …}`";
        text_or_mapping(source, forms, |text| Ok(Self::Contains(text.to_owned())), Self::of_mapping)
    }
}

/// The mapping, which has exactly one of the keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SearchMapping {
    contains: Option<String>,
    regex: Option<String>,
}

impl Search {
    fn of_mapping(mapping: SearchMapping) -> Result<Self, ConfigError> {
        match mapping {
            SearchMapping { contains: Some(text), regex: None } => Ok(Self::Contains(text)),
            SearchMapping { contains: None, regex: Some(pattern) } => Pattern::parse(&pattern).map(Self::Regex),
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
