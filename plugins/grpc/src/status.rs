//! The status of a call: its codes and their names, and the fields of a reply that carry it.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use stampede_plugin::http::Stream;
use stampede_plugin::{ConfigError, Failure, Outcome};

/// The names of the codes, from 0 on.
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// A status code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Code(pub u32);

impl Code {
    /// The call took longer than its deadline.
    pub(crate) const DEADLINE_EXCEEDED: Self = Self(4);
    /// The server has no such method.
    pub(crate) const UNIMPLEMENTED: Self = Self(12);
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.get(self.0 as usize) {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

/// The end of a call, as the server reports it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Status {
    /// The code.
    pub code: Code,
    /// The server's message.
    pub message: String,
}

impl Status {
    /// Reads the status of a reply that has ended: from its trailers, or from its headers if it has nothing else.
    pub(crate) fn of(stream: &Stream<'_>) -> Result<Self, Failure> {
        let field = |name: &str| stream.trailer(name).or_else(|| stream.header(name));
        let Some(code) = field("grpc-status") else {
            return Err(Failure::protocol("expected a `grpc-status`, got none"));
        };
        let parsed = code.trim().parse();
        let code = parsed.map_err(|_| Failure::protocol("expected a `grpc-status` that is a number"))?;
        Ok(Self { code: Code(code), message: field("grpc-message").map_or_else(String::new, |text| decoded(&text)) })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.as_str() {
            "" => write!(f, "{}", self.code),
            message => write!(f, "{}: {message}", self.code),
        }
    }
}

/// Fails unless a reply is one of gRPC.
pub(crate) async fn accept(stream: &Stream<'_>) -> Outcome {
    let status = stream.head().await?;
    let content_type = stream.header("content-type").unwrap_or_default();
    if status != 200 {
        return Err(Failure::status(format!("expected HTTP status 200, got {status}")));
    }
    if !content_type.starts_with("application/grpc") {
        return Err(Failure::protocol("expected the content type `application/grpc`, got another"));
    }
    Ok(())
}

/// Decodes percent-encoding; other text is left unchanged.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(CodeVisitor)
    }
}

struct CodeVisitor;

impl Visitor<'_> for CodeVisitor {
    type Value = Code;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a status, or its number")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Code, E> {
        let known = u32::try_from(number).ok().filter(|code| (*code as usize) < NAMES.len());
        known.map(Code).ok_or_else(|| E::custom(format!("`{number}` is not a gRPC status")))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Code, E> {
        let known = NAMES.iter().position(|name| name.eq_ignore_ascii_case(text));
        known.map(|code| Code(code as u32)).ok_or_else(|| {
            let error = ConfigError::new(format!("`{text}` is not a gRPC status"));
            E::custom(error.help("expected a name such as `NOT_FOUND`, or a number from 0 to 16"))
        })
    }
}

impl JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_percent_decoded() {
        for (text, message) in
            [("no such%20user", "no such user"), ("100%", "100%"), ("%zz%4", "%zz%4"), ("%C3%A9%0a", "é\n")]
        {
            assert_eq!(decoded(text), message);
        }
    }
}
