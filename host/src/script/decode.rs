//! Reads the keys of a whole script from a tree into a [`Script`]. A list is the plain form, steps only; a mapping is
//! the long form.

use std::collections::HashMap;
use std::sync::Arc;

use super::header::{HeaderError, check_header};
use super::load;
use super::model::{BODY_MEMORY, DataSpec, FlowItem, NamedText, Node, NodeValue, Script, ScriptSettings, Spanned};
use super::value_reader::{DiagnosticText, ValueReader};
use crate::diagnostic::{Diagnostics, SourceText, Span};

/// The keys of the long form besides those of a load, in the order of the reference.
pub(crate) const KEYS: [&str; 19] = [
    "rps_total",
    "warm_up",
    "timeout",
    "apdex",
    "dns_ttl",
    "body_memory",
    "seed",
    "headers",
    "traceparent",
    "base_url",
    "login",
    "data",
    "plugins",
    "thresholds",
    "fail_on",
    "setup",
    "scenarios",
    "teardown",
    "steps",
];

/// The help of messages about the form of a script.
const STEPS_HELP: &str = "a script is a list of steps, or a mapping with a list `steps`; each begins with `- name: …`";

/// Reads the tree of a whole script. Returns all errors, in the order of their places.
pub(crate) fn decode(source: &Arc<SourceText>, root: Node) -> Result<Script, Diagnostics> {
    let mut decoder = ScriptDecoder::new(source);
    match root.value {
        NodeValue::List(_) => decoder.read_entry(&without_span("steps"), root),
        NodeValue::Map(_) => decoder.long_form(root),
        NodeValue::Null => decoder.report_empty(),
        _ => decoder.reader.type_mismatch("a script must be a list of steps or a mapping", &root, STEPS_HELP),
    }
    let (script, mut diagnostics) = decoder.finish();
    diagnostics.0.sort_by_key(|diagnostic| diagnostic.location.as_ref().map(|place| place.span.start));
    diagnostics.into_result(script)
}

/// Reads a script key by key.
pub(crate) struct ScriptDecoder {
    /// Reads values.
    pub reader: ValueReader,
    /// The valid parts so far.
    script: Script,
    /// The names of all steps so far, to find duplicates.
    pub names: HashMap<String, Span>,
}

impl ScriptDecoder {
    /// Returns the script and its errors.
    pub(crate) fn finish(self) -> (Script, Diagnostics) {
        (self.script, self.reader.diagnostics)
    }

    /// Returns a decoder of this text that has read nothing yet.
    pub(crate) fn new(source: &Arc<SourceText>) -> Self {
        let script = Script {
            source: Arc::clone(source),
            settings: ScriptSettings::default(),
            base_url: None,
            login: None,
            refresh_on: Vec::new(),
            data: Vec::new(),
            plugins: Vec::new(),
            setup: Vec::new(),
            teardown: Vec::new(),
            scenarios: Vec::new(),
            steps: Vec::new(),
            thresholds: Vec::new(),
        };
        let reader = ValueReader { source: Arc::clone(source), diagnostics: Diagnostics::default() };
        Self { reader, script, names: HashMap::new() }
    }

    fn report_empty(&mut self) {
        let diagnostic = DiagnosticText {
            code: "script::empty",
            message: "the script is empty",
            label: "no steps",
            help: STEPS_HELP,
        };
        self.reader.report(Span::default(), &diagnostic);
    }

    fn long_form(&mut self, root: Node) {
        let NodeValue::Map(entries) = root.value else { return };
        let has = |wanted: &str| entries.iter().any(|(key, _)| key.value == wanted);
        if !has("steps") && !has("scenarios") {
            self.report_missing_steps(root.span, has("name"));
            if has("name") {
                // The script is a single step: every key of it would be reported as unknown.
                return;
            }
        }
        let has_steps = has("steps");
        for (key, node) in entries {
            self.read_entry(&key, node);
        }
        for scenario in self.script.scenarios.iter().filter(|scenario| scenario.steps.is_empty() && !has_steps) {
            let message = format!("scenario `{}` has no steps, and neither has the script", scenario.name.value);
            let help = "add `steps` to the scenario, or to the script for all that have none";
            let diagnostic =
                DiagnosticText { code: "script::missing-key", message: &message, label: "this scenario", help };
            self.reader.report(scenario.name.span, &diagnostic);
        }
    }

    fn report_missing_steps(&mut self, span: Span, is_step: bool) {
        let diagnostic = if is_step {
            DiagnosticText {
                code: "script::type",
                message: "a step must be in a list",
                label: "not in a list",
                help: "begin it with `- ` and indent its other keys by two",
            }
        } else {
            DiagnosticText {
                code: "script::missing-key",
                message: "`steps` is missing",
                label: "no steps",
                help: STEPS_HELP,
            }
        };
        self.reader.report(span, &diagnostic);
    }

    /// Reads one key of the long form.
    pub(crate) fn read_entry(&mut self, key: &Spanned<String>, node: Node) {
        let name = key.value.as_str();
        let (reader, script) = (&mut self.reader, &mut self.script);
        let settings = &mut script.settings;
        match name {
            "rps_total" => settings.rps_total = reader.positive(name, &node),
            "warm_up" => settings.warm_up = reader.positive_duration(name, &node),
            "timeout" => settings.timeout = reader.positive_duration(name, &node),
            "apdex" => settings.apdex = reader.positive_duration(name, &node),
            "dns_ttl" => settings.dns_ttl = reader.duration(name, &node),
            "body_memory" => {
                settings.body_memory = reader.size(name, &node, *BODY_MEMORY.start(), *BODY_MEMORY.end());
            }
            "seed" => settings.seed = reader.integer(name, &node, 0, i64::MAX),
            "headers" => settings.headers = headers(reader, node),
            "traceparent" => settings.traceparent = reader.boolean(name, &node),
            "base_url" => script.base_url = reader.non_empty_text(name, node, "https://site.example"),
            "login" => self.login(key.span, node),
            "data" => script.data = data(reader, node),
            "plugins" => script.plugins = super::plugin::plugins(reader, node),
            "thresholds" => script.thresholds = super::thresholds::thresholds(reader, node),
            "fail_on" => settings.fail_on = super::thresholds::fail_on(reader, node),
            "setup" => self.script.setup = self.independent_steps(name, node),
            "scenarios" => self.script.scenarios = self.scenarios(node),
            "teardown" => self.script.teardown = self.independent_steps(name, node),
            "steps" => self.script.steps = self.independent_steps(name, node),
            _ => {
                if !load::entry(reader, &mut settings.load, name, node) {
                    let known: Vec<_> = load::KEYS.into_iter().chain(KEYS).collect();
                    reader.unknown_key(key, "a script", &known);
                }
            }
        }
    }

    fn login(&mut self, key: Span, mut node: Node) {
        let name = Spanned { value: "login".to_owned(), span: key };
        if let NodeValue::Map(entries) = &mut node.value
            && let Some(at) = entries.iter().position(|(key, _)| key.value == "refresh_on")
        {
            let (_, codes) = entries.remove(at);
            self.script.refresh_on =
                super::checks::status_ranges(&mut self.reader, "refresh_on", codes).unwrap_or_default();
        }
        self.script.login = self.step(node, Some(name));
    }

    /// Reads a list of steps whose names may also appear in other lists.
    pub(crate) fn independent_steps(&mut self, key: &str, node: Node) -> Vec<FlowItem> {
        // The name of the sign-in is taken in every list.
        self.names.retain(|name, _| name == "login");
        self.items(key, node)
    }
}

/// Returns a key without a place in the script.
fn without_span(key: &str) -> Spanned<String> {
    Spanned { value: key.to_owned(), span: Span::default() }
}

/// Reads `headers`: names and values. A value may be empty, and a list of values is a field for each.
fn headers(reader: &mut ValueReader, node: Node) -> Vec<NamedText> {
    let entries = reader.mapping("headers", node, "for example `headers: {accept: application/json}`");
    let mut headers = Vec::new();
    for (name, node) in entries.unwrap_or_default() {
        let values = match node.value {
            NodeValue::List(values) if !values.is_empty() => values,
            _ => vec![node],
        };
        for node in values {
            let Some(value) = reader.text(&name.value, node, "\"…\"") else { continue };
            match check_header(&name.value, &value.value) {
                Ok(()) => headers.push(NamedText { name: name.clone(), value }),
                Err(error) => report_header(reader, name.span, &error),
            }
        }
    }
    headers
}

fn report_header(reader: &mut ValueReader, span: Span, error: &HeaderError) {
    let help = match error {
        HeaderError::Framing(_) => "remove it",
        HeaderError::Name(_) | HeaderError::Value(_) => {
            "HTTP allows letters, digits and most punctuation in names, and no control characters in values"
        }
    };
    let (code, message, label) = ("script::header", error.to_string(), "this header");
    reader.report(span, &DiagnosticText { code, message: &message, label, help });
}

/// Reads `data`: names and data sets.
fn data(reader: &mut ValueReader, node: Node) -> Vec<(Spanned<String>, DataSpec)> {
    let entries = reader.mapping("data", node, "for example `data: {movies: [alien, heat]}`");
    let entries = entries.unwrap_or_default().into_iter();
    entries
        .filter_map(|(name, node)| {
            reader.check_name("a data set", &name);
            super::data::entry(reader, &name.value, node).map(|entry| (name, entry))
        })
        .collect()
}
