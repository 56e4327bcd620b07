//! Reads a step's JSON into an action's own type, and turns serde's errors into ones that a script's author
//! understands: with a pointer to the value, and without the names of Rust types.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::ConfigError;

/// Parses parameters in the order typed, which a mapping that keeps its order preserves.
pub(crate) fn parse<P: DeserializeOwned>(json: &str) -> Result<P, ConfigError> {
    let mut source = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut source).map_err(|error| {
        let pointer = pointer(error.path());
        explain(&without_position(error.inner())).at(pointer)
    })
}

/// Formats a path as a JSON Pointer (RFC 6901).
fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path.iter() {
        pointer.push('/');
        match segment {
            Segment::Seq { index } => pointer.push_str(&index.to_string()),
            Segment::Map { key } => pointer.push_str(&key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { variant } => pointer.push_str(variant),
            Segment::Unknown => {}
        }
    }
    pointer
}

/// Returns the error's text without its place in the JSON, which the script's author never sees.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&position).unwrap_or(&text).to_owned()
}

/// Rewrites the messages of serde's derives in the words of a script. Other messages pass unchanged.
fn explain(text: &str) -> ConfigError {
    if let Some(field) = text.strip_prefix("missing field ") {
        return ConfigError::new(format!("{field} is missing"));
    }
    if let Some((key, expected)) = text.strip_prefix("unknown field ").and_then(|rest| rest.split_once(", expected ")) {
        return ConfigError::new(format!("unknown key {key}")).help(format!("expected {expected}"));
    }
    if let Some((name, expected)) =
        text.strip_prefix("unknown variant ").and_then(|rest| rest.split_once(", expected "))
    {
        return ConfigError::new(format!("unknown value {name}")).help(format!("expected {expected}"));
    }
    let mismatch = text.strip_prefix("invalid type: ").or_else(|| text.strip_prefix("invalid value: "));
    match mismatch.and_then(|rest| rest.rsplit_once(", expected ")) {
        Some((got, expected)) => ConfigError::new(format!("expected {}, got {}", wanted(expected), found(got))),
        None => ConfigError::from_text(text),
    }
}

/// Describes the expected value, without the names of Rust types.
fn wanted(expected: &str) -> &str {
    match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" | "usize" => "a whole number of 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list",
        "a map" => "a mapping",
        "unit" => "nothing",
        _ if expected.starts_with("struct ") => "a mapping",
        _ => expected,
    }
}

/// Describes the actual value.
fn found(got: &str) -> String {
    match got {
        "map" => "a mapping".to_owned(),
        "sequence" => "a list".to_owned(),
        "null" | "unit value" => "nothing".to_owned(),
        _ => match got.split_once(['`', '"']) {
            Some((_, value)) => format!("`{}`", value.trim_end_matches(['`', '"'])),
            None => got.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fields, Template};

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its errors are looked at")]
    struct Params {
        url: Template,
        count: Option<u8>,
        share: Option<f64>,
        on: Option<bool>,
        mode: Option<Mode>,
        headers: Option<Fields>,
        list: Option<Vec<Inner>>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        Fast,
        Slow,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its errors are looked at")]
    struct Inner {
        user: String,
    }

    /// JSON, then pointer, message and help as the script's author sees them.
    const CASES: &[(&str, &str, &str, &str)] = &[
        ("{}", "", "`url` is missing", ""),
        (r#"{"url": "a", "count": 300}"#, "/count", "expected a whole number from 0 to 255, got `300`", ""),
        (r#"{"url": "a", "count": "b"}"#, "/count", "expected a whole number from 0 to 255, got `b`", ""),
        (r#"{"url": "a", "share": []}"#, "/share", "expected a number, got a list", ""),
        (r#"{"url": "a", "on": 1.5}"#, "/on", "expected `true` or `false`, got `1.5`", ""),
        (r#"{"url": {}}"#, "/url", "expected a text, got a mapping", ""),
        (r#"{"url": null}"#, "/url", "expected a text, got nothing", ""),
        (r#"{"url": "a", "mode": "odd"}"#, "/mode", "unknown value `odd`", "expected `fast` or `slow`"),
        (
            r#"{"url": "a", "headers": {"x/y": []}}"#,
            "/headers/x~1y",
            "expected a text or a list of texts, got an empty list",
            "",
        ),
        (
            r#"{"url": "a", "headers": {"x": {}}}"#,
            "/headers/x",
            "expected a text or a list of texts, got a mapping",
            "",
        ),
        (r#"{"url": "a", "headers": {"x": ["a", []]}}"#, "/headers/x/1", "expected a text, got a list", ""),
        (r#"{"url": "a", "list": [{"user": "b"}, {}]}"#, "/list/1", "`user` is missing", ""),
        (r#"{"url": "a", "list": [{"usr": "b"}]}"#, "/list/0/usr", "unknown key `usr`", "expected `user`"),
        (r#"{"url": "{{no 1}}"}"#, "/url", "unknown helper `no`", "it takes a `renders` of the test"),
        (r#"{"url": "{{no"}"#, "/url", "`{{` without `}}`", ""),
    ];

    #[test]
    fn errors_name_the_value_and_no_rust_type() {
        for (json, pointer, message, help) in CASES {
            let error = parse::<Params>(json).expect_err(json);
            assert_eq!((error.pointer.as_str(), error.message.as_str()), (*pointer, *message), "{json}");
            assert_eq!(error.help.as_deref().unwrap_or_default(), *help, "{json}");
        }
    }
}
