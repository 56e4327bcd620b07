//! Finds a value in a JSON document as it is written there. A parsed number loses digits: `19.90` becomes 19.9, and
//! `18446744073709551616` becomes 1.8446744073709552e19.

use std::collections::HashMap;

use serde_json::Value;
use serde_json::value::RawValue;
use serde_json_path::{JsonPath, NormalizedPath, PathElement};

/// Returns the first value that a path leads to: the contents of a string, the JSON of any other value with its digits
/// as in `body` and without blanks between its tokens, and nothing for `null`; `None` if there is no value.
pub(crate) fn find(path: &JsonPath, body: &[u8]) -> Option<Option<String>> {
    let body = without_mark(body);
    let document: Value = serde_json::from_slice(body).ok()?;
    let node = path.query_located(&document).into_iter().next()?;
    Some(match node.node() {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        value if is_exact(value) => Some(value.to_string()),
        _ => Some(compact(written(body, node.location())?.get())),
    })
}

/// Returns a body without the byte order mark that some servers put before JSON (RFC 8259, section 8.1).
pub(crate) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Returns `true` if the value is written in one way only, or was kept in full: whole numbers of 64 bits are.
fn is_exact(value: &Value) -> bool {
    match value {
        Value::Number(number) => !number.is_f64(),
        Value::Array(_) | Value::Object(_) => false,
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

/// Returns the text of the value at a place of the document.
fn written<'b>(body: &'b [u8], place: &NormalizedPath<'_>) -> Option<&'b RawValue> {
    let document: &RawValue = serde_json::from_slice(body).ok()?;
    place.iter().try_fold(document, |value, element| match element {
        PathElement::Name(name) => {
            let mut entries: HashMap<String, &RawValue> = serde_json::from_str(value.get()).ok()?;
            entries.remove(*name)
        }
        PathElement::Index(index) => {
            let items: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
            items.get(*index).copied()
        }
    })
}

/// Removes the blanks between the tokens of a JSON text.
pub(crate) fn compact(json: &str) -> String {
    let (mut in_string, mut is_escaped) = (false, false);
    let keep = |character: &char| {
        let is_kept = in_string || !character.is_ascii_whitespace();
        match character {
            '"' if !is_escaped => in_string = !in_string,
            '\\' if !is_escaped => {
                is_escaped = true;
                return is_kept;
            }
            _ => {}
        }
        is_escaped = false;
        is_kept
    };
    json.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_as_they_are_written() {
        let body = r#" { "price" : 19.90, "exp": 1e3, "big": 18446744073709551616, "id": 9007199254740993, "zero": -0,
            "list": [1.10, {"a \" b" : [ 100.00 , "x  \\" , true ]}], "twice": 1.0, "tw\u0069ce": 2.0, "text": "1.10" } "#;
        for (path, text) in [
            ("$.price", "19.90"),
            ("$.exp", "1e3"),
            ("$.big", "18446744073709551616"),
            ("$.id", "9007199254740993"),
            ("$.zero", "-0"),
            ("$.list[0]", "1.10"),
            ("$.list[-1]", r#"{"a \" b":[100.00,"x  \\",true]}"#),
            ("$..[?@ == 100.0]", "100.00"),
            ("$.twice", "2.0"),
            ("$.text", "1.10"),
        ] {
            let parsed = JsonPath::parse(path).expect(path);
            assert_eq!(find(&parsed, body.as_bytes()), Some(Some(text.into())), "{path}");
        }
    }
}
