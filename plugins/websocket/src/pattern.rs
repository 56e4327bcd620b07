//! Ways to find something in a message: a JSONPath, a regular expression.

use std::borrow::Cow;
use std::fmt;

use regex_lite::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;
use serde_json_path::JsonPath;

/// How deep arrays and objects may be in each other. Reading a document takes the stack, which is 32 KiB for all users of
/// an instance; 96 levels have been seen to fit, and 110 not.
const DEEPEST: usize = 64;

/// The JSON document that a message is, unless it is none or is too deep.
pub fn document(text: &str) -> Option<Value> {
    if depth(text) <= DEEPEST { serde_json::from_str(text).ok() } else { None }
}

/// How deep a document is, if it is one; of other texts the number means nothing.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string) = (0_usize, 0, false);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            // What follows is part of the string, a quote too.
            b'\\' if in_string => drop(bytes.next()),
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

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
    fn a_document_that_is_too_deep_is_none() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(document(&nested(DEEPEST)).is_some());
        assert!(document(&nested(DEEPEST + 1)).is_none());
    }
}
