//! One step: reads and checks the host's own keys, and leaves all others to the plugin, unchanged.

use std::sync::Arc;

use super::decode::ScriptDecoder;
use super::model::{CaptureSource, CaptureSpec, Node, NodeValue, Repetition, Spanned, StepSpec};
use super::value_reader::{DiagnosticText, Entries, ValueReader};
use crate::diagnostic::Span;

/// The host's own keys of a step.
pub const KEYS: [&str; 12] =
    ["name", "action", "timeout", "apdex", "capture", "think", "checks", "tags", "when", "while", "repeat", "retry"];
/// The host's own keys of the sign-in.
pub const LOGIN_KEYS: [&str; 9] =
    ["name", "action", "timeout", "apdex", "capture", "think", "checks", "tags", "refresh_on"];

/// The keys of a capture: the sources of its value, and `secret`.
pub(super) const CAPTURE_KEYS: [&str; 5] = ["json", "header", "regex", "cookie", "secret"];

/// The help of messages about the form of captures.
const CAPTURE_HELP: &str = "for example `capture: {token: {json: $.token}}`";

impl ScriptDecoder {
    /// Reads a step. `default_name` is the name of the sign-in, which needs none.
    pub(crate) fn step(&mut self, node: Node, default_name: Option<Spanned<String>>) -> Option<StepSpec> {
        let span = node.span;
        // The sign-in has no condition and no repetition: it runs when a user needs it.
        let is_step = default_name.is_none();
        let subject = if is_step { "a step" } else { "`login`" };
        let entries = self.step_entries(subject, node)?;
        let reader = &mut self.reader;
        let (mut name, mut action, mut timeout, mut apdex) = (None, None, None, None);
        let (mut captures, mut think, mut params) = (Vec::new(), None, Entries::new());
        let (mut checks, mut tags, mut repetition) = (Vec::new(), Vec::new(), Repetition::default());
        for (key, node) in entries {
            match key.value.as_str() {
                known if is_step && super::repetition::KEYS.contains(&known) => {
                    repetition.read_entry(reader, known, node)
                }
                "name" => name = Some(reader.non_empty_text("name", node, "Catalog")),
                "action" => action = reader.non_empty_text("action", node, "http"),
                "timeout" => timeout = reader.positive_duration("timeout", &node),
                "apdex" => apdex = reader.positive_duration("apdex", &node),
                "capture" => captures = capture(reader, node),
                "think" => think = super::load::think(reader, node),
                "checks" => checks = super::checks::checks(reader, node),
                "tags" => tags = super::checks::tags(reader, node),
                _ => params.push((key, node)),
            }
        }
        repetition.check_is_bounded(reader);
        let name = match name.or(default_name.map(Some)) {
            Some(name) => name?,
            None => return self.report_missing_name(span),
        };
        self.register_row_name(&name);
        let params = Node { value: NodeValue::Map(params), span };
        let source = Arc::clone(&self.reader.source);
        Some(StepSpec { source, span, name, action, timeout, apdex, captures, think, repetition, checks, tags, params })
    }

    fn step_entries(&mut self, subject: &str, node: Node) -> Option<Entries> {
        if let NodeValue::Map(entries) = node.value {
            return Some(entries);
        }
        let help =
            if subject == "a step" { "begin it with `- name: …`" } else { "for example `login: {url: /auth}`" };
        self.reader.type_mismatch(&format!("{subject} must be a mapping"), &node, help);
        None
    }

    fn report_missing_name(&mut self, span: Span) -> Option<StepSpec> {
        let diagnostic = DiagnosticText {
            code: "script::missing-key",
            message: "a step has no `name`",
            label: "this step",
            help: "add `name: …`, which becomes its row in the report",
        };
        self.reader.report(span, &diagnostic);
        None
    }

    /// Notes the name of a row, and rejects a second step of that name: they would share a row of the report.
    pub(crate) fn register_row_name(&mut self, name: &Spanned<String>) {
        let Some(earlier) = self.names.get(&name.value) else {
            self.check_row_name(name);
            self.names.insert(name.value.clone(), name.span);
            return;
        };
        let line = self.reader.source.line(earlier.start);
        let message = format!("two steps are named `{}`", name.value);
        let help = format!("line {line} has a step of that name; rows of the report need different names");
        self.reader.report(
            name.span,
            &DiagnosticText { code: "script::duplicate-name", message: &message, label: "named again", help: &help },
        );
    }

    /// Rejects a name with control characters: it becomes a cell of a table.
    fn check_row_name(&mut self, name: &Spanned<String>) {
        if name.value.contains(char::is_control) {
            let diagnostic = DiagnosticText {
                code: "script::name",
                message: "a step's name must be one line of text",
                label: "line break or control character",
                help: "the name becomes a row in the report",
            };
            self.reader.report(name.span, &diagnostic);
        }
    }
}

/// Reads `capture`: variables and the sources of their values.
fn capture(reader: &mut ValueReader, node: Node) -> Vec<CaptureSpec> {
    let entries = reader.mapping("capture", node, CAPTURE_HELP).unwrap_or_default().into_iter();
    entries
        .filter_map(|(variable, node)| {
            reader.check_name("a variable", &variable);
            let span = node.span;
            let (from, secret) = capture_source(reader, &variable, node)?;
            Some(CaptureSpec { variable, from: Spanned { value: from, span }, secret })
        })
        .collect()
}

/// Reads a source such as `{json: …}`: exactly one, and perhaps `secret`.
fn capture_source(reader: &mut ValueReader, variable: &Spanned<String>, node: Node) -> Option<(CaptureSource, bool)> {
    let span = node.span;
    let help = format!("for example `{}: {{json: $.token}}`", variable.value);
    let entries = reader.mapping(&variable.value, node, &help)?;
    let mut first: Option<String> = None;
    let mut source = None;
    let (mut is_unknown, mut secret) = (false, false);
    for (key, node) in entries {
        if key.value == "secret" {
            secret = reader.boolean("secret", &node).unwrap_or_default();
        } else if !CAPTURE_KEYS.contains(&key.value.as_str()) {
            reader.unknown_key(&key, "a capture", &CAPTURE_KEYS);
            is_unknown = true;
        } else if let Some(first) = &first {
            report_second_source(reader, first, &key);
        } else {
            source = reader
                .non_empty_text(&key.value, node, capture_example(&key.value))
                .map(|text| capture_source_from(&key.value, text.value));
            first = Some(key.value);
        }
    }
    if first.is_none() && !is_unknown {
        let message = format!("capture `{}` has no source", variable.value);
        let help = "give one of `json`, `header`, `regex` and `cookie`";
        reader.report(span, &DiagnosticText { code: "script::capture", message: &message, label: "no source", help });
    }
    source.map(|source| (source, secret))
}

fn report_second_source(reader: &mut ValueReader, first: &str, key: &Spanned<String>) {
    let message = format!("a capture has both `{first}` and `{}`", key.value);
    let help = "a value comes from one source: split it into two captures";
    reader
        .report(key.span, &DiagnosticText { code: "script::capture", message: &message, label: "second source", help });
}

/// Returns the source for a key of [`CAPTURE_KEYS`].
fn capture_source_from(key: &str, text: String) -> CaptureSource {
    match key {
        "json" => CaptureSource::Json(text),
        "header" => CaptureSource::Header(text),
        "regex" => CaptureSource::Regex(text),
        _ => CaptureSource::Cookie(text),
    }
}

/// Returns an example of the value of a key of [`CAPTURE_KEYS`].
fn capture_example(key: &str) -> &'static str {
    match key {
        "json" => "$.token",
        "header" => "etag",
        "regex" => "id=([0-9]+)",
        _ => "session",
    }
}
