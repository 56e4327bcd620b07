//! A regular expression.

use std::borrow::Cow;
use std::fmt;

use regex_lite::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};

use crate::ConfigError;

/// A regular expression in the syntax of [`regex-lite`](https://docs.rs/regex-lite).
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Parses a regular expression.
    ///
    /// # Errors
    /// The text is not a regular expression.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let wrong = |error| ConfigError::new(format!("`{text}` is not a regular expression: {error}"));
        Regex::new(text).map(Self).map_err(wrong)
    }

    /// Returns `true` if it matches somewhere in the text.
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// Returns the text that its first group matched; all that it matched if it has no group, or that group took no
    /// part.
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
        Self::parse(&String::deserialize(source)?).map_err(D::Error::custom)
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
