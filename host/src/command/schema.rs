//! `schema`: one JSON Schema of scripts, from the host's keys and the schemas of the plugins' actions.

use std::path::Path;

use serde_json::{Value, json};

use super::plugins::load_plugins;
use crate::cli::{NativeArgs, SchemaArgs};
use crate::command::output::print;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::exit::Exit;
use crate::plugin::load::resolve::PluginLoadOptions;
use crate::script;

/// Prints the schema.
///
/// # Errors
/// The script is wrong, or a plugin does not load.
pub(super) fn schema(args: &SchemaArgs) -> Result<Exit, Diagnostics> {
    let script = args.script.as_deref().map(|script| (script, args.native));
    print(text(script)?.as_bytes())
}

/// Returns the text of the schema. With a script, and its right to native plugins, it includes the script's plugins,
/// and allows no other action.
///
/// # Errors
/// The script is wrong, or a plugin does not load.
pub(super) fn text(script: Option<(&Path, NativeArgs)>) -> Result<String, Diagnostics> {
    let mut schema: Value =
        serde_json::from_str(script::SCHEMA).map_err(|error| Diagnostic::new("internal::schema", error.to_string()))?;
    let plugins = load_plugins(
        script.map(|(script, _)| script),
        PluginLoadOptions {
            allow_native: script.is_some_and(|(_, native)| native.allow_native),
            ..PluginLoadOptions::default()
        },
    )?;
    let mut names = Vec::new();
    for plugin in plugins.iter() {
        for action in &plugin.description.actions {
            let Some(params) = plugin.schema(&action.name) else { continue };
            let definition = format!("action:{}", action.name);
            schema["$defs"][&definition] = action_schema(&action.name, &action.summary, params.json());
            let then = json!({"$ref": format!("#/$defs/{definition}")});
            for (block, default) in [("step", "http"), ("login", "login")] {
                add_action_condition(&mut schema, block, &json!({"const": action.name}), action.name == default, &then);
            }
            names.push(action.name.clone());
        }
    }
    for block in ["step", "login"] {
        if script.is_some() {
            schema["$defs"][block]["properties"]["action"]["enum"] = json!(names);
        } else {
            // The parameters of an action of a script's own plugin are unknown.
            let anything = json!({"additionalProperties": true});
            add_action_condition(&mut schema, block, &json!({"not": {"enum": names}}), false, &anything);
        }
    }
    Ok(format!("{schema:#}\n"))
}

/// Adds a schema that applies to a step with such an action; the default action need not be named.
fn add_action_condition(schema: &mut Value, block: &str, action: &Value, is_default: bool, then: &Value) {
    let mut condition = json!({"properties": {"action": action}});
    if !is_default {
        condition["required"] = json!(["action"]);
    }
    if let Some(all) = schema["$defs"][block]["allOf"].as_array_mut() {
        all.push(json!({"if": condition, "then": then}));
    }
}

/// Returns the parameters of an action as a part of the whole schema.
fn action_schema(name: &str, summary: &str, params: &Value) -> Value {
    let mut params = params.clone();
    if let Some(keywords) = params.as_object_mut() {
        keywords.remove("$schema");
        // The host's own keys are beside the parameters, so only the step as a whole can reject other keys.
        if matches!(keywords.get("additionalProperties"), None | Some(Value::Bool(false))) {
            keywords.remove("additionalProperties");
        }
        keywords.insert("title".into(), json!(format!("Action `{name}`: {summary}")));
        if keywords.contains_key("$defs") {
            // Its references point into itself.
            keywords.insert("$id".into(), json!(format!("action:{name}")));
        }
    }
    params
}
