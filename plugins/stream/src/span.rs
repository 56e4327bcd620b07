//! A time that is fixed or drawn for each use: `5m`, or `{uniform: [5m, 40m]}`.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use stampede_plugin::ConfigError;
use stampede_plugin::parameters::{TimeSpan, text_or_mapping};
use viewer_core::{Micros, Uniform};

/// A time from a range, both ends included; a fixed time is a range of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The shortest time.
    pub(crate) from: Duration,
    /// The longest time.
    pub(crate) to: Duration,
}

/// The mapping form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Drawn {
    uniform: Vec<TimeSpan>,
}

impl Span {
    /// Returns the range in the player's unit.
    pub(crate) fn uniform(self) -> Uniform {
        Uniform { from: micros(self.from), to: micros(self.to) }
    }

    fn of_text(text: &str) -> Result<Self, ConfigError> {
        TimeSpan::parse(text).map(|TimeSpan(time)| Self { from: time, to: time })
    }

    fn of_mapping(Drawn { uniform }: Drawn) -> Result<Self, ConfigError> {
        match uniform[..] {
            [TimeSpan(from), TimeSpan(to)] if from <= to => Ok(Self { from, to }),
            _ => {
                Err(ConfigError::new("`uniform` is not a range")
                    .help("write `{uniform: [5m, 40m]}`, the shorter first"))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let forms = "a time with its unit, or `{uniform: [5m, 40m]}`";
        text_or_mapping(source, forms, Self::of_text, Self::of_mapping)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let range = json_schema!({
            "type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2
        });
        json_schema!({
            "type": ["string", "object"], "properties": {"uniform": range}, "required": ["uniform"],
            "additionalProperties": false
        })
    }
}

/// Returns a time in the player's unit.
pub(crate) fn micros(time: Duration) -> Micros {
    Micros::try_from(time.as_micros()).unwrap_or(Micros::MAX)
}
