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

/// The most values of a document that is parsed whole.
const MOST_VALUES: usize = 20_000;

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

    /// Returns the first value that the path leads to in a text, as [`find_written`](Self::find_written) does; `None`
    /// if there is none, or the text is not JSON.
    ///
    /// A path of names and indices alone, such as `$.items[3].id`, is followed through a document of any size. For any
    /// other, the document is parsed, and may have 20,000 values: more would take longer than a call of a plugin may.
    ///
    /// # Errors
    /// The document has more values: the reason, to be followed by nothing.
    pub fn find_in(&self, text: &str) -> Result<Option<String>, String> {
        if let Some(steps) = single_steps(&self.to_string()) {
            return Ok(follow(text, &steps));
        }
        if text.bytes().filter(|byte| *byte == b',').count() >= MOST_VALUES {
            return Err(format!("the message has more than {MOST_VALUES} values, too many for `{self}`"));
        }
        Ok(parse_document(text).and_then(|document| self.find_written(&document, text)))
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

/// A step of a path that leads to one value at most.
#[derive(Debug, PartialEq, Eq)]
enum SingleStep {
    Name(String),
    Index(usize),
}

/// Returns the steps of a path that has names and indices alone.
fn single_steps(path: &str) -> Option<Vec<SingleStep>> {
    let (mut steps, mut rest) = (Vec::new(), path.strip_prefix('$')?);
    while !rest.is_empty() {
        let (step, after) = if let Some(shorthand) = rest.strip_prefix('.') {
            let end = shorthand.find(['.', '[']).unwrap_or(shorthand.len());
            let name = shorthand[..end].trim();
            (SingleStep::Name(name.to_owned()).filter_name()?, &shorthand[end..])
        } else {
            let bracket = rest.strip_prefix('[')?;
            if let Some(quote) = bracket.chars().next().filter(|first| matches!(first, '\'' | '"')) {
                let end = bracket[1..].find(quote)? + 1;
                let after = bracket[end + 1..].strip_prefix(']')?;
                (SingleStep::Name(bracket[1..end].to_owned()).filter_name()?, after)
            } else {
                let end = bracket.find(']')?;
                (SingleStep::Index(bracket[..end].parse().ok()?), &bracket[end + 1..])
            }
        };
        steps.push(step);
        rest = after;
    }
    Some(steps)
}

impl SingleStep {
    /// Rejects what is no plain name: a wildcard, a descent, or an escape.
    fn filter_name(self) -> Option<Self> {
        match &self {
            Self::Name(name) if name.is_empty() || name.contains(['*', '\\']) => None,
            _ => Some(self),
        }
    }
}

/// Follows a path through a text.
fn follow(text: &str, steps: &[SingleStep]) -> Option<String> {
    let document: &RawValue = serde_json::from_str(without_mark(text)).ok()?;
    let found = steps.iter().try_fold(document, |value, step| match step {
        SingleStep::Name(name) => {
            let mut entries: BTreeMap<String, &RawValue> = serde_json::from_str(value.get()).ok()?;
            entries.remove(name)
        }
        SingleStep::Index(index) => {
            let items: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
            items.get(*index).copied()
        }
    })?;
    if found.get().starts_with('"') {
        return serde_json::from_str(found.get()).ok();
    }
    Some(json::compact(found.get(), |string, into| into.push_str(string)))
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
            assert_eq!(path.find_in(text), Ok(Some(value.to_owned())), "{path}");
        }
    }

    #[test]
    fn paths_of_names_and_indices_find_what_parsed_documents_have() {
        let text = r#"{"a": [{"b": "x\"y"}, null, 1e3, -0, true], "a b": {"c'd": [[7]]}, "": 1, "é": {"*": 2}}"#;
        let document = parse_document(text).expect("JSON");
        for path in [
            "$",
            "$.a",
            "$.a[0]",
            "$.a[0].b",
            "$.a[1]",
            "$.a[2]",
            "$.a[3]",
            "$.a[4]",
            "$.a[9]",
            "$.a.b",
            "$.no",
            "$['a b']",
            "$[\"a b\"][\"c'd\"][0][0]",
            "$['']",
            "$['é']['*']",
            "$.é",
            "$.a[-1]",
            "$.a[*].b",
            "$..b",
            "$['a','é']",
            "$.a[0:1]",
        ] {
            let path: JsonPath = serde_json::from_value(path.into()).expect("a path");
            assert_eq!(path.find_in(text), Ok(path.find_written(&document, text)), "{path}");
        }
    }

    #[test]
    fn only_simple_paths_lead_through_large_documents() {
        let text = format!("{{\"items\": [{}0], \"last\": 7}}", "{\"x\": 1},".repeat(MOST_VALUES));
        let find = |path: &str| serde_json::from_value::<JsonPath>(path.into()).expect("a path").find_in(&text);
        assert_eq!(find("$.last"), Ok(Some("7".to_owned())));
        assert_eq!(find("$.items[19999].x"), Ok(Some("1".to_owned())));
        assert_eq!(find("$[*].x").unwrap_err(), "the message has more than 20000 values, too many for `$[*].x`");
    }

    #[test]
    fn a_document_that_is_too_deep_is_rejected() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse_document(&nested(DEEPEST)).is_some());
        assert!(parse_document(&nested(DEEPEST + 1)).is_none());
    }
}
