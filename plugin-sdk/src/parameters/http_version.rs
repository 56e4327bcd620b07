//! `http_version:` `1.1`, `2` or `auto`; as a YAML number or as a text.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::http::Version;

/// The message about anything else.
const FORMS: &str = "`http_version` must be `1.1`, `2` or `auto`";

/// A version of HTTP: `1.1`, `2` or `auto`, which is the default and means HTTP/2 if the server picks it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HttpVersion(pub Version);

impl<'de> Deserialize<'de> for HttpVersion {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(HttpVersionVisitor)
    }
}

/// Reads the forms without a derive: the messages of an untagged enum would name none of them.
struct HttpVersionVisitor;

impl Visitor<'_> for HttpVersionVisitor {
    type Value = HttpVersion;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`1.1`, `2` or `auto`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<HttpVersion, E> {
        match text {
            "1.1" => Ok(HttpVersion(Version::Http1)),
            "2" | "2.0" => Ok(HttpVersion(Version::Http2)),
            "auto" => Ok(HttpVersion(Version::Negotiate)),
            _ => Err(E::custom(FORMS)),
        }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<HttpVersion, E> {
        self.visit_str(&number.to_string())
    }

    // YAML reads `1.1` as a number; both this and the typed digits have the same shortest text.
    fn visit_f64<E: Error>(self, number: f64) -> Result<HttpVersion, E> {
        self.visit_str(&number.to_string())
    }
}

impl JsonSchema for HttpVersion {
    fn schema_name() -> Cow<'static, str> {
        "HttpVersion".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": ["1.1", "2", "auto", 1.1, 2] })
    }
}
