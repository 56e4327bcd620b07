//! `sleep`: a wait, such as the time that a person would take.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use stampede_plugin::parameters::TimeSpan;
use stampede_plugin::{Action, ConfigError, Failure, Outcome, Task, Template};

/// The parameters of `sleep`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// A time such as `500ms` or `{{randInt 1 5}}s`, or `{from: 1s, to: 3s}`, between which each run draws one.
    r#for: Length,
}

/// One configured step.
pub(crate) struct Sleep(Length);

/// The time to wait.
enum Length {
    /// A constant time.
    Fixed(Duration),
    /// A time that is rendered for each run.
    Rendered(Template),
    /// A time between these two, drawn evenly.
    Between(Duration, Duration),
}

impl Action for Sleep {
    const NAME: &'static str = "sleep";
    const SUMMARY: &'static str = "waits";
    const PARAMS_SCHEMA: Option<&'static str> = Some(include_str!("../schema/sleep.json"));
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        Ok(Self(params.r#for))
    }

    async fn run(&self, task: &Task) -> Outcome {
        task.sleep(self.0.draw(task)?).await;
        Ok(())
    }
}

impl Length {
    fn draw(&self, task: &Task) -> Result<Duration, Failure> {
        match self {
            Self::Fixed(duration) => Ok(*duration),
            Self::Rendered(template) => {
                let span = TimeSpan::parse(&template.render(task));
                span.map(|span| span.0).map_err(|error| Failure::check(error.message))
            }
            Self::Between(from, to) => Ok(between(*from, *to, task.user().random())),
        }
    }
}

/// Maps a random 64-bit number evenly to a time between two others, both included.
fn between(from: Duration, to: Duration, random: u64) -> Duration {
    let way = to.as_nanos() - from.as_nanos();
    let part = (way + 1).saturating_mul(u128::from(random)) >> u64::BITS;
    from + Duration::from_nanos(u64::try_from(part).unwrap_or(u64::MAX))
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(LengthVisitor)
    }
}

/// Reads the forms without a derive: the messages of an untagged enum would name none of them.
struct LengthVisitor;

/// The two ends of a range.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    from: TimeSpan,
    to: TimeSpan,
}

impl<'de> Visitor<'de> for LengthVisitor {
    type Value = Length;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time with its unit, or `{from: …, to: …}`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Length, E> {
        if text.contains("{{") {
            return Template::compile(text).map(Length::Rendered).map_err(E::custom);
        }
        TimeSpan::parse(text).map(|span| Length::Fixed(span.0)).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Length, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Length, A::Error> {
        let Range { from, to } = Range::deserialize(MapAccessDeserializer::new(map))?;
        if to < from {
            return Err(A::Error::custom("`to` must not be less than `from`"));
        }
        Ok(Length::Between(from.0, to.0))
    }
}

impl JsonSchema for Length {
    fn schema_name() -> Cow<'static, str> {
        "Length".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let span = generator.subschema_for::<TimeSpan>();
        json_schema!({
            "type": ["string", "object"],
            "properties": { "from": span, "to": span },
            "required": ["from", "to"],
            "additionalProperties": false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_is_between_the_two_and_reaches_both() {
        let (from, to) = (Duration::from_nanos(10), Duration::from_nanos(12));
        for (random, drawn) in [(0, 10), (u64::MAX / 2, 11), (u64::MAX, 12)] {
            assert_eq!(between(from, to, random), Duration::from_nanos(drawn), "{random}");
        }
        assert_eq!(between(from, from, u64::MAX), from);
    }
}
