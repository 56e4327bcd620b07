//! A JSONPath, and the documents that it looks through.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;
use serde_json::value::RawValue;
use serde_json_path::{NormalizedPath, PathElement};

use crate::json;

/// The deepest that arrays and objects may be nested. Reading a document takes the stack, which is 32 KiB for all users
/// of an instance; 96 levels have been seen to fit, and 110 not.
const DEEPEST: usize = 64;

/// Parses a JSON document; `None` if the text is not JSON, or nests deeper than 64 levels.
///
/// The depth is counted before the document is read: reading a deeper one would overflow the 32 KiB of stack that an
/// instance has, and end in a trap.
pub fn parse_document(text: &str) -> Option<Value> {
    let text = without_mark(text);
    if depth(text) <= DEEPEST { serde_json::from_str(text).ok() } else { None }
}

/// Returns a text without the byte order mark that some servers put before JSON (RFC 8259, section 8.1).
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Counts the levels of a document. For a text that is not JSON the number is meaningless.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string) = (0_usize, 0, false);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            // All that follows is part of the string, a quote too.
            b'\\' if in_string => drop(bytes.next()),
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// A JSONPath (RFC 9535), without its functions on regular expressions.
#[derive(Clone, Debug)]
pub struct JsonPath(serde_json_path::JsonPath);

impl JsonPath {
    /// Returns the first value that the path leads to in a document and its text: the contents of a string, the JSON of
    /// any other value as it is written there, without blanks between its tokens.
    ///
    /// `document` is what [`parse_document`] returned for `text`. Parsing loses digits (`19.90` becomes 19.9), which is
    /// why both are needed.
    pub fn find_written(&self, document: &Value, text: &str) -> Option<String> {
        let node = self.0.query_located(document).into_iter().next()?;
        Some(match node.node() {
            Value::String(text) => text.clone(),
            Value::Number(number) if !number.is_f64() => number.to_string(),
            Value::Null | Value::Bool(_) => node.node().to_string(),
            _ => json::compact(written(text, node.location())?.get(), |string, into| into.push_str(string)),
        })
    }

    /// Returns the first value that the path leads to, as a text: the contents of a string, the JSON of any other
    /// value. Numbers have the digits that their parsed value needs; [`find_written`](Self::find_written) keeps those
    /// of the document.
    pub fn find(&self, document: &Value) -> Option<String> {
        Some(match self.0.query(document).first()? {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }
}

/// Returns the text of the value at a place of a document.
fn written<'t>(text: &'t str, place: &NormalizedPath<'_>) -> Option<&'t RawValue> {
    let document: &RawValue = serde_json::from_str(without_mark(text)).ok()?;
    place.iter().try_fold(document, |value, element| match element {
        PathElement::Name(name) => {
            let mut entries: BTreeMap<String, &RawValue> = serde_json::from_str(value.get()).ok()?;
            entries.remove(*name)
        }
        PathElement::Index(index) => {
            let items: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
            items.get(*index).copied()
        }
    })
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for JsonPath {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let text = String::deserialize(source)?;
        serde_json_path::JsonPath::parse(&text).map(Self).map_err(|error| {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
            D::Error::custom(format!("`{text}` is not a JSONPath: {why}"))
        })
    }
}

impl JsonSchema for JsonPath {
    fn schema_name() -> Cow<'static, str> {
        "JsonPath".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_that_of_brackets_outside_of_strings() {
        for (text, deep) in [
            ("7", 0),
            ("[]", 1),
            ("[1, {\"a\": []}, [2]]", 3),
            (r#"{"a[{": "]\"[[["}"#, 1),
            (r#"{"a\\": [[1]]}"#, 3),
            ("]]][", 1),
        ] {
            assert_eq!(depth(text), deep, "{text}");
        }
    }

    #[test]
    fn values_are_found_as_they_are_written() {
        let text = r#" {"price" : 19.90, "big": 18446744073709551616, "id": 7, "list": [ 1.10, {"a b" : 100.00} ]} "#;
        let text = &format!("\u{feff}{text}");
        let document = parse_document(text).expect("JSON");
        for (path, value) in [
            ("$.price", "19.90"),
            ("$.big", "18446744073709551616"),
            ("$.id", "7"),
            ("$.list[0]", "1.10"),
            ("$.list", r#"[1.10,{"a b":100.00}]"#),
        ] {
            let path: JsonPath = serde_json::from_value(path.into()).expect("a path");
            assert_eq!(path.find_written(&document, text).as_deref(), Some(value), "{path}");
        }
    }

    #[test]
    fn a_document_that_is_too_deep_is_rejected() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse_document(&nested(DEEPEST)).is_some());
        assert!(parse_document(&nested(DEEPEST + 1)).is_none());
    }
}
