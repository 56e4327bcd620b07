//! A time with its unit, as scripts write it: `500ms`, `2s`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::ConfigError;

/// A time with its unit, read as the host reads those of a script: `500ms`, `2s`, `1m 30s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub struct TimeSpan(pub Duration);

impl TimeSpan {
    /// Parses a time that was typed, or that a template rendered.
    ///
    /// # Errors
    /// The text has no number, no unit, or an unknown unit.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        humantime::parse_duration(text.trim()).map(Self).map_err(|_| {
            ConfigError::new(format!("`{text}` is not a time"))
                .help("write a number and its unit, such as `500ms` or `2s`")
        })
    }
}

impl<'de> Deserialize<'de> for TimeSpan {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(TimeSpanVisitor)
    }
}

/// Reads numbers as well, so that a time without its unit is reported as such.
struct TimeSpanVisitor;

impl Visitor<'_> for TimeSpanVisitor {
    type Value = TimeSpan;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time with its unit")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<TimeSpan, E> {
        TimeSpan::parse(text).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<TimeSpan, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<TimeSpan, E> {
        self.visit_str(&number.to_string())
    }
}

impl JsonSchema for TimeSpan {
    fn schema_name() -> Cow<'static, str> {
        "TimeSpan".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}
