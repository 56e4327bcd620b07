//! `plugins`: the actions that scripts can name, with their parameters as the plugins themselves describe them.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::cli::PluginsArgs;
use crate::command::output::{print, warn_about_native};
use crate::data::DataSets;
use crate::diagnostic::{Diagnostics, SourceText};
use crate::exit::Exit;
use crate::plugin::load::loader::LoadedPlugin;
use crate::plugin::load::plugin_set::PluginSet;
use crate::plugin::load::resolve::PluginLoadOptions;
use crate::plugin::script_context::ScriptContext;
use crate::script;
use crate::template::Environment;
use crate::text::one_line;

/// Lists the built-in actions, and those of a script's own plugins if one is named.
///
/// # Errors
/// The script is wrong, or a plugin does not load.
pub(super) fn plugins(args: &PluginsArgs) -> Result<Exit, Diagnostics> {
    let policy = PluginLoadOptions { locked: args.locked, allow_native: args.native.allow_native, quiet: false };
    for plugin in load_plugins(args.script.as_deref(), policy)?.iter() {
        print(plugin_text(plugin).as_bytes())?;
    }
    Ok(Exit::Success)
}

/// Loads the built-in plugins, and those of a script if one is named.
///
/// # Errors
/// The script is wrong, or a plugin does not load.
pub(super) fn load_plugins(script: Option<&Path>, policy: PluginLoadOptions) -> Result<PluginSet, Diagnostics> {
    let source = match script {
        Some(path) => super::source::of_file(Some(path))?,
        None => Arc::new(SourceText { name: String::new(), text: "steps: [{name: none}]".into() }),
    };
    let script = script::parse(&source)?;
    let folder = Path::new(&source.name).parent().map(Path::to_path_buf).unwrap_or_default();
    let script_context = ScriptContext {
        data: DataSets::default(),
        environment: Environment::from_process([]),
        base_url: None,
        folder,
        secrets: Arc::default(),
    };
    let plugins = PluginSet::load(&script, &Arc::new(script_context), policy, |_| true)?;
    warn_about_native(plugins.native_names());
    Ok(plugins)
}

fn plugin_text(plugin: &LoadedPlugin) -> String {
    format!("{} {}\n{}", plugin.name(), one_line(&plugin.description.version), action_lines(plugin))
}

/// Lists the actions of a plugin with their parameters, a line each.
pub(super) fn action_lines(plugin: &LoadedPlugin) -> String {
    let mut out = String::new();
    for action in &plugin.description.actions {
        // Writing to a `String` cannot fail.
        let _ = writeln!(out, "  {}: {}", action.name, one_line(&action.summary));
        let schema: Value = serde_json::from_str(&action.params_schema).unwrap_or_default();
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (name, parameter) in schema["properties"].as_object().into_iter().flatten() {
            let must = if required.iter().any(|key| key == name.as_str()) { " (required)" } else { "" };
            let description = parameter["description"].as_str().unwrap_or_default();
            let first = description.split("\n\n").next().unwrap_or_default();
            let (name, first) = (one_line(name), one_line(first));
            let _ = writeln!(out, "    {name:<16} {first}{must}");
        }
    }
    out
}
