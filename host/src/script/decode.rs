//! Tree to [`Script`]: the keys of a whole script. A list is the plain form, steps only; a mapping is the long form.

use std::collections::HashMap;
use std::sync::Arc;

use super::header::check_header;
use super::model::{DataEntry, Group, Node, Script, Settings, Spanned, Value};
use super::values::{Mistake, Reader};
use crate::diagnostic::{Diagnostics, Source, Span};

/// The keys of the long form, in the order of the reference.
pub(super) const KEYS: [&str; 14] = [
    "users",
    "rps",
    "duration",
    "iterations",
    "ramp_up",
    "graceful_stop",
    "timeout",
    "seed",
    "headers",
    "base_url",
    "login",
    "data",
    "plugins",
    "steps",
];

/// The keys of a group.
pub(super) const GROUP_KEYS: [&str; 2] = ["group", "steps"];
/// What a group looks like, for messages.
const GROUP_HELP: &str = "for example `- {group: Checkout, steps: [{name: Pay, url: /pay}]}`";

/// What the steps look like, for messages.
const STEPS_HELP: &str = "a script is a list of steps, or a mapping with a list `steps`; each begins with `- name: …`";

/// Reads the tree of a whole script. All mistakes are found, in the order of their places.
pub fn decode(source: &Arc<Source>, root: Node) -> Result<Script, Diagnostics> {
    let mut decoder = Decoder::new(source);
    match root.value {
        Value::List(_) => decoder.steps(root),
        Value::Map(_) => decoder.long_form(root),
        Value::Null => decoder.empty(),
        _ => decoder.reader.wrong_kind("a script must be a list of steps or a mapping", &root, STEPS_HELP),
    }
    let (script, mut found) = decoder.finish();
    found.0.sort_by_key(|mistake| mistake.place.as_ref().map(|place| place.span.start));
    found.into_result(script)
}

/// A script in the making.
pub(super) struct Decoder {
    /// Reads values.
    pub reader: Reader,
    /// What was right so far.
    script: Script,
    /// The names of all steps so far, for names given twice.
    pub names: HashMap<String, Span>,
}

impl Decoder {
    /// What was read, and what was wrong with it.
    pub fn finish(self) -> (Script, Diagnostics) {
        (self.script, self.reader.found)
    }

    /// Of this text, nothing read yet.
    pub fn new(source: &Arc<Source>) -> Self {
        let script = Script {
            source: Arc::clone(source),
            settings: Settings::default(),
            base_url: None,
            login: None,
            data: Vec::new(),
            plugins: Vec::new(),
            steps: Vec::new(),
            groups: Vec::new(),
        };
        let reader = Reader { source: Arc::clone(source), found: Diagnostics::default() };
        Self { reader, script, names: HashMap::new() }
    }

    fn empty(&mut self) {
        let mistake =
            Mistake { code: "script::empty", message: "the script is empty", label: "no steps", help: STEPS_HELP };
        self.reader.report(Span::default(), &mistake);
    }

    fn long_form(&mut self, root: Node) {
        let Value::Map(entries) = root.value else { return };
        let has = |wanted: &str| entries.iter().any(|(key, _)| key.value == wanted);
        if !has("steps") {
            self.no_steps(root.span, has("name"));
            if has("name") {
                // Every key would be an unknown one; that the step is no list is all there is to say.
                return;
            }
        }
        for (key, node) in entries {
            self.entry(&key, node);
        }
    }

    fn no_steps(&mut self, span: Span, is_step: bool) {
        let mistake = if is_step {
            Mistake {
                code: "script::type",
                message: "a step stands outside of a list",
                label: "not in a list",
                help: "begin it with `- ` and indent its other keys by two",
            }
        } else {
            Mistake { code: "script::missing-key", message: "`steps` is missing", label: "no steps", help: STEPS_HELP }
        };
        self.reader.report(span, &mistake);
    }

    /// One key of the long form.
    pub fn entry(&mut self, key: &Spanned<String>, node: Node) {
        let name = key.value.as_str();
        let (reader, script) = (&mut self.reader, &mut self.script);
        let settings = &mut script.settings;
        match name {
            "users" => settings.users = reader.whole(name, &node, 1, u32::MAX.into()),
            "rps" => settings.rps = reader.positive(name, &node),
            "duration" => settings.duration = reader.positive_duration(name, &node),
            "iterations" => settings.iterations = reader.whole(name, &node, 1, i64::MAX),
            "ramp_up" => settings.ramp_up = reader.duration(name, &node),
            "graceful_stop" => settings.graceful_stop = reader.duration(name, &node),
            "timeout" => settings.timeout = reader.positive_duration(name, &node),
            "seed" => settings.seed = reader.whole(name, &node, 0, i64::MAX),
            "headers" => settings.headers = headers(reader, node),
            "base_url" => script.base_url = reader.some_text(name, node, "https://site.example"),
            "login" => self.login(key.span, node),
            "data" => script.data = data(reader, node),
            "plugins" => script.plugins = super::plugin::plugins(reader, node),
            "steps" => self.steps(node),
            _ => reader.unknown_key(key, "a script", &KEYS),
        }
    }

    fn login(&mut self, key: Span, node: Node) {
        let name = Spanned { value: "login".to_owned(), span: key };
        self.script.login = self.step(node, Some(name));
    }

    fn steps(&mut self, node: Node) {
        let Value::List(items) = node.value else {
            return self.reader.wrong_type("steps", &node, "a list", "begin each step with `- name: …`");
        };
        if items.is_empty() {
            let message = "a script needs at least one step";
            self.reader.report(
                node.span,
                &Mistake {
                    code: "script::empty",
                    message,
                    label: "no steps",
                    help: "begin each step with `- name: …`",
                },
            );
        }
        for item in items {
            let is_group = matches!(&item.value, Value::Map(keys) if keys.iter().any(|(key, _)| key.value == "group"));
            if is_group {
                self.group(item);
            } else {
                let step = self.step(item, None);
                self.script.steps.extend(step);
            }
        }
    }

    /// `{group: NAME, steps: […]}`: its steps stand in line with the others.
    fn group(&mut self, node: Node) {
        let (span, at) = (node.span, self.script.groups.len());
        let first = self.script.steps.len();
        let (mut name, mut has_steps) = (None, false);
        let mut steps = None;
        for (key, node) in self.reader.mapping("a group", node, GROUP_HELP).unwrap_or_default() {
            match key.value.as_str() {
                "group" => name = self.reader.some_text("group", node, "Checkout"),
                "steps" => (has_steps, steps) = (true, Some(node)),
                _ => self.reader.unknown_key(&key, "a group", &GROUP_KEYS),
            }
        }
        if !has_steps {
            let mistake = Mistake {
                code: "script::missing-key",
                message: "a group has no `steps`",
                label: "this group",
                help: GROUP_HELP,
            };
            self.reader.report(span, &mistake);
        }
        if let Some(name) = name {
            self.register(&name);
            self.script.groups.push(Group { name, first, after: first });
        }
        if let Some(steps) = steps {
            self.steps(steps);
        }
        let after = self.script.steps.len();
        if let Some(group) = self.script.groups.get_mut(at) {
            group.after = after;
        }
    }
}

/// `headers`: names and values. A value may be empty.
fn headers(reader: &mut Reader, node: Node) -> Vec<(Spanned<String>, Spanned<String>)> {
    let entries = reader.mapping("headers", node, "for example `headers: {accept: application/json}`");
    let mut headers = Vec::new();
    for (name, node) in entries.unwrap_or_default() {
        let Some(value) = reader.text(&name.value, node, "\"…\"") else { continue };
        match check_header(&name.value, &value.value) {
            Ok(()) => headers.push((name, value)),
            Err(fault) => {
                let message = fault.to_string();
                let help = "HTTP allows letters, digits and most signs in names, and no control characters in values";
                reader.report(
                    name.span,
                    &Mistake { code: "script::header", message: &message, label: "this header", help },
                );
            }
        }
    }
    headers
}

/// `data`: names and sets of rows.
fn data(reader: &mut Reader, node: Node) -> Vec<(Spanned<String>, DataEntry)> {
    let entries = reader.mapping("data", node, "for example `data: {movies: [alien, heat]}`");
    let entries = entries.unwrap_or_default().into_iter();
    entries
        .filter_map(|(name, node)| {
            reader.name("a data set", &name);
            super::data::entry(reader, &name.value, node).map(|entry| (name, entry))
        })
        .collect()
}
