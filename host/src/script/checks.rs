//! `checks` of a step, which test its replies and are counted, and `tags`, by which thresholds select it.

use super::model::{CheckSpec, CheckTest, NamedText, Node, NodeValue, Spanned, StatusRange, TextTest};
use super::threshold_syntax::{self, Quantity};
use super::thresholds::parse_in_place;
use super::value_reader::{DiagnosticText, ValueReader};

/// The parts of a reply that a check can test.
pub(super) const KINDS: [&str; 6] = ["status", "header", "body", "json", "size", "latency"];
/// The keys of a check of a header field.
pub(super) const HEADER_KEYS: [&str; 5] = ["name", "present", "equals", "contains", "regex"];
/// The keys of a check of a body.
pub(super) const BODY_KEYS: [&str; 2] = ["contains", "regex"];
/// The keys of a check by JSONPath.
pub(super) const JSON_KEYS: [&str; 3] = ["path", "exists", "equals"];
/// Tags that every step already has, or that thresholds give a meaning of their own.
const RESERVED_TAGS: [&str; 4] = ["step", "action", "scenario", "check"];

const HELP: &str = "for example `checks: {is found: {status: 200}, is quick: {latency: < 200ms}}`";
const STATUS_HELP: &str = "write a code from 100 to 999, a class such as `2xx`, or a list of them";

/// Reads the value of `checks`: a mapping by name, or a list whose entries may have a `name`.
pub(super) fn checks(reader: &mut ValueReader, node: Node) -> Vec<CheckSpec> {
    let mut checks: Vec<CheckSpec> = Vec::new();
    let span = node.span;
    let entries: Vec<(Option<Spanned<String>>, Node)> = match node.value {
        NodeValue::Map(entries) => entries.into_iter().map(|(name, node)| (Some(name), node)).collect(),
        NodeValue::List(items) => items.into_iter().map(|item| (None, item)).collect(),
        _ => {
            reader.wrong_type("checks", &node, "a mapping or a list", HELP);
            return checks;
        }
    };
    if entries.is_empty() {
        let (message, label) = ("`checks` must not be empty", "no checks");
        reader.report(span, &DiagnosticText { code: "script::check", message, label, help: HELP });
    }
    for (name, node) in entries {
        let Some(check) = check(reader, name, node) else { continue };
        if checks.iter().any(|known| known.name.value == check.name.value) {
            let message = format!("two checks of a step are named `{}`", check.name.value);
            let help = "give each a `name` of its own";
            let diagnostic = DiagnosticText { code: "script::check", message: &message, label: "named again", help };
            reader.report(check.name.span, &diagnostic);
        }
        checks.push(check);
    }
    checks
}

/// Reads the value of `tags`.
pub(super) fn tags(reader: &mut ValueReader, node: Node) -> Vec<NamedText> {
    let mut all = Vec::new();
    for (name, node) in reader.mapping("tags", node, "for example `tags: {area: checkout}`").unwrap_or_default() {
        reader.check_name("a tag", &name);
        if RESERVED_TAGS.contains(&name.value.as_str()) {
            let message = format!("`{}` cannot be the name of a tag", name.value);
            let help = "the tags `step`, `action`, `scenario` and `check` are built in; use another name";
            reader.report(name.span, &DiagnosticText { code: "script::name", message: &message, label: "taken", help });
        }
        if let Some(value) = reader.non_empty_text(&name.value, node, "checkout") {
            all.push(NamedText { name, value });
        }
    }
    all
}

/// Reads a check such as `{status: 200}`: one key names the part of the reply.
fn check(reader: &mut ValueReader, name: Option<Spanned<String>>, node: Node) -> Option<CheckSpec> {
    let span = node.span;
    let in_list = name.is_none();
    let entries = match node.value {
        NodeValue::Map(entries) => entries,
        _ => {
            reader.type_mismatch("a check must be a mapping", &node, HELP);
            return None;
        }
    };
    let mut name = name;
    let mut tested: Option<(String, Option<CheckTest>)> = None;
    let mut has_unknown_key = false;
    for (key, node) in entries {
        match key.value.as_str() {
            "name" if in_list => name = reader.non_empty_text("name", node, "is quick"),
            kind if KINDS.contains(&kind) => {
                if let Some((first, _)) = &tested {
                    let message = format!("a check has both `{first}` and `{kind}`");
                    let help = "a check tests one thing: split it in two";
                    let diagnostic =
                        DiagnosticText { code: "script::check", message: &message, label: "second test", help };
                    reader.report(key.span, &diagnostic);
                    continue;
                }
                let name = name.get_or_insert_with(|| Spanned { value: default_check_name(reader, kind, &node), span });
                name.value.truncate(name.value.trim_end().len());
                let test = test(reader, kind, node);
                tested = Some((key.value, test));
            }
            _ => {
                reader.unknown_key(&key, "a check", &KINDS);
                has_unknown_key = true;
            }
        }
    }
    let Some((_, test)) = tested else {
        if !has_unknown_key {
            let help = "give one of `status`, `header`, `body`, `json`, `size` and `latency`";
            let (message, label) = ("a check needs a test", "no test");
            reader.report(span, &DiagnosticText { code: "script::check", message, label, help });
        }
        return None;
    };
    let name = name?;
    if name.value.is_empty() || name.value.contains(char::is_control) {
        let (message, help) = ("a check's name must be one line of text", "the name becomes a row in the report");
        reader.report(name.span, &DiagnosticText { code: "script::name", message, label: "not a name", help });
    }
    Some(CheckSpec { name, test: test? })
}

/// Returns the name of a check without one: its test as typed.
fn default_check_name(reader: &ValueReader, kind: &str, node: &Node) -> String {
    let typed = reader.source.text[node.span.start..node.span.end].lines().next().unwrap_or_default();
    let typed = typed.trim().trim_matches(['"', '\'', '{', '}', '[', ']']);
    format!("{kind} {typed}")
}

fn test(reader: &mut ValueReader, kind: &str, node: Node) -> Option<CheckTest> {
    match kind {
        "status" => status_ranges(reader, kind, node).map(CheckTest::Status),
        "header" => header(reader, node),
        "body" => body(reader, node),
        "json" => json(reader, node),
        "size" => {
            let help = "write a comparison and a size, such as `< 10KB`";
            bound(reader, &node, kind, Quantity::Bytes, help)
                .map(|(comparison, limit)| CheckTest::Size(comparison, limit))
        }
        _ => {
            let help = "write a comparison and a time, such as `< 200ms`";
            let read = bound(reader, &node, kind, Quantity::Time, help);
            read.map(|(comparison, limit)| CheckTest::Latency(comparison, limit))
        }
    }
}

/// Reads status codes and classes of them, one or a list.
pub(super) fn status_ranges(reader: &mut ValueReader, key: &str, node: Node) -> Option<Vec<StatusRange>> {
    let span = node.span;
    let items = match node.value {
        NodeValue::List(items) => items,
        _ => vec![node],
    };
    let ranges: Vec<_> = items.iter().map(|item| (item.span, status_range(&item.value))).collect();
    let mut invalid = ranges.iter().filter(|(_, range)| range.is_none()).map(|(span, _)| *span).collect::<Vec<_>>();
    if ranges.is_empty() {
        invalid.push(span);
    }
    for span in &invalid {
        let (message, label) = (format!("`{key}` must be status codes"), "not a status code");
        reader.report(*span, &DiagnosticText { code: "script::check", message: &message, label, help: STATUS_HELP });
    }
    invalid.is_empty().then(|| ranges.into_iter().filter_map(|(_, range)| range).collect())
}

fn status_range(value: &NodeValue) -> Option<StatusRange> {
    match value {
        NodeValue::Int(code @ 100..=999) => u16::try_from(*code).ok().map(StatusRange::single),
        NodeValue::String(text) => match text.as_bytes() {
            [class @ b'1'..=b'9', b'x' | b'X', b'x' | b'X'] => {
                let first = u16::from(class - b'0') * 100;
                Some(StatusRange { first, last: first + 99 })
            }
            _ => text.parse().ok().filter(|code| (100..=999).contains(code)).map(StatusRange::single),
        },
        _ => None,
    }
}

/// Reads a check of a header: a field's name, or a mapping with a test of its value.
fn header(reader: &mut ValueReader, node: Node) -> Option<CheckTest> {
    let help = "for example `header: etag` or `header: {name: content-type, contains: json}`";
    if !matches!(node.value, NodeValue::Map(_)) {
        let name = reader.non_empty_text("header", node, "etag")?;
        return Some(CheckTest::Header(name, TextTest::Exists(true)));
    }
    let span = node.span;
    let mut name = None;
    let mut tests = TextTestReader::default();
    for (key, node) in reader.mapping("header", node, help)? {
        match key.value.as_str() {
            "name" => name = reader.non_empty_text("name", node, "etag"),
            known if HEADER_KEYS.contains(&known) => tests.read(reader, &key, node),
            _ => reader.unknown_key(&key, "a check of a header", &HEADER_KEYS),
        }
    }
    if name.is_none() {
        let diagnostic = DiagnosticText {
            code: "script::check",
            message: "the name of the header is missing",
            label: "no `name`",
            help,
        };
        reader.report(span, &diagnostic);
    }
    Some(CheckTest::Header(name?, tests.test.unwrap_or(TextTest::Exists(true))))
}

/// Reads a check of the body: a text that it must contain, or a mapping.
fn body(reader: &mut ValueReader, node: Node) -> Option<CheckTest> {
    let help = "for example `body: alien` or `body: {regex: \"id=[0-9]+\"}`";
    if !matches!(node.value, NodeValue::Map(_)) {
        let text = reader.non_empty_text("body", node, "alien")?;
        return Some(CheckTest::Body(TextTest::Contains(text.value)));
    }
    let span = node.span;
    let mut tests = TextTestReader::default();
    let entries = reader.mapping("body", node, help)?;
    let is_empty = entries.is_empty();
    for (key, node) in entries {
        if BODY_KEYS.contains(&key.value.as_str()) {
            tests.read(reader, &key, node);
        } else {
            reader.unknown_key(&key, "a check of a body", &BODY_KEYS);
        }
    }
    if is_empty {
        let diagnostic = DiagnosticText {
            code: "script::check",
            message: "a check of the body needs a test",
            label: "no test",
            help,
        };
        reader.report(span, &diagnostic);
    }
    tests.test.map(CheckTest::Body)
}

/// Reads a check by JSONPath: a path that must match, or a mapping with a test of the matched value.
fn json(reader: &mut ValueReader, node: Node) -> Option<CheckTest> {
    let help = "for example `json: $.token` or `json: {path: $.count, equals: 10}`";
    if !matches!(node.value, NodeValue::Map(_)) {
        let path = reader.non_empty_text("json", node, "$.token")?;
        return Some(CheckTest::JsonExists(path, true));
    }
    let span = node.span;
    let (mut path, mut exists, mut equals) = (None, None, None);
    for (key, node) in reader.mapping("json", node, help)? {
        match key.value.as_str() {
            "path" => path = reader.non_empty_text("path", node, "$.token"),
            "exists" => exists = reader.boolean("exists", &node),
            "equals" => equals = Some(node),
            _ => reader.unknown_key(&key, "a check by JSONPath", &JSON_KEYS),
        }
    }
    let message = match (&path, exists, &equals) {
        (None, ..) => "the JSONPath is missing",
        (_, Some(_), Some(_)) => "a check has both `exists` and `equals`",
        _ => {
            let path = path?;
            return Some(match equals {
                Some(value) => CheckTest::JsonEquals(path, value),
                None => CheckTest::JsonExists(path, exists.unwrap_or(true)),
            });
        }
    };
    reader.report(span, &DiagnosticText { code: "script::check", message, label: "this check", help });
    None
}

/// Reads a comparison with a limit, such as `< 10KB`, in the base unit.
fn bound(
    reader: &mut ValueReader,
    node: &Node,
    key: &str,
    quantity: Quantity,
    help: &str,
) -> Option<(threshold_syntax::Comparison, f64)> {
    if !matches!(node.value, NodeValue::String(_)) {
        reader.wrong_type(key, node, "a comparison", help);
        return None;
    }
    let ((comparison, limit), place) = parse_in_place(reader, node, "script::check", threshold_syntax::parse_bound)?;
    match limit.value.unit {
        Some(unit) if unit.quantity == quantity => Some((comparison, limit.value.number * unit.factor)),
        None if quantity == Quantity::Bytes => Some((comparison, limit.value.number)),
        _ => {
            let wanted = if quantity == Quantity::Bytes { "a size" } else { "a time" };
            let message = format!("`{key}` must be compared with {wanted}");
            let label = if limit.value.unit.is_none() { "no unit" } else { "another unit" };
            reader.report(place(limit.span), &DiagnosticText { code: "script::check", message: &message, label, help });
            None
        }
    }
}

/// Reads the test of a text, which is one of several keys.
#[derive(Default)]
struct TextTestReader {
    first: Option<String>,
    test: Option<TextTest>,
}

impl TextTestReader {
    fn read(&mut self, reader: &mut ValueReader, key: &Spanned<String>, node: Node) {
        let name = key.value.as_str();
        if let Some(first) = &self.first {
            let message = format!("a check has both `{first}` and `{name}`");
            let help = "a check tests one thing: split it in two";
            let diagnostic = DiagnosticText { code: "script::check", message: &message, label: "second test", help };
            return reader.report(key.span, &diagnostic);
        }
        self.first = Some(name.to_owned());
        self.test = match name {
            "present" => reader.boolean(name, &node).map(TextTest::Exists),
            "equals" => reader.text(name, node, "application/json").map(|text| TextTest::Equals(text.value)),
            "contains" => reader.non_empty_text(name, node, "json").map(|text| TextTest::Contains(text.value)),
            _ => reader.non_empty_text(name, node, "\"id=[0-9]+\"").map(TextTest::Regex),
        };
    }
}
