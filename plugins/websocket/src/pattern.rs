//! Ways to find something in a message: a JSONPath, a regular expression.

use std::borrow::Cow;
use std::fmt;

use regex_lite::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;
use serde_json_path::JsonPath;

/// A JSONPath (RFC 9535).
pub struct Path(JsonPath);

impl Path {
    /// The first value that it leads to, as a text: what a JSON string holds, of all else its JSON.
    pub fn find(&self, document: &Value) -> Option<String> {
        Some(match self.0.query(document).first()? {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let text = String::deserialize(source)?;
        JsonPath::parse(&text).map(Self).map_err(|error| {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
            D::Error::custom(format!("`{text}` is no JSONPath: {why}"))
        })
    }
}

impl JsonSchema for Path {
    fn schema_name() -> Cow<'static, str> {
        "Path".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// A regular expression.
pub struct Pattern(Regex);

impl Pattern {
    /// Whether it matches somewhere.
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// What its first group matched; without groups, what it matched.
    pub fn find(&self, text: &str) -> Option<String> {
        let found = self.0.captures(text)?;
        found.get(1).or_else(|| found.get(0)).map(|part| part.as_str().to_owned())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let text = String::deserialize(source)?;
        let compiled = Regex::new(&text).map(Self);
        compiled.map_err(|error| D::Error::custom(format!("`{text}` is no regular expression: {error}")))
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}
