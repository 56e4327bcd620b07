//! Checks of replies, compiled once. Each has its own rate metric, numbered when the metrics of the plugins are known.
//! Running a check allocates nothing, except for JSON, which has to be parsed.

use std::sync::Arc;

use hyper::header::HeaderName;
use regex::bytes::Regex;
use serde_json::Value;
use serde_json_path::JsonPath;

use crate::diagnostic::{Diagnostic, Diagnostics, SourceText};
use crate::http::Reply;
use crate::json_text::without_mark;
use crate::metrics::aggregate::CheckInfo;
use crate::metrics::custom_metric::{MetricId, MetricInfo, MetricKind, MetricUnit};
use crate::metrics::sample::RowId;
use crate::script::model::{self, CheckTest, Spanned, StatusRange, TextTest};
use crate::script::threshold_syntax::Comparison;

/// The prefix of the metric of a check.
const METRIC_PREFIX: &str = "check";
/// The most checks of a script: each is a counter in every worker.
const MAX_CHECKS: usize = 1_000;

/// A check, compiled.
pub struct Check {
    /// Its name, unique in its step.
    pub name: String,
    /// The rate that counts its results.
    pub metric: MetricId,
    test: CheckPredicate,
}

/// Measurements of an exchange that checks test besides its reply.
#[derive(Clone, Copy)]
pub struct ReplyMetrics {
    /// Bytes of the content, before decoding.
    pub size: u64,
    /// The response time in microseconds.
    pub latency: f64,
}

enum CheckPredicate {
    Status(Vec<StatusRange>),
    Header(HeaderName, TextPredicate),
    Body(TextPredicate),
    JsonExists(JsonPath, bool),
    JsonEquals(JsonPath, Value),
    Size(Comparison, f64),
    Latency(Comparison, f64),
}

enum TextPredicate {
    Exists(bool),
    Equals(String),
    Matches(Regex),
}

/// Compiles the checks of a step.
///
/// # Errors
/// A JSONPath, a regular expression or a header name is invalid; all such errors are returned.
pub(crate) fn compile(step: &model::StepSpec, source: &Arc<SourceText>) -> Result<Vec<Check>, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let compiled = step.checks.iter().filter_map(|typed| {
        let test = diagnostics.absorb(compile_predicate(&typed.test, source).map_err(Diagnostics::from))?;
        Some(Check { name: typed.name.value.clone(), metric: 0, test })
    });
    let compiled = compiled.collect();
    diagnostics.into_result(compiled)
}

/// Numbers the checks of all steps and adds their metrics.
///
/// # Errors
/// There are more than 1,000 checks.
pub(crate) fn register<'s>(
    steps: impl Iterator<Item = (RowId, &'s mut [Check])>,
    metrics: &mut Vec<MetricInfo>,
) -> Result<Vec<CheckInfo>, Diagnostics> {
    let mut all = Vec::new();
    for (row, checks) in steps {
        for check in checks {
            check.metric = metrics.len() as MetricId;
            let name = check.name.clone();
            let (kind, unit) = (MetricKind::Rate, MetricUnit::Number);
            metrics.push(MetricInfo { plugin: METRIC_PREFIX.into(), name: name.clone(), kind, unit, row: None });
            all.push(CheckInfo { row, name, metric: check.metric });
        }
    }
    if all.len() > MAX_CHECKS {
        return Err(Diagnostic::new("script::check", format!("the script has more than {MAX_CHECKS} checks")).into());
    }
    Ok(all)
}

impl Check {
    /// Returns true if the check reads the body.
    pub const fn needs_body(&self) -> bool {
        matches!(self.test, CheckPredicate::Body(_) | CheckPredicate::JsonExists(..) | CheckPredicate::JsonEquals(..))
    }

    /// Returns true if the reply passes. `document` caches its body as JSON for all checks of the reply.
    pub fn passes(&self, reply: &Reply, measured: ReplyMetrics, document: &mut JsonBody) -> bool {
        match &self.test {
            CheckPredicate::Status(ranges) => {
                let status = reply.status.as_u16();
                ranges.iter().any(|range| range.contains(status))
            }
            CheckPredicate::Header(name, text) => text.matches(reply.headers.get(name.as_str())),
            CheckPredicate::Body(text) => text.matches(Some(&reply.body)),
            CheckPredicate::JsonExists(path, wanted) => {
                document.parse(&reply.body).is_some_and(|json| path.query(json).first().is_some() == *wanted)
            }
            CheckPredicate::JsonEquals(path, wanted) => document
                .parse(&reply.body)
                .and_then(|json| path.query(json).first())
                .is_some_and(|actual| is_equal(actual, wanted)),
            CheckPredicate::Size(comparison, limit) => comparison.holds(measured.size as f64, *limit),
            CheckPredicate::Latency(comparison, limit) => comparison.holds(measured.latency, *limit),
        }
    }
}

/// The body of a reply as JSON, parsed once and only if a check needs it.
#[derive(Default)]
pub struct JsonBody(Option<Option<Value>>);

impl JsonBody {
    fn parse(&mut self, body: &[u8]) -> Option<&Value> {
        self.0.get_or_insert_with(|| serde_json::from_slice(without_mark(body)).ok()).as_ref()
    }
}

impl TextPredicate {
    fn matches(&self, text: Option<&[u8]>) -> bool {
        match (self, text) {
            (Self::Exists(wanted), text) => text.is_some() == *wanted,
            (Self::Equals(wanted), Some(text)) => wanted.as_bytes() == text,
            (Self::Matches(regex), Some(text)) => regex.is_match(text),
            (_, None) => false,
        }
    }
}

/// Compares JSON values. Numbers are compared by value: `1` equals `1.0`. Whole numbers are compared exactly: as
/// floating-point numbers, those beyond 2^53 would equal their neighbours.
fn is_equal(actual: &Value, expected: &Value) -> bool {
    let is_float = actual.is_f64() || expected.is_f64();
    actual == expected || (is_float && actual.is_number() && actual.as_f64() == expected.as_f64())
}

fn compile_predicate(typed: &CheckTest, source: &Arc<SourceText>) -> Result<CheckPredicate, Diagnostic> {
    let invalid = |kind: &str, typed: &Spanned<String>, error: &str| {
        let line = error.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned();
        let diagnostic = Diagnostic::new("script::check", format!("this is not a {kind}: {line}"));
        diagnostic.at(source, typed.span, format!("not a {kind}"))
    };
    let path = |typed: &Spanned<String>| {
        JsonPath::parse(&typed.value).map_err(|error| invalid("JSONPath", typed, &error.to_string()))
    };
    let regex = |typed: &Spanned<String>| {
        Regex::new(&typed.value).map_err(|error| invalid("regular expression", typed, &error.to_string()))
    };
    let text = |test: &TextTest| match test {
        TextTest::Exists(wanted) => Ok(TextPredicate::Exists(*wanted)),
        TextTest::Equals(wanted) => Ok(TextPredicate::Equals(wanted.clone())),
        TextTest::Regex(typed) => regex(typed).map(TextPredicate::Matches),
        TextTest::Contains(part) => {
            let escaped = Regex::new(&regex::escape(part));
            escaped
                .map(TextPredicate::Matches)
                .map_err(|_| Diagnostic::new("script::check", "the text of `contains` is too long"))
        }
    };
    Ok(match typed {
        CheckTest::Status(ranges) => CheckPredicate::Status(ranges.clone()),
        CheckTest::Header(name, test) => {
            let parsed = HeaderName::from_bytes(name.value.as_bytes());
            CheckPredicate::Header(
                parsed.map_err(|_| invalid("header name", name, "a character is not allowed"))?,
                text(test)?,
            )
        }
        CheckTest::Body(test) => CheckPredicate::Body(text(test)?),
        CheckTest::JsonExists(typed, wanted) => CheckPredicate::JsonExists(path(typed)?, *wanted),
        CheckTest::JsonEquals(typed, wanted) => CheckPredicate::JsonEquals(path(typed)?, wanted.to_json()),
        CheckTest::Size(comparison, limit) => CheckPredicate::Size(*comparison, *limit),
        CheckTest::Latency(comparison, limit) => CheckPredicate::Latency(*comparison, *limit),
    })
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;

    use super::*;
    use crate::http::BudgetPart;
    use crate::script::parse;

    fn reply(body: &'static str) -> Reply {
        let headers = [("Content-Type", &b"application/json"[..]), ("x-empty", b"")].into_iter().collect();
        Reply {
            status: StatusCode::CREATED,
            version: hyper::Version::HTTP_11,
            headers,
            body: body.into(),
            excerpt: Default::default(),
            fingerprint: 0,
            is_encoded: false,
            is_deferred: false,
            held: BudgetPart::default(),
        }
    }

    #[test]
    fn a_check_passes_or_fails_by_the_reply() {
        let measured = ReplyMetrics { size: 2_000, latency: 1_500.0 };
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
            ("{json: {path: $.large, equals: 9007199254740993}}", true),
            ("{json: {path: $.large, equals: 9007199254740992}}", false),
            ("{json: {path: $.price, equals: 19.9}}", true),
            ("{json: {path: '$.movies[0]', equals: {id: 7}}}", true),
            ("{size: < 2KB}", false),
            ("{size: <= 2KB}", true),
            ("{size: == 2000}", true),
            ("{latency: < 2ms}", true),
            ("{latency: < 1500us}", false),
        ] {
            let text = format!("- {{name: a, url: /, checks: [{check}]}}\n");
            let source = Arc::new(SourceText { name: "a.yml".into(), text });
            let script = parse(&source).expect(check);
            let compiled = compile(crate::script::model::steps(&script.steps)[0], &source).expect(check).remove(0);
            let reply = reply(r#"{"movies": [{"id": 7}], "large": 9007199254740993, "price": 19.90}"#);
            assert_eq!(compiled.passes(&reply, measured, &mut JsonBody::default()), passes, "{check}");
        }
    }

    #[test]
    fn a_body_that_is_not_json_fails_every_check_of_json() {
        for check in ["{json: $.a}", "{json: {path: $.a, exists: false}}", "{json: {path: $, equals: null}}"] {
            let text = format!("- {{name: a, url: /, checks: [{check}]}}\n");
            let source = Arc::new(SourceText { name: "a.yml".into(), text });
            let script = parse(&source).expect(check);
            let compiled = compile(crate::script::model::steps(&script.steps)[0], &source).expect(check).remove(0);
            let measured = ReplyMetrics { size: 0, latency: 0.0 };
            assert!(!compiled.passes(&reply("<html>"), measured, &mut JsonBody::default()), "{check}");
        }
    }
}
