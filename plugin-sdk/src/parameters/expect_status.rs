//! `expect_status:` a code, a class, or a list of these.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// The message about anything else.
const FORMS: &str = "`expect_status` must be a code such as 201, a class such as 2xx, or a list of these";

/// The status codes that a step accepts: a code such as `201`, a class such as `2xx`, or a list of these.
///
/// The default is every success, and redirects that are not followed: 200 to 399. As a [`Display`](fmt::Display) it
/// reads as in a script: `201`, `2xx`, `200 or 4xx`; the default as `200 to 399`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectStatus(
    /// The accepted codes, never empty.
    Vec<RangeInclusive<u16>>,
);

impl ExpectStatus {
    /// Returns `true` if one of the codes or classes has this status.
    pub fn accepts(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}

impl Default for ExpectStatus {
    fn default() -> Self {
        Self(vec![200..=399])
    }
}

impl fmt::Display for ExpectStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" or ")?;
            }
            let (first, last) = (range.start(), range.end());
            match last - first {
                0 => write!(f, "{first}")?,
                99 => write!(f, "{}xx", first / 100)?,
                _ => write!(f, "{first} to {last}")?,
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for ExpectStatus {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(ExpectStatusVisitor)
    }
}

/// Reads the forms without a derive: the messages of an untagged enum would name none of them.
struct ExpectStatusVisitor;

impl<'de> Visitor<'de> for ExpectStatusVisitor {
    type Value = ExpectStatus;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a code such as 201, a class such as 2xx, or a list of these")
    }

    fn visit_u64<E: Error>(self, code: u64) -> Result<ExpectStatus, E> {
        match u16::try_from(code) {
            Ok(code @ 100..=999) => Ok(ExpectStatus(vec![code..=code])),
            _ => Err(E::custom(FORMS)),
        }
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<ExpectStatus, E> {
        Err(E::custom(FORMS))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<ExpectStatus, E> {
        Err(E::custom(FORMS))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<ExpectStatus, E> {
        Err(E::custom(FORMS))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ExpectStatus, E> {
        if let [class @ b'1'..=b'9', b'x' | b'X', b'x' | b'X'] = text.as_bytes() {
            let first = u16::from(class - b'0') * 100;
            return Ok(ExpectStatus(vec![first..=first + 99]));
        }
        self.visit_u64(text.parse().map_err(|_| E::custom(FORMS))?)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<ExpectStatus, A::Error> {
        let mut ranges = Vec::new();
        while let Some(ExpectStatus(more)) = list.next_element()? {
            ranges.extend(more);
        }
        if ranges.is_empty() { Err(A::Error::custom(FORMS)) } else { Ok(ExpectStatus(ranges)) }
    }
}

impl JsonSchema for ExpectStatus {
    fn schema_name() -> Cow<'static, str> {
        "ExpectStatus".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["integer", "string", "array"] })
    }
}
