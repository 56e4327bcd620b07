//! `plugins`: the actions that scripts can name, with their parameters as the plugins themselves describe them.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::cli::PluginsArgs;
use crate::data::DataSets;
use crate::diagnostic::{Diagnostics, Source};
use crate::exit::Exit;
use crate::plugin::load::plugins::Plugins;
use crate::plugin::load::registry::Loaded;
use crate::plugin::load::resolve::Policy;
use crate::plugin::scripting::Scripting;
use crate::script;
use crate::template::Environment;
use crate::text::one_line;

/// Lists the built-in actions, and those of a script's own plugins if one is named.
///
/// # Errors
/// The script is wrong, or a plugin does not load.
pub fn plugins(args: &PluginsArgs) -> Result<Exit, Diagnostics> {
    let policy = Policy { locked: args.locked, allow_native: args.native.allow_native, quiet: false };
    for plugin in load(args.script.as_deref(), policy)?.iter() {
        super::print(list(plugin).as_bytes())?;
    }
    Ok(Exit::Done)
}

/// Loads the built-in plugins, and those of a script if one is named.
///
/// # Errors
/// The script is wrong, or a plugin does not load.
pub fn load(script: Option<&Path>, policy: Policy) -> Result<Plugins, Diagnostics> {
    let source = match script {
        Some(path) => super::run::read(Some(path))?,
        None => Arc::new(Source { name: String::new(), text: "steps: [{name: none}]".into() }),
    };
    let script = script::parse(&source)?;
    let folder = Path::new(&source.name).parent().map(Path::to_path_buf).unwrap_or_default();
    let scripting = Scripting {
        data: DataSets::default(),
        environment: Environment::of_process([]),
        base_url: None,
        folder,
        secrets: Arc::default(),
    };
    let plugins = Plugins::load(&script, &Arc::new(scripting), policy, |_| true)?;
    super::warn_of_native(plugins.native());
    Ok(plugins)
}

fn list(plugin: &Loaded) -> String {
    format!("{} {}\n{}", plugin.name(), one_line(&plugin.description.version), actions(plugin))
}

/// The actions of a plugin with their parameters, a line each.
pub fn actions(plugin: &Loaded) -> String {
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
