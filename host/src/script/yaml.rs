//! Parses YAML into a [`Node`], in which every value knows its bytes in the text. The meaning of a script is decided
//! later. This stage rejects what no script can mean: text that is not YAML, duplicate keys, numbers that a computer
//! would silently change, and documents built to exhaust memory.

use std::collections::HashMap;
use std::sync::Arc;

use serde_saphyr::{DuplicateKeyPolicy, Location, NonFiniteFloatPolicy, Options};

use super::raw::{RawNode, RawValue};
use super::spanned::{Node, NodeValue, Spanned};
use super::yaml_error::{self, MAX_ALIAS_ITEMS, MAX_DEPTH};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText, Span};

/// Reads one document.
///
/// # Errors
/// The text is not YAML, or has duplicate keys, numbers that are too large, or too many values.
pub(crate) fn read(source: &Arc<SourceText>) -> Result<Node, Diagnostics> {
    let raw: RawNode = serde_saphyr::from_str_with_options(&source.text, options())
        .map_err(|error| yaml_error::diagnostic(source, &error))?;
    let mut builder = NodeBuilder { source, diagnostics: Diagnostics::default() };
    let root = builder.node(raw);
    builder.diagnostics.into_result(root)
}

/// Returns the options of the parser: YAML 1.2 without the surprises of 1.1, so `yes`, `007` and `1_000` are texts, as
/// form fields and headers need. Duplicate keys pass, because the library would stop at the first one. One anchor may
/// have many aliases, since their total is limited already.
fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: MAX_DEPTH, enforce_alias_anchor_ratio: false },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_ALIAS_ITEMS },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    }
}

/// Turns raw values into nodes and collects the errors in them.
struct NodeBuilder<'a> {
    source: &'a Arc<SourceText>,
    diagnostics: Diagnostics,
}

impl NodeBuilder<'_> {
    fn node(&mut self, raw: RawNode) -> Node {
        // An alias is shown where its value is defined, because that is the text to correct.
        let span = span_of(&raw.0.defined);
        match raw.0.value {
            RawValue::Null => Node { value: NodeValue::Null, span },
            RawValue::Bool(value) => Node { value: NodeValue::Bool(value), span },
            RawValue::Int(value) => self.int(value, span),
            RawValue::Float(value) => self.float(value, span),
            RawValue::Text(value) => Node { span: self.without_trailing_space(span), value: NodeValue::String(value) },
            RawValue::List(items) => self.list(items, span),
            RawValue::Map(entries) => self.map(entries, span),
        }
    }

    fn int(&mut self, value: i128, span: Span) -> Node {
        let value = i64::try_from(value).unwrap_or_else(|_| {
            self.report_too_large(span);
            0
        });
        Node { value: NodeValue::Int(value), span }
    }

    /// Reads a number. One that JSON cannot express stays text; a whole number that does not fit is an error, since its
    /// last digits would be lost.
    fn float(&mut self, value: f64, span: Span) -> Node {
        let text = self.text(span).to_owned();
        let is_whole = text.trim_start_matches(['+', '-']).bytes().all(|byte| byte.is_ascii_digit());
        if is_whole {
            self.report_too_large(span);
        }
        let value = if value.is_finite() { NodeValue::Float(value) } else { NodeValue::String(text) };
        Node { value, span }
    }

    fn report_too_large(&mut self, span: Span) {
        let number = self.text(span);
        let message = format!("`{number}` does not fit in a 64-bit number");
        let help = format!("if it is meant as text, put it in quotes: `\"{number}\"`");
        self.diagnostics.push(Diagnostic::new("script::number", message).at(self.source, span, "too large").help(help));
    }

    fn list(&mut self, items: Vec<RawNode>, begin: Span) -> Node {
        let items: Vec<Node> = items.into_iter().map(|item| self.node(item)).collect();
        let last = items.iter().map(|item| item.span.end).max();
        Node { span: self.collection_span(begin, last), value: NodeValue::List(items) }
    }

    fn map(&mut self, entries: Vec<(serde_saphyr::Spanned<String>, RawNode)>, begin: Span) -> Node {
        let mut first: HashMap<String, Span> = HashMap::new();
        let mut map = Vec::new();
        for (key, value) in entries {
            let key = Spanned { span: span_of(&key.defined), value: key.value };
            let mut value = self.node(value);
            if value.value == NodeValue::Null && value.span.start == value.span.end {
                // There is no value to point at, so the key is shown.
                value.span = key.span;
            }
            match first.get(&key.value) {
                Some(earlier) => self.report_duplicate_key(&key, *earlier),
                None => {
                    first.insert(key.value.clone(), key.span);
                    map.push((key, value));
                }
            }
        }
        let last = map.iter().map(|(_, value)| value.span.end).max();
        Node { span: self.collection_span(begin, last), value: NodeValue::Map(map) }
    }

    fn report_duplicate_key(&mut self, key: &Spanned<String>, earlier: Span) {
        let message = format!("`{}` is given twice", key.value);
        let help = format!("it is already on line {}; keep one of the two", self.source.line(earlier.start));
        self.diagnostics.push(
            Diagnostic::new("script::duplicate-key", message).at(self.source, key.span, "given again").help(help),
        );
    }

    /// Returns the first line of a collection, or all of it if it ends on that line. The parser knows where a
    /// collection begins. It ends with its last item or, if it is in brackets, with the next bracket after that.
    fn collection_span(&self, begin: Span, last: Option<usize>) -> Span {
        let text = &self.source.text;
        let line_end = begin.start + self.line_from(begin.start).trim_end().len();
        let is_bracketed = text[begin.start..].starts_with(['[', '{']);
        let end = match last {
            // All of its items are aliases of values before it.
            Some(last) if last <= begin.start => line_end,
            last if is_bracketed => {
                let last = last.unwrap_or(begin.end);
                text[last..].find([']', '}']).map_or(line_end, |bracket| last + bracket + 1)
            }
            last => last.unwrap_or(begin.end),
        };
        Span { start: begin.start, end: end.min(line_end).max(begin.start) }
    }

    /// Returns the rest of a line.
    fn line_from(&self, start: usize) -> &str {
        self.source.text[start..].split('\n').next().unwrap_or_default()
    }

    /// Removes the line breaks after a block of text, which the parser counts as part of it.
    fn without_trailing_space(&self, span: Span) -> Span {
        Span { start: span.start, end: span.start + self.text(span).trim_end().len() }
    }

    fn text(&self, span: Span) -> &str {
        &self.source.text[span.start..span.end]
    }
}

/// Returns a location in bytes. Texts that are read from memory always have byte offsets.
fn span_of(location: &Location) -> Span {
    let span = location.span();
    let start = span.byte_offset().unwrap_or_default() as usize;
    Span { start, end: start + span.byte_len().unwrap_or_default() as usize }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Arc<SourceText> {
        Arc::new(SourceText { name: "a.yml".into(), text: text.into() })
    }

    /// Returns every value's path and source text, one per line.
    fn spans(text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        walk(&read(&source(text)).expect("YAML"), text, "", &mut lines);
        lines
    }

    fn walk(node: &Node, text: &str, path: &str, lines: &mut Vec<String>) {
        lines.push(format!("{path} {}", &text[node.span.start..node.span.end]));
        match &node.value {
            NodeValue::List(items) => {
                items.iter().enumerate().for_each(|(i, item)| walk(item, text, &format!("{path}/{i}"), lines));
            }
            NodeValue::Map(entries) => {
                for (key, value) in entries {
                    walk(value, text, &format!("{path}/{}", &text[key.span.start..key.span.end]), lines);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn spans_are_exactly_the_typed_text() {
        let text = "- name: ☃ a\r\n  b: \"q\\nx\" # c\r\n  'k k': 'it''s'\r\n  d: |\r\n    one\r\n\r\n    two\r\n  e: 5\r\n  f:\r\n";
        assert_eq!(
            spans(text),
            [
                " - name: ☃ a",
                "/0 name: ☃ a",
                "/0/name ☃ a",
                "/0/b \"q\\nx\"",
                "/0/'k k' 'it''s'",
                "/0/d one\r\n\r\n    two",
                "/0/e 5",
                "/0/f f",
            ]
        );
    }

    #[test]
    fn spans_of_collections_in_brackets_end_at_the_bracket() {
        let text = "a: {p: 1, q: [1, 2 ], r: {}, s: []} # }\nb: [\n  1]\n";
        assert_eq!(
            spans(text),
            [
                " a: {p: 1, q: [1, 2 ], r: {}, s: []} # }",
                "/a {p: 1, q: [1, 2 ], r: {}, s: []}",
                "/a/p 1",
                "/a/q [1, 2 ]",
                "/a/q/0 1",
                "/a/q/1 2",
                "/a/r {}",
                "/a/s []",
                "/b [",
                "/b/0 1",
            ]
        );
    }

    #[test]
    fn aliases_and_merges_point_at_the_definition() {
        let text = "a: &x {p: 1}\nb: *x\nc:\n  <<: *x\n  r: 2\n";
        assert_eq!(
            spans(text),
            [" a: &x {p: 1}", "/a {p: 1}", "/a/p 1", "/b {p: 1}", "/b/p 1", "/c <<: *x", "/c/r 2", "/c/p 1"]
        );
    }

    #[test]
    fn one_anchor_may_be_used_by_many_steps() {
        let text = "- &a {p: 1}\n".to_owned() + &"- *a\n".repeat(5000);
        assert!(read(&source(&text)).is_ok());
    }

    #[test]
    fn scalars_are_typed_by_yaml_1_2() {
        let text = "[~, null, true, yes, 7, -7, 0x10, 1.5, 1e3, 007, 1_000, .inf, 1e999, '1', 2024-01-01]";
        let text_value = |text: &str| NodeValue::String(text.into());
        let NodeValue::List(items) = read(&source(text)).expect("YAML").value else { panic!("a list") };
        let values: Vec<NodeValue> = items.into_iter().map(|item| item.value).collect();
        assert_eq!(
            values,
            [
                NodeValue::Null,
                NodeValue::Null,
                NodeValue::Bool(true),
                text_value("yes"),
                NodeValue::Int(7),
                NodeValue::Int(-7),
                NodeValue::Int(16),
                NodeValue::Float(1.5),
                NodeValue::Float(1000.0),
                text_value("007"),
                text_value("1_000"),
                text_value(".inf"),
                text_value("1e999"),
                text_value("1"),
                text_value("2024-01-01"),
            ]
        );
    }

    #[test]
    fn all_repeated_keys_and_large_numbers_are_found() {
        let text = "a: 1\na: 2\nb: {c: 1, c: 2}\nd: 9223372036854775808\ne: 99999999999999999999\n";
        let diagnostics = read(&source(text)).expect_err("errors");
        let lines: Vec<_> =
            diagnostics.0.iter().map(|one| (one.code, one.location.as_ref().map(|at| at.span.start))).collect();
        assert_eq!(
            lines,
            [
                ("script::duplicate-key", Some(5)),
                ("script::duplicate-key", Some(20)),
                ("script::number", Some(29)),
                ("script::number", Some(52)),
            ]
        );
    }
}
