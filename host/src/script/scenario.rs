//! `scenarios`: loads that run side by side, each with its own steps or the script's.

use super::decode::ScriptDecoder;
use super::load;
use super::model::{LoadSettings, Node, NodeValue, ScenarioSpec, Spanned};
use super::value_reader::DiagnosticText;

/// The keys of a scenario besides those of a load.
pub(super) const KEYS: [&str; 5] = ["start", "weight", "env", "tags", "steps"];
const HELP: &str = "for example `scenarios: {browse: {users: 50, duration: 5m, steps: [{name: Home, url: /}]}}`";
/// Names that rows of the report already have.
const RESERVED_NAMES: [&str; 2] = ["setup", "teardown"];

impl ScriptDecoder {
    /// Reads `scenarios`: a mapping of names to scenarios.
    pub(crate) fn scenarios(&mut self, node: Node) -> Vec<ScenarioSpec> {
        let span = node.span;
        let Some(entries) = self.reader.mapping("scenarios", node, HELP) else { return Vec::new() };
        if entries.is_empty() {
            let message = "`scenarios` must not be empty";
            self.reader
                .report(span, &DiagnosticText { code: "script::empty", message, label: "no scenarios", help: HELP });
        }
        entries.into_iter().filter_map(|(name, node)| self.scenario(name, node)).collect()
    }

    fn scenario(&mut self, name: Spanned<String>, node: Node) -> Option<ScenarioSpec> {
        self.reader.check_name("a scenario", &name);
        if RESERVED_NAMES.contains(&name.value.as_str()) {
            let message = format!("`{}` cannot be the name of a scenario", name.value);
            let help = "a row of the report has this name; use another";
            self.reader
                .report(name.span, &DiagnosticText { code: "script::name", message: &message, label: "taken", help });
        }
        // A scenario without keys has the script's own load and steps.
        let entries = match node.value {
            NodeValue::Null => Vec::new(),
            _ => self.reader.mapping(&name.value, node, HELP)?,
        };
        let (mut load, mut start, mut weight) = (LoadSettings::default(), None, None);
        let (mut env, mut tags, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        for (key, node) in entries {
            let reader = &mut self.reader;
            match key.value.as_str() {
                "start" => start = reader.duration("start", &node),
                "weight" => weight = reader.positive("weight", &node),
                "env" => env = reader.text_entries("env", node, "for example `env: {REGION: eu}`"),
                "tags" => tags = super::checks::tags(reader, node),
                "steps" => steps = self.independent_steps("steps", node),
                known => {
                    if !load::entry(reader, &mut load, known, node) {
                        let known: Vec<_> = load::KEYS.into_iter().chain(KEYS).collect();
                        reader.unknown_key(&key, "a scenario", &known);
                    }
                }
            }
        }
        Some(ScenarioSpec { name, load, start, weight, env, tags, steps })
    }
}
