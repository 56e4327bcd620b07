//! Captures, compiled once: values of a reply that become variables.

use hyper::header::HeaderName;
use regex::Regex;
use serde_json_path::JsonPath;

use crate::diagnostic::{Diagnostic, SourceText};
use crate::http::{Cookies, HeaderSection, Reply};
use crate::json_text;
use crate::script::model::{self, CaptureSource};
use crate::template::{VariableId, VariableNames};

/// A capture.
pub struct Capture {
    /// The variable that it sets.
    pub variable: VariableId,
    /// `true` if its value is never shown.
    pub secret: bool,
    name: String,
    from: Extractor,
}

enum Extractor {
    Json(JsonPath),
    Header(HeaderName),
    Regex(Regex),
    Cookie(String),
}

impl Capture {
    /// Compiles a capture.
    ///
    /// # Errors
    /// The JSONPath, regular expression or header name is invalid.
    pub fn compile(
        typed: &model::CaptureSpec,
        source: &std::sync::Arc<SourceText>,
        variables: &mut VariableNames,
    ) -> Result<Self, Diagnostic> {
        let invalid = |kind: &str, error: &str| {
            let line = error.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned();
            Diagnostic::new("script::capture", format!("this is not a {kind}: {line}")).at(
                source,
                typed.from.span,
                format!("not a {kind}"),
            )
        };
        let from = match &typed.from.value {
            CaptureSource::Json(path) => {
                Extractor::Json(JsonPath::parse(path).map_err(|error| invalid("JSONPath", &error.to_string()))?)
            }
            CaptureSource::Header(name) => Extractor::Header(
                HeaderName::from_bytes(name.as_bytes())
                    .map_err(|_| invalid("header name", "a character is not allowed"))?,
            ),
            CaptureSource::Regex(pattern) => Extractor::Regex(
                Regex::new(pattern).map_err(|error| invalid("regular expression", &error.to_string()))?,
            ),
            CaptureSource::Cookie(name) => Extractor::Cookie(name.clone()),
        };
        let name = typed.variable.value.clone();
        Ok(Self { variable: variables.intern(&name), secret: typed.secret, name, from })
    }

    /// Returns true if the capture reads the body.
    pub const fn needs_body(&self) -> bool {
        matches!(self.from, Extractor::Json(_) | Extractor::Regex(_))
    }

    /// Returns the value, if the reply has it: the contents of a JSON string, any other JSON value as
    /// [`json_text::find`] returns it.
    pub fn extract(&self, reply: &Reply, cookies: &Cookies) -> Option<String> {
        match &self.from {
            Extractor::Json(path) => {
                json_text::find(path, &reply.body).map(|found| found.unwrap_or_else(|| "null".into()))
            }
            Extractor::Header(name) => header(name, &reply.headers),
            Extractor::Regex(regex) => {
                let text = String::from_utf8_lossy(&reply.body);
                let groups = regex.captures(&text)?;
                groups.get(1).or_else(|| groups.get(0)).map(|part| part.as_str().to_owned())
            }
            Extractor::Cookie(name) => cookies.value(name),
        }
    }

    /// Returns the message for a reply without the value. It does not repeat the reply's contents, which may be secret.
    /// `codings` are those that the content is still in.
    pub fn missing_message(&self, codings: Option<&str>) -> String {
        let reason = match &self.from {
            Extractor::Json(path) => format!("nothing in the body at `{path}`"),
            Extractor::Header(name) => format!("no header `{name}`"),
            Extractor::Regex(regex) => format!("nothing in the body matches `{regex}`"),
            Extractor::Cookie(name) => format!("no cookie `{name}`"),
        };
        let codings =
            codings.filter(|_| self.needs_body()).map(|names| format!("; the body is {names}, and is not decoded"));
        format!("capture `{}`: {reason}{}", self.name, codings.unwrap_or_default())
    }
}

fn header(name: &HeaderName, headers: &HeaderSection) -> Option<String> {
    headers.get(name.as_str()).map(|value| String::from_utf8_lossy(value).into_owned())
}
