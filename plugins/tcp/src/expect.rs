//! `expect:` a text, `{regex: …}`, `{line: …}` or `{bytes: …}`: what must come, and where in the stream it ends.

use std::borrow::Cow;
use std::fmt;

use regex_lite::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use stampede_plugin::parameters::text_or_mapping;
use stampede_plugin::{ConfigError, Task, Template};

/// What a step waits for.
pub enum Expect {
    /// This text, anywhere in what comes.
    Contains(Template),
    /// A text that matches, anywhere in what comes.
    Regex(Regex),
    /// A line with this text in it.
    Line(Template),
    /// So many bytes.
    Bytes(usize),
}

/// The same, rendered for one run.
pub enum Expected<'a> {
    /// See [`Expect::Contains`].
    Contains(String),
    /// See [`Expect::Regex`].
    Regex(&'a Regex),
    /// See [`Expect::Line`].
    Line(String),
    /// See [`Expect::Bytes`].
    Bytes(usize),
}

/// What there is to say of the bytes so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is not all there yet.
    More,
    /// It came, and ends here; what follows is for another step.
    Found(usize),
    /// Something else came.
    Other,
}

impl Expect {
    /// What this run waits for.
    pub fn render(&self, task: &Task) -> Expected<'_> {
        match self {
            Self::Contains(text) => Expected::Contains(text.render(task)),
            Self::Regex(regex) => Expected::Regex(regex),
            Self::Line(text) => Expected::Line(text.render(task)),
            Self::Bytes(count) => Expected::Bytes(*count),
        }
    }
}

impl Expected<'_> {
    /// Looks at what has come so far.
    pub fn judge(&self, received: &[u8]) -> Verdict {
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

/// Where the first occurrence of a text ends.
fn end_of(bytes: &[u8], text: &[u8]) -> Option<usize> {
    let at = (0..=bytes.len().checked_sub(text.len())?).find(|at| bytes[*at..].starts_with(text))?;
    Some(at + text.len())
}

/// Where the first match ends. Bytes that are no text make it impossible to say; then all of them belong to it.
fn end_of_match(regex: &Regex, bytes: &[u8]) -> Option<usize> {
    match String::from_utf8_lossy(bytes) {
        Cow::Borrowed(text) => regex.find(text).map(|found| found.end()),
        Cow::Owned(text) => regex.is_match(&text).then_some(bytes.len()),
    }
}

/// What follows "expected".
impl fmt::Display for Expected<'_> {
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

/// A mapping, of which one key is there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mapping {
    contains: Option<Template>,
    regex: Option<String>,
    line: Option<Template>,
    bytes: Option<usize>,
}

impl Expect {
    fn of_mapping(mapping: Mapping) -> Result<Self, ConfigError> {
        match mapping {
            Mapping { contains: Some(text), regex: None, line: None, bytes: None } => Ok(Self::Contains(text)),
            Mapping { contains: None, regex: None, line: Some(text), bytes: None } => Ok(Self::Line(text)),
            Mapping { contains: None, regex: None, line: None, bytes: Some(count) } => Ok(Self::Bytes(count)),
            Mapping { contains: None, regex: Some(pattern), line: None, bytes: None } => {
                let wrong = |error| ConfigError::new(format!("`{pattern}` is no regular expression: {error}"));
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
    fn what_is_waited_for_ends_where_it_ends() {
        let regex = Regex::new("ok(ay)?").expect("a regular expression");
        for (expected, received, verdict) in [
            (Expected::Contains("ok".into()), b"it is o".as_slice(), Verdict::More),
            (Expected::Contains("ok".into()), b"it is ok!", Verdict::Found(8)),
            (Expected::Contains("".into()), b"", Verdict::Found(0)),
            (Expected::Regex(&regex), b"\xff okay", Verdict::Found(6)),
            (Expected::Regex(&regex), b"an okay one", Verdict::Found(7)),
            (Expected::Line("ok".into()), b"ok", Verdict::More),
            (Expected::Line("ok".into()), b"ok\r\nno\r\n", Verdict::Found(4)),
            (Expected::Line("ok".into()), b"no\r\nok\r\n", Verdict::Other),
            (Expected::Bytes(3), b"ab", Verdict::More),
            (Expected::Bytes(3), b"abcd", Verdict::Found(3)),
        ] {
            assert_eq!(expected.judge(received), verdict, "{expected} in {}", received.escape_ascii());
        }
    }
}
