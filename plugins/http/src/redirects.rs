//! `follow_redirects:` `true`, `false` or a number.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// The message about anything else.
const FORMS: &str = "`follow_redirects` must be `true`, `false` or a number from 0 to 20";

/// The number of redirects to follow, 0 to 20.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FollowRedirects(pub u8);

/// The number of `true`: more than any working site needs, few enough to end a loop.
impl Default for FollowRedirects {
    fn default() -> Self {
        Self(10)
    }
}

impl<'de> Deserialize<'de> for FollowRedirects {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(FollowRedirectsVisitor)
    }
}

/// Reads the forms without a derive: the messages of an untagged enum would name none of them.
struct FollowRedirectsVisitor;

impl Visitor<'_> for FollowRedirectsVisitor {
    type Value = FollowRedirects;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`true`, `false` or a number from 0 to 20")
    }

    fn visit_bool<E: Error>(self, follow: bool) -> Result<FollowRedirects, E> {
        Ok(if follow { FollowRedirects::default() } else { FollowRedirects(0) })
    }

    fn visit_u64<E: Error>(self, count: u64) -> Result<FollowRedirects, E> {
        match u8::try_from(count) {
            Ok(count @ 0..=20) => Ok(FollowRedirects(count)),
            _ => Err(E::custom(FORMS)),
        }
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<FollowRedirects, E> {
        Err(E::custom(FORMS))
    }
}

impl JsonSchema for FollowRedirects {
    fn schema_name() -> Cow<'static, str> {
        "FollowRedirects".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["boolean", "integer"], "maximum": 20, "minimum": 0 })
    }
}
