//! `thresholds`, the conditions on metrics for a run to pass, and `fail_on`.

use std::sync::Arc;

use super::model::{FailOn, Node, NodeValue, Spanned, ThresholdSpec};
use super::span_within;
use super::threshold_syntax::{self, Selector, ThresholdSyntaxError};
use super::value_reader::{DiagnosticText, ValueReader};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText, Span};

/// The keys of a threshold that is a mapping.
pub(super) const KEYS: [&str; 3] = ["expr", "abort", "delay"];

/// The error code of thresholds.
const CODE: &str = "script::threshold";

const HELP: &str = "for example `http_duration{step:Catalog}: [p(95)<200ms, {expr: rate<1%, abort: true, delay: 10s}]`";

/// Reads the value of `thresholds`.
pub(super) fn thresholds(reader: &mut ValueReader, node: Node) -> Vec<ThresholdSpec> {
    let mut all = Vec::new();
    for (key, node) in reader.mapping("thresholds", node, HELP).unwrap_or_default() {
        let typed = Node { value: NodeValue::String(key.value.clone()), span: key.span };
        let selector = parse_in_place(reader, &typed, CODE, threshold_syntax::parse_selector)
            .map(|(selector, place)| selector.map_spans(&*place));
        let items = match node.value {
            NodeValue::List(items) => items,
            _ => vec![node.clone()],
        };
        if items.is_empty() {
            let message = format!("`{}` has no thresholds", key.value);
            reader.report(
                node.span,
                &DiagnosticText { code: "script::threshold", message: &message, label: "none", help: HELP },
            );
        }
        for item in items {
            let criterion = threshold(reader, &key.value, item, selector.clone());
            all.extend(criterion);
        }
    }
    all
}

/// Parses a threshold of a flag, `METRIC{TAG:VALUE}: CRITERION`.
///
/// # Errors
/// The text is not a threshold.
pub fn threshold_flag(text: &str) -> Result<ThresholdSpec, Diagnostics> {
    let source = Arc::new(SourceText { name: "--threshold".into(), text: text.to_owned() });
    let syntax_diagnostic = |base: usize| {
        let source = Arc::clone(&source);
        move |error: ThresholdSyntaxError| {
            let span = Span { start: base + error.range.start, end: base + error.range.end };
            Diagnostics::from(
                Diagnostic::new("usage::threshold", error.message).at(&source, span, error.label).help(error.help),
            )
        }
    };
    let after_tags = match (text.contains('{'), text.rfind('}')) {
        // An error in the tags is reported first.
        (true, None) => text.len(),
        (_, end) => end.unwrap_or(0),
    };
    if after_tags == text.len() && !text.is_empty() {
        threshold_syntax::parse_selector(text).map_err(syntax_diagnostic(0))?;
    }
    let Some(colon) = text[after_tags..].find(':').map(|colon| after_tags + colon) else {
        let message = "a threshold is `METRIC: CRITERION`";
        let diagnostic =
            Diagnostic::new("usage::threshold", message).at(&source, Span { start: 0, end: text.len() }, "no `:`");
        return Err(diagnostic.help("for example `--threshold 'http_duration: p(95)<200ms'`").into());
    };
    let (selector, criterion) = (&text[..colon], &text[colon + 1..]);
    let selector = threshold_syntax::parse_selector(selector).map_err(syntax_diagnostic(0))?;
    let moved = |span: Span| Span { start: colon + 1 + span.start, end: colon + 1 + span.end };
    let typed = criterion.trim().to_owned();
    let criterion =
        threshold_syntax::parse_criterion(criterion).map_err(syntax_diagnostic(colon + 1))?.map_spans(&moved);
    Ok(ThresholdSpec { source, selector, criterion, text: typed, abort: false, delay: None })
}

/// Reads the value of `fail_on`.
pub(super) fn fail_on(reader: &mut ValueReader, node: Node) -> Option<Spanned<FailOn>> {
    let typed = reader.non_empty_text("fail_on", node, "any-error")?;
    let value = FailOn::from_name(&typed.value);
    if value.is_none() {
        let message = format!("`fail_on` cannot be `{}`", typed.value);
        let help = "it is `never`, `all-failed` or `any-error`";
        reader.report(typed.span, &DiagnosticText { code: "script::type", message: &message, label: "unknown", help });
    }
    value.map(|value| Spanned { value, span: typed.span })
}

/// Reads a threshold: a criterion, or a mapping with `expr`, `abort` and `delay`.
fn threshold(reader: &mut ValueReader, metric: &str, node: Node, selector: Option<Selector>) -> Option<ThresholdSpec> {
    let (mut expr, mut abort, mut delay) = (None, None, None);
    let span = node.span;
    match node.value {
        NodeValue::Map(entries) => {
            for (key, node) in entries {
                match key.value.as_str() {
                    "expr" => expr = Some(node),
                    "abort" => abort = reader.boolean("abort", &node),
                    "delay" => delay = reader.duration("delay", &node),
                    _ => reader.unknown_key(&key, "a threshold", &KEYS),
                }
            }
            if expr.is_none() {
                let message = format!("a threshold of `{metric}` has no `expr`");
                let diagnostic = DiagnosticText {
                    code: "script::missing-key",
                    message: &message,
                    label: "this threshold",
                    help: HELP,
                };
                reader.report(span, &diagnostic);
            }
        }
        _ => expr = Some(node),
    }
    let abort = abort == Some(true);
    if let Some(delay) = delay.as_ref().filter(|_| !abort) {
        let (message, help) = ("`delay` needs `abort: true`", "add `abort: true`, or remove `delay`");
        reader.report(delay.span, &DiagnosticText { code: "script::threshold", message, label: "no `abort`", help });
    }
    let expr = expr?;
    let NodeValue::String(text) = &expr.value else {
        reader.wrong_type(metric, &expr, "a threshold, a mapping with `expr`, or a list of them", HELP);
        return None;
    };
    let (criterion, place) = parse_in_place(reader, &expr, CODE, threshold_syntax::parse_criterion)?;
    let criterion = criterion.map_spans(&*place);
    let (source, text) = (Arc::clone(&reader.source), text.trim().to_owned());
    Some(ThresholdSpec { source, selector: selector?, criterion, text, abort, delay })
}

/// Maps a place in a text to its place in the script.
type SpanMapper = Box<dyn Fn(Span) -> Span>;

/// Reads a text by its own grammar, and reports an error at its place in the script.
pub(super) fn parse_in_place<T>(
    reader: &mut ValueReader,
    node: &Node,
    code: &'static str,
    read: impl Fn(&str) -> Result<T, ThresholdSyntaxError>,
) -> Option<(T, SpanMapper)> {
    let NodeValue::String(text) = &node.value else { return None };
    match read(text) {
        Ok(value) => {
            let (source, node) = (Arc::clone(&reader.source), node.clone());
            Some((value, Box::new(move |span| span_within(&source, &node, span.start..span.end))))
        }
        Err(error) => {
            let span = span_within(&reader.source, node, error.range);
            let diagnostic = DiagnosticText { code, message: &error.message, label: error.label, help: &error.help };
            reader.report(span, &diagnostic);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_split_after_its_tags() {
        let read = threshold_flag("http_duration{step:Sign in}: p(95)<200ms").expect("a threshold");
        assert_eq!((read.selector.tags[0].value.value.as_str(), read.text.as_str()), ("Sign in", "p(95)<200ms"));
        let span = read.criterion.limit.span;
        assert_eq!(&read.source.text[span.start..span.end], "200ms");
    }

    #[test]
    fn an_invalid_threshold_is_rejected_with_its_place() {
        for (text, at) in
            [("http_duration", "http_duration"), ("a{step:b", ""), ("a: p95<1", "p95"), ("a{b}: rate<1", "b")]
        {
            let diagnostic = threshold_flag(text).expect_err(text).0.remove(0);
            let place = diagnostic.location.expect("a place");
            assert_eq!((diagnostic.code, &text[place.span.start..place.span.end]), ("usage::threshold", at), "{text}");
        }
    }
}
