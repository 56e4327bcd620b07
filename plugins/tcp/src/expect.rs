//! `expect:` a text, `{regex: …}`, `{line: …}` or `{bytes: …}`: the answer to wait for, and its end in the stream.

use std::borrow::Cow;
use std::fmt;

use regex_lite::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use stampede_plugin::parameters::text_or_mapping;
use stampede_plugin::{ConfigError, Task, Template};

/// The answer that a step waits for.
pub(crate) enum Expect {
    /// This text, anywhere in the stream.
    Contains(Template),
    /// A match, anywhere in the stream.
    Regex(Regex),
    /// A line with this text in it.
    Line(Template),
    /// This number of bytes.
    Bytes(usize),
}

/// An [`Expect`], rendered for one run.
pub(crate) enum RenderedExpect<'a> {
    /// See [`Expect::Contains`].
    Contains(String),
    /// See [`Expect::Regex`].
    Regex(&'a Regex),
    /// See [`Expect::Line`].
    Line(String),
    /// See [`Expect::Bytes`].
    Bytes(usize),
}

/// The verdict on the bytes so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The answer is not complete yet.
    More,
    /// The answer is complete and ends here; bytes after it are for another step.
    Found(usize),
    /// Another answer arrived.
    Other,
}

impl Expect {
    /// Renders the answer for one run.
    pub(crate) fn render(&self, task: &Task) -> RenderedExpect<'_> {
        match self {
            Self::Contains(text) => RenderedExpect::Contains(text.render(task)),
            Self::Regex(regex) => RenderedExpect::Regex(regex),
            Self::Line(text) => RenderedExpect::Line(text.render(task)),
            Self::Bytes(count) => RenderedExpect::Bytes(*count),
        }
    }
}

impl RenderedExpect<'_> {
    /// Judges the bytes received so far.
    pub(crate) fn judge(&self, received: &[u8]) -> Verdict {
        let end = match self {
            Self::Contains(text) => end_of(received, text.as_bytes()),
            Self::Regex(regex) => end_of_match(regex, received),
            Self::Line(text) => match end_of(received, b"\n") {
                Some(end) if end_of(&received[..end], text.as_bytes()).is_none() => return Verdict::Other,
                end => end,
            },
            Self::Bytes(count) => (received.len() >= *count).then_some(*count),
        };
        end.map_or(Verdict::More, Verdict::Found)
    }
}

/// Returns the end of the first occurrence of a text.
fn end_of(bytes: &[u8], text: &[u8]) -> Option<usize> {
    let at = (0..=bytes.len().checked_sub(text.len())?).find(|at| bytes[*at..].starts_with(text))?;
    Some(at + text.len())
}

/// Returns the end of the first match. In bytes that are not UTF-8 its place is unknown, so that all of them belong to
/// it.
fn end_of_match(regex: &Regex, bytes: &[u8]) -> Option<usize> {
    match String::from_utf8_lossy(bytes) {
        Cow::Borrowed(text) => regex.find(text).map(|found| found.end()),
        Cow::Owned(text) => regex.is_match(&text).then_some(bytes.len()),
    }
}

/// Completes "expected …".
impl fmt::Display for RenderedExpect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contains(text) => write!(f, "`{}`", text.as_bytes().escape_ascii()),
            Self::Regex(regex) => write!(f, "a match of `{regex}`"),
            Self::Line(text) => write!(f, "a line with `{}`", text.as_bytes().escape_ascii()),
            Self::Bytes(count) => write!(f, "{count} bytes"),
        }
    }
}

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let forms = "a text, `{regex: …}`, `{line: …}` or `{bytes: …}`";
        text_or_mapping(source, forms, |text| Template::compile(text).map(Self::Contains), Self::of_mapping)
    }
}

/// The mapping, which has exactly one of the keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectMapping {
    contains: Option<Template>,
    regex: Option<String>,
    line: Option<Template>,
    bytes: Option<usize>,
}

impl Expect {
    fn of_mapping(mapping: ExpectMapping) -> Result<Self, ConfigError> {
        match mapping {
            ExpectMapping { contains: Some(text), regex: None, line: None, bytes: None } => Ok(Self::Contains(text)),
            ExpectMapping { contains: None, regex: None, line: Some(text), bytes: None } => Ok(Self::Line(text)),
            ExpectMapping { contains: None, regex: None, line: None, bytes: Some(count) } => Ok(Self::Bytes(count)),
            ExpectMapping { contains: None, regex: Some(pattern), line: None, bytes: None } => {
                let wrong = |error| ConfigError::new(format!("`{pattern}` is not a regular expression: {error}"));
                Regex::new(&pattern).map(Self::Regex).map_err(wrong)
            }
            _ => Err(ConfigError::new("expected one of `contains`, `regex`, `line` and `bytes`")),
        }
    }
}

impl JsonSchema for Expect {
    fn schema_name() -> Cow<'static, str> {
        "Expect".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = generator.subschema_for::<Template>();
        json_schema!({
            "type": ["string", "object"],
            "properties": {
                "contains": text,
                "regex": { "type": "string" },
                "line": text,
                "bytes": { "type": "integer", "minimum": 1 },
            },
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_answer_is_found() {
        let regex = Regex::new("ok(ay)?").expect("a regular expression");
        for (expected, received, verdict) in [
            (RenderedExpect::Contains("ok".into()), b"it is o".as_slice(), Verdict::More),
            (RenderedExpect::Contains("ok".into()), b"it is ok!", Verdict::Found(8)),
            (RenderedExpect::Contains("".into()), b"", Verdict::Found(0)),
            (RenderedExpect::Regex(&regex), b"\xff okay", Verdict::Found(6)),
            (RenderedExpect::Regex(&regex), b"an okay one", Verdict::Found(7)),
            (RenderedExpect::Line("ok".into()), b"ok", Verdict::More),
            (RenderedExpect::Line("ok".into()), b"ok\r\nno\r\n", Verdict::Found(4)),
            (RenderedExpect::Line("ok".into()), b"no\r\nok\r\n", Verdict::Other),
            (RenderedExpect::Bytes(3), b"ab", Verdict::More),
            (RenderedExpect::Bytes(3), b"abcd", Verdict::Found(3)),
        ] {
            assert_eq!(expected.judge(received), verdict, "{expected} in {}", received.escape_ascii());
        }
    }
}
