//! The cases of `plugin test`: steps, the behaviour of a scripted target, and the expected result.
//!
//! ```yaml
//! - name: greets by name
//!   steps:
//!     - {name: Hello, action: greet, url: http://site/hello, who: Ann}
//!   target:
//!     - request: {method: GET, path: /hello?name=Ann}
//!       reply: {status: 200, body: Hello Ann, after: 20ms}
//!   expect: {outcome: passed, takes: 20ms}
//! ```

use std::sync::Arc;
use std::time::Duration;

use bytesize::ByteSize;

use super::byte_pattern::BytePattern;
use crate::diagnostic::{Diagnostics, SourceText, Span};
use crate::script::decode::ScriptDecoder;
use crate::script::duration::parse_duration;
use crate::script::model::{Node, NodeValue, Script, Spanned};
use crate::script::value_reader::{DiagnosticText, ValueReader};
use crate::script::yaml::read;

const CASE_KEYS: [&str; 10] =
    ["name", "base_url", "rps", "link", "steps", "times", "ends_after", "alpn", "target", "expect"];
const TARGET_PART_KEYS: [&str; 7] = ["request", "reply", "receives", "sends", "secures", "after", "closes"];
const REQUEST_KEYS: [&str; 4] = ["method", "path", "headers", "body"];
const REPLY_KEYS: [&str; 6] = ["status", "headers", "body", "trailers", "after", "over"];
const EXPECT_KEYS: [&str; 5] = ["outcome", "failure", "detail", "takes", "metrics"];
const CASES_HELP: &str = "a file of cases is a list; each begins with `- name: …` and has `steps`";

/// One case.
#[derive(Debug)]
pub(crate) struct Case {
    /// The name, which says what it shows.
    pub name: Spanned<String>,
    /// Its steps; the component under test is not among its plugins yet.
    pub script: Script,
    /// The number of iterations; one if not typed.
    pub times: Option<Spanned<u64>>,
    /// The time after which the user may begin nothing more; never if not typed.
    pub ends_after: Option<Spanned<Duration>>,
    /// The protocols that the target speaks over TLS (ALPN), the preferred one first: HTTP/1.1 if not typed.
    pub alpn: Vec<String>,
    /// The behaviour of the target, part after part.
    pub target: Vec<TargetPart>,
    /// The expected result.
    pub expectation: Expectation,
}

/// One part of the target's behaviour.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TargetPart {
    /// The target receives an HTTP request and answers it.
    Http(ExpectedRequest, TargetReply),
    /// The target receives these bytes, if any, and after a while sends those, if any.
    Bytes {
        /// The bytes to receive.
        receives: BytePattern,
        /// The bytes to send.
        sends: BytePattern,
        /// The time between the two.
        after: Duration,
    },
    /// The target waits until TLS begins on a connection in clear.
    Secure {
        /// False if the handshake fails.
        succeeds: bool,
        /// The time that the handshake takes.
        after: Duration,
    },
    /// The target closes the connection.
    Close,
}

/// The expected properties of a request; those that are not typed may be anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ExpectedRequest {
    /// The method.
    pub method: Option<String>,
    /// Path and query.
    pub path: Option<String>,
    /// Fields and their values.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub body: Option<BytePattern>,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TargetReply {
    /// The status.
    pub status: u16,
    /// Fields and their values.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub body: Vec<u8>,
    /// Fields after the content and their values, over HTTP/2.
    pub trailers: Vec<(String, String)>,
    /// The time between request and reply.
    pub after: Duration,
    /// The time over which the content is sent, in even pieces after the head.
    pub over: Duration,
}

impl Default for TargetReply {
    /// Returns status 200 at once, with nothing else.
    fn default() -> Self {
        let (headers, trailers, body) = (Vec::new(), Vec::new(), Vec::new());
        Self { status: 200, headers, body, trailers, after: Duration::ZERO, over: Duration::ZERO }
    }
}

/// The expected result of a case; only the given properties are compared, and the outcome.
#[derive(Debug, Default)]
pub(crate) struct Expectation {
    /// True if a task must fail; otherwise, and if not typed, all tasks must pass.
    pub expects_failure: bool,
    /// The category that a failure must have.
    pub failure: Option<Spanned<String>>,
    /// A text that the example of a failure must contain.
    pub detail: Option<Spanned<String>>,
    /// The time that the case must take, to a millisecond.
    pub duration: Option<Spanned<Duration>>,
    /// Metrics of the plugin: a counter's sum, a gauge's last value, a rate's share, a trend's mean.
    pub metrics: Vec<(Spanned<String>, ExpectedValue)>,
}

/// The expected value of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ExpectedValue {
    /// A number, in the metric's own unit.
    Number(f64),
    /// A time, to a millisecond; the metric must be one of times.
    Time(Duration),
    /// A number of bytes; the metric must be one of bytes.
    Bytes(u64),
}

/// Parses a file of cases.
///
/// # Errors
/// Returns all errors in it.
pub(crate) fn parse_cases(source: &Arc<SourceText>) -> Result<Vec<Case>, Diagnostics> {
    let root = read(source)?;
    let mut reader = ValueReader { source: Arc::clone(source), diagnostics: Diagnostics::default() };
    let NodeValue::List(items) = root.value else {
        reader.type_mismatch("a file of cases must be a list", &root, CASES_HELP);
        return Err(reader.diagnostics);
    };
    let cases: Vec<Case> = items.into_iter().filter_map(|item| case(&mut reader, item)).collect();
    let mut diagnostics = reader.diagnostics;
    diagnostics.0.sort_by_key(|diagnostic| diagnostic.location.as_ref().map(|place| place.span.start));
    diagnostics.into_result(cases)
}

fn case(reader: &mut ValueReader, node: Node) -> Option<Case> {
    let span = node.span;
    let mut decoder = ScriptDecoder::new(&reader.source);
    let (mut name, mut times, mut target, mut expected) = (None, None, Vec::new(), Expectation::default());
    let (mut has_steps, mut ends_after, mut alpn) = (false, None, vec!["http/1.1".to_owned()]);
    for (key, node) in reader.mapping("a case", node, CASES_HELP)? {
        match key.value.as_str() {
            "name" => name = reader.non_empty_text("name", node, "greets by name"),
            "times" => times = reader.integer("times", &node, 1, 1_000_000),
            "ends_after" => ends_after = reader.positive_duration("ends_after", &node),
            "alpn" => alpn = protocols(reader, node),
            "target" => target = target_parts(reader, node),
            "expect" => expected = expectation(reader, node),
            "steps" | "base_url" | "rps" | "link" => {
                has_steps |= key.value == "steps";
                decoder.read_entry(&key, node);
            }
            _ => reader.unknown_key(&key, "a case", &CASE_KEYS),
        }
    }
    let (script, diagnostics) = decoder.finish();
    reader.diagnostics.0.extend(diagnostics.0);
    let missing = [(name.is_none(), "name"), (!has_steps, "steps")];
    for (_, key) in missing.into_iter().filter(|(is_missing, _)| *is_missing) {
        report_missing_key(reader, span, "a case", key);
    }
    Some(Case { name: name.filter(|_| has_steps)?, script, times, ends_after, alpn, target, expectation: expected })
}

fn report_missing_key(reader: &mut ValueReader, span: Span, what: &str, key: &str) {
    let message = format!("{what} has no `{key}`");
    reader.report(span, &DiagnosticText { code: "cases::missing-key", message: &message, label: "", help: CASES_HELP });
}

/// Reads the names of protocols (RFC 7301).
fn protocols(reader: &mut ValueReader, node: Node) -> Vec<String> {
    const HELP: &str = "for example `alpn: [h2, http/1.1]`";
    let NodeValue::List(items) = node.value else {
        reader.wrong_type("alpn", &node, "a list", HELP);
        return Vec::new();
    };
    items.into_iter().filter_map(|item| Some(reader.non_empty_text("alpn", item, "h2")?.value)).collect()
}

fn target_parts(reader: &mut ValueReader, node: Node) -> Vec<TargetPart> {
    let NodeValue::List(items) = node.value else {
        reader.wrong_type("target", &node, "a list", "for example `target: [{reply: {status: 200}}]`");
        return Vec::new();
    };
    items.into_iter().filter_map(|item| target_part(reader, item)).collect()
}

fn target_part(reader: &mut ValueReader, node: Node) -> Option<TargetPart> {
    let span = node.span;
    let (mut request, mut reply, mut secures, mut closes) = (None, None, None, false);
    let (mut receives, mut sends, mut after) = (BytePattern::default(), BytePattern::default(), None);
    let mut bytes = false;
    for (key, node) in reader.mapping("a part of `target`", node, "for example `- reply: {status: 200}`")? {
        match key.value.as_str() {
            "request" => request = Some(expected_request(reader, node)),
            "reply" => reply = self::target_reply(reader, node),
            "secures" => secures = reader.boolean("secures", &node),
            "closes" => closes = matches!(node.value, NodeValue::Bool(true)),
            "after" => after = Some(reader.duration("after", &node).map_or(Duration::ZERO, |after| after.value)),
            "receives" | "sends" => {
                bytes = true;
                let is_sent = key.value == "sends";
                let pattern = BytePattern::read(reader, &key.value, node, is_sent)?;
                if is_sent { sends = pattern } else { receives = pattern }
            }
            _ => reader.unknown_key(&key, "a part of `target`", &TARGET_PART_KEYS),
        }
    }
    match (request, reply, secures) {
        (request, Some(reply), None) if !bytes && !closes && after.is_none() => {
            Some(TargetPart::Http(request.unwrap_or_default(), reply))
        }
        (None, None, None) if bytes && !closes => {
            Some(TargetPart::Bytes { receives, sends, after: after.unwrap_or_default() })
        }
        (None, None, Some(succeeds)) if !bytes && !closes => {
            Some(TargetPart::Secure { succeeds, after: after.unwrap_or_default() })
        }
        (None, None, None) if closes && !bytes && after.is_none() => Some(TargetPart::Close),
        _ => {
            let message = "a part of `target` is a `reply` with or without a `request`, or `receives` and `sends`, or \
                           `secures`, or `closes`";
            let help = "write one part for each thing that happens; `after` goes into `reply`, or beside `sends`";
            reader.report(span, &DiagnosticText { code: "cases::part", message, label: "neither of them", help });
            None
        }
    }
}

fn expected_request(reader: &mut ValueReader, node: Node) -> ExpectedRequest {
    let mut expected = ExpectedRequest::default();
    for (key, node) in reader.mapping("request", node, "for example `request: {path: /}`").unwrap_or_default() {
        match key.value.as_str() {
            "method" => expected.method = reader.non_empty_text("method", node, "GET").map(|text| text.value),
            "path" => expected.path = reader.non_empty_text("path", node, "/").map(|text| text.value),
            "headers" => expected.headers = headers(reader, node),
            "body" => expected.body = BytePattern::read(reader, "body", node, false),
            _ => reader.unknown_key(&key, "`request`", &REQUEST_KEYS),
        }
    }
    expected
}

fn target_reply(reader: &mut ValueReader, node: Node) -> Option<TargetReply> {
    let mut reply = TargetReply::default();
    for (key, node) in reader.mapping("reply", node, "for example `reply: {status: 200}`")? {
        match key.value.as_str() {
            "status" => reply.status = reader.integer("status", &node, 100, 999).map_or(200, |status| status.value),
            "headers" => reply.headers = headers(reader, node),
            "trailers" => reply.trailers = headers(reader, node),
            "body" => reply.body = BytePattern::read(reader, "body", node, true).unwrap_or_default().bytes(),
            "after" => reply.after = reader.duration("after", &node).map_or(Duration::ZERO, |after| after.value),
            "over" => reply.over = reader.duration("over", &node).map_or(Duration::ZERO, |over| over.value),
            _ => reader.unknown_key(&key, "`reply`", &REPLY_KEYS),
        }
    }
    Some(reply)
}

fn headers(reader: &mut ValueReader, node: Node) -> Vec<(String, String)> {
    let entries = reader.mapping("headers", node, "for example `headers: {etag: abc}`").unwrap_or_default();
    entries
        .into_iter()
        .filter_map(|(name, node)| Some((name.value.clone(), reader.text(&name.value, node, "abc")?.value)))
        .collect()
}

fn expectation(reader: &mut ValueReader, node: Node) -> Expectation {
    let mut expected = Expectation::default();
    let (span, mut passes) = (node.span, false);
    for (key, node) in reader.mapping("expect", node, "for example `expect: {outcome: passed}`").unwrap_or_default() {
        match key.value.as_str() {
            "outcome" => {
                expected.expects_failure = expects_failure(reader, node);
                passes = !expected.expects_failure;
            }
            "failure" => expected.failure = reader.non_empty_text("failure", node, "status"),
            "detail" => expected.detail = reader.non_empty_text("detail", node, "expected status 200"),
            "takes" => expected.duration = reader.duration("takes", &node),
            "metrics" => expected.metrics = metrics(reader, node),
            _ => reader.unknown_key(&key, "`expect`", &EXPECT_KEYS),
        }
    }
    let says_why = expected.failure.is_some() || expected.detail.is_some();
    if passes && says_why {
        let message = "a case that passes has neither `failure` nor `detail`";
        let help = "leave them out, or write `outcome: failed`";
        reader.report(span, &DiagnosticText { code: "cases::outcome", message, label: "both are expected", help });
    }
    expected.expects_failure |= says_why;
    expected
}

fn expects_failure(reader: &mut ValueReader, node: Node) -> bool {
    let Some(text) = reader.non_empty_text("outcome", node, "passed") else { return false };
    if !["passed", "failed"].contains(&text.value.as_str()) {
        let (message, help) = (format!("`{}` is not an outcome", text.value), "write `passed` or `failed`");
        reader.report(text.span, &DiagnosticText { code: "cases::outcome", message: &message, label: "unknown", help });
    }
    text.value == "failed"
}

fn metrics(reader: &mut ValueReader, node: Node) -> Vec<(Spanned<String>, ExpectedValue)> {
    let entries = reader.mapping("metrics", node, "for example `metrics: {messages: 3}`").unwrap_or_default();
    entries
        .into_iter()
        .filter_map(|(name, node)| metric_value(reader, &name.value, &node).map(|value| (name, value)))
        .collect()
}

/// Reads a number, a time or a size.
fn metric_value(reader: &mut ValueReader, name: &str, node: &Node) -> Option<ExpectedValue> {
    match &node.value {
        NodeValue::Int(value) => Some(ExpectedValue::Number(*value as f64)),
        NodeValue::Float(value) => Some(ExpectedValue::Number(*value)),
        NodeValue::String(text) if parse_duration(text).is_ok() => parse_duration(text).ok().map(ExpectedValue::Time),
        NodeValue::String(text) if text.parse::<ByteSize>().is_ok() => {
            text.parse::<ByteSize>().ok().map(|size| ExpectedValue::Bytes(size.0))
        }
        _ => {
            let help = format!("for example `{name}: 3`, `{name}: 20ms` or `{name}: 17KiB`");
            reader.wrong_type(name, node, "a number, a time or a size", &help);
            None
        }
    }
}
