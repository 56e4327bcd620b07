//! Checks of replies, compiled once. Each is counted in a rate of its own, which is numbered when the metrics of the
//! plugins are known. Nothing is allocated for a check, but for JSON, which has to be parsed.

use std::sync::Arc;

use hyper::header::HeaderName;
use regex::bytes::Regex;
use serde_json::Value;
use serde_json_path::JsonPath;

use crate::diagnostic::{Diagnostic, Diagnostics, Source};
use crate::http::Reply;
use crate::metrics::aggregate::CheckInfo;
use crate::metrics::custom::{MetricId, MetricInfo, MetricKind, MetricUnit};
use crate::metrics::sample::RowId;
use crate::script::model::{self, CheckTest, Spanned, TextTest};
use crate::script::threshold::Comparison;

/// What stands before a check's name where its metric is named.
const PREFIX: &str = "check";
/// Most checks of a script, since each is a counter in every worker.
const MOST: usize = 1_000;

/// One question about a reply.
pub struct Check {
    /// Its name, one of its step.
    pub name: String,
    /// The rate that its answers are counted in.
    pub metric: MetricId,
    test: Test,
}

/// What is known of an exchange besides its reply.
#[derive(Clone, Copy)]
pub struct Measured {
    /// Bytes of the content, before decoding.
    pub size: u64,
    /// The response time in microseconds.
    pub latency: f64,
}

enum Test {
    Status(Vec<(u16, u16)>),
    Header(HeaderName, Text),
    Body(Text),
    JsonExists(JsonPath, bool),
    JsonEquals(JsonPath, Value),
    Size(Comparison, f64),
    Latency(Comparison, f64),
}

enum Text {
    Exists(bool),
    Equals(String),
    Matches(Regex),
}

/// Compiles the checks of a step.
///
/// # Errors
/// JSONPaths, regular expressions and header names that are none.
pub fn compile(step: &model::Step, source: &Arc<Source>) -> Result<Vec<Check>, Diagnostics> {
    let mut found = Diagnostics::default();
    let compiled = step.checks.iter().filter_map(|typed| {
        let test = found.absorb(test(&typed.test, source).map_err(Diagnostics::from))?;
        Some(Check { name: typed.name.value.clone(), metric: 0, test })
    });
    let compiled = compiled.collect();
    found.into_result(compiled)
}

/// Numbers the checks of all steps; their metrics are added to those there are.
///
/// # Errors
/// There are too many.
pub fn register<'s>(
    steps: impl Iterator<Item = (RowId, &'s mut [Check])>,
    metrics: &mut Vec<MetricInfo>,
) -> Result<Vec<CheckInfo>, Diagnostics> {
    let mut all = Vec::new();
    for (row, checks) in steps {
        for check in checks {
            check.metric = metrics.len() as MetricId;
            let name = check.name.clone();
            let (kind, unit) = (MetricKind::Rate, MetricUnit::Number);
            metrics.push(MetricInfo { plugin: PREFIX.into(), name: name.clone(), kind, unit });
            all.push(CheckInfo { row, name, metric: check.metric });
        }
    }
    if all.len() > MOST {
        return Err(Diagnostic::new("script::check", format!("there may be {MOST} checks")).into());
    }
    Ok(all)
}

impl Check {
    /// Whether the body is looked into.
    pub const fn needs_body(&self) -> bool {
        matches!(self.test, Test::Body(_) | Test::JsonExists(..) | Test::JsonEquals(..))
    }

    /// Whether the reply is as it should be. `document` is its body as JSON once a check of the same reply has asked
    /// for it.
    pub fn passes(&self, reply: &Reply, measured: Measured, document: &mut Document) -> bool {
        match &self.test {
            Test::Status(ranges) => {
                let status = reply.status.as_u16();
                ranges.iter().any(|(first, last)| (*first..=*last).contains(&status))
            }
            Test::Header(name, text) => text.fits(reply.headers.get(name.as_str())),
            Test::Body(text) => text.fits(Some(&reply.body)),
            Test::JsonExists(path, wanted) => {
                document.of(&reply.body).is_some_and(|json| path.query(json).first().is_some() == *wanted)
            }
            Test::JsonEquals(path, wanted) => document
                .of(&reply.body)
                .and_then(|json| path.query(json).first())
                .is_some_and(|found| is_equal(found, wanted)),
            Test::Size(comparison, limit) => comparison.holds(measured.size as f64, *limit),
            Test::Latency(comparison, limit) => comparison.holds(measured.latency, *limit),
        }
    }
}

/// The body of a reply as JSON: parsed once, and only if a check asks.
#[derive(Default)]
pub struct Document(Option<Option<Value>>);

impl Document {
    fn of(&mut self, body: &[u8]) -> Option<&Value> {
        self.0.get_or_insert_with(|| serde_json::from_slice(body).ok()).as_ref()
    }
}

impl Text {
    fn fits(&self, text: Option<&[u8]>) -> bool {
        match (self, text) {
            (Self::Exists(wanted), text) => text.is_some() == *wanted,
            (Self::Equals(wanted), Some(text)) => wanted.as_bytes() == text,
            (Self::Matches(regex), Some(text)) => regex.is_match(text),
            (_, None) => false,
        }
    }
}

/// Numbers are equal by their value: `1` is `1.0`.
fn is_equal(found: &Value, wanted: &Value) -> bool {
    match (found.as_f64(), wanted.as_f64()) {
        (Some(found), Some(wanted)) => found == wanted,
        _ => found == wanted,
    }
}

fn test(typed: &CheckTest, source: &Arc<Source>) -> Result<Test, Diagnostic> {
    let wrong = |what: &str, typed: &Spanned<String>, why: &str| {
        let line = why.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned();
        let wrong = Diagnostic::new("script::check", format!("this is not a {what}: {line}"));
        wrong.at(source, typed.span, format!("not a {what}"))
    };
    let path = |typed: &Spanned<String>| {
        JsonPath::parse(&typed.value).map_err(|error| wrong("JSONPath", typed, &error.to_string()))
    };
    let regex = |typed: &Spanned<String>| {
        Regex::new(&typed.value).map_err(|error| wrong("regular expression", typed, &error.to_string()))
    };
    let text = |test: &TextTest| match test {
        TextTest::Exists(wanted) => Ok(Text::Exists(*wanted)),
        TextTest::Equals(wanted) => Ok(Text::Equals(wanted.clone())),
        TextTest::Regex(typed) => regex(typed).map(Text::Matches),
        TextTest::Contains(part) => {
            let escaped = Regex::new(&regex::escape(part));
            escaped.map(Text::Matches).map_err(|_| Diagnostic::new("script::check", "a text to look for is too long"))
        }
    };
    Ok(match typed {
        CheckTest::Status(ranges) => Test::Status(ranges.clone()),
        CheckTest::Header(name, test) => {
            let parsed = HeaderName::from_bytes(name.value.as_bytes());
            Test::Header(parsed.map_err(|_| wrong("header name", name, "a character is not allowed"))?, text(test)?)
        }
        CheckTest::Body(test) => Test::Body(text(test)?),
        CheckTest::JsonExists(typed, wanted) => Test::JsonExists(path(typed)?, *wanted),
        CheckTest::JsonEquals(typed, wanted) => Test::JsonEquals(path(typed)?, wanted.to_json()),
        CheckTest::Size(comparison, limit) => Test::Size(*comparison, *limit),
        CheckTest::Latency(comparison, limit) => Test::Latency(*comparison, *limit),
    })
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;

    use super::*;
    use crate::script::parse;

    fn reply(body: &'static str) -> Reply {
        let headers = [("Content-Type", &b"application/json"[..]), ("x-empty", b"")].into_iter().collect();
        Reply { status: StatusCode::CREATED, version: hyper::Version::HTTP_11, headers, body: body.into() }
    }

    #[test]
    fn a_check_passes_or_fails_by_what_came() {
        let measured = Measured { size: 2_000, latency: 1_500.0 };
        for (check, passes) in [
            ("{status: 201}", true),
            ("{status: 200}", false),
            ("{status: [404, 2xx]}", true),
            ("{status: 3XX}", false),
            ("{header: content-type}", true),
            ("{header: etag}", false),
            ("{header: {name: etag, present: false}}", true),
            ("{header: {name: x-empty, present: false}}", false),
            ("{header: {name: content-type, equals: application/json}}", true),
            ("{header: {name: content-type, equals: json}}", false),
            ("{header: {name: content-type, contains: json}}", true),
            ("{header: {name: content-type, regex: '^text/'}}", false),
            ("{header: {name: etag, equals: ''}}", false),
            ("{body: movies}", true),
            ("{body: {contains: '[.]'}}", false),
            ("{body: {regex: '\"id\": *[0-9]+'}}", true),
            ("{json: $.movies}", true),
            ("{json: {path: $.nonesuch, exists: false}}", true),
            ("{json: {path: $.movies, exists: false}}", false),
            ("{json: {path: '$.movies[0].id', equals: 7.0}}", true),
            ("{json: {path: '$.movies[0].id', equals: '7'}}", false),
            ("{json: {path: '$.movies[0]', equals: {id: 7}}}", true),
            ("{size: < 2KB}", false),
            ("{size: <= 2KB}", true),
            ("{size: == 2000}", true),
            ("{latency: < 2ms}", true),
            ("{latency: < 1500us}", false),
        ] {
            let text = format!("- {{name: a, url: /, checks: [{check}]}}\n");
            let source = Arc::new(Source { name: "a.yml".into(), text });
            let script = parse(&source).expect(check);
            let compiled = compile(crate::script::model::steps(&script.steps)[0], &source).expect(check).remove(0);
            let reply = reply("{\"movies\": [{\"id\": 7}]}");
            assert_eq!(compiled.passes(&reply, measured, &mut Document::default()), passes, "{check}");
        }
    }

    #[test]
    fn a_body_that_is_no_json_fails_every_question_about_json() {
        for check in ["{json: $.a}", "{json: {path: $.a, exists: false}}", "{json: {path: $, equals: null}}"] {
            let text = format!("- {{name: a, url: /, checks: [{check}]}}\n");
            let source = Arc::new(Source { name: "a.yml".into(), text });
            let script = parse(&source).expect(check);
            let compiled = compile(crate::script::model::steps(&script.steps)[0], &source).expect(check).remove(0);
            let measured = Measured { size: 0, latency: 0.0 };
            assert!(!compiled.passes(&reply("<html>"), measured, &mut Document::default()), "{check}");
        }
    }
}
