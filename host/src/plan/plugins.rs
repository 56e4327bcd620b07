//! The plugins that a script needs. The host compiles a component before it can ask it anything, which a first start
//! waits for; so a built-in one is loaded only if a step names one of its actions. The script's own are all loaded: only
//! they know what they offer.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, Source};
use crate::http::Grant;
use crate::plugin::engine::Engine;
use crate::plugin::registry::{BUILTIN, Loaded, Location, Registry, one_line};
use crate::plugin::state::Scripting;
use crate::script::model::{PluginEntry, Script, Spanned};

use super::terms;

/// What is loaded for a script.
#[derive(Default)]
pub struct Plugins {
    /// The built-in ones that are needed.
    builtin: Vec<Arc<Loaded>>,
    /// The script's, none of which offers what another plugin does, loaded or not.
    own: Vec<Arc<Loaded>>,
    /// Hosts that the built-in ones may reach whatever the steps name.
    pub allowed: Vec<Grant>,
}

impl Plugins {
    /// Loads what the script names, and the built-in plugins with an action that is needed.
    ///
    /// # Errors
    /// All that do not load, and actions that two plugins offer.
    pub fn load(
        script: &Script,
        scripting: &Arc<Scripting>,
        needed: impl Fn(&str) -> bool,
    ) -> Result<Self, Diagnostics> {
        let internal = |error: wasmtime::Error| Diagnostic::new("plugin::engine", one_line(&error));
        let engine = Arc::new(Engine::new().map_err(internal)?);
        let registry = Registry::new(engine, Arc::clone(scripting)).map_err(internal)?;
        let mut found = Diagnostics::default();
        let mut plugins = Self::default();
        for plugin in BUILTIN.iter().filter(|plugin| plugin.actions.iter().any(|action| needed(action))) {
            let entry = script.plugins.iter().find(|(name, _)| name.value == plugin.name).map(|(_, entry)| entry);
            let Some(terms) = found.absorb(terms::terms(plugin.name, entry, &script.source)) else { continue };
            match registry.load(terms, &Location::Builtin(plugin.component)) {
                Ok(loaded) => plugins.builtin.push(Arc::new(loaded)),
                Err(error) => {
                    let message = format!("built-in plugin `{}`: {error}", plugin.name);
                    found.push(Diagnostic::new("plugin::load", message));
                }
            }
        }
        for (name, entry) in &script.plugins {
            let Some(path) = found.absorb(source_of(name, entry, &script.source)).flatten() else { continue };
            let Some(terms) = found.absorb(terms::terms(&name.value, Some(entry), &script.source)) else { continue };
            let mistake =
                |code, message: String, label| Diagnostic::new(code, message).at(&script.source, path.span, label);
            let location = Location::File(scripting.folder.join(&path.value));
            match registry.load(terms, &location) {
                Err(error) => {
                    let message = format!("plugin `{}` does not load: {error}", name.value);
                    found.push(mistake("plugin::load", message, "this file"));
                }
                Ok(plugin) => match plugins.taken(&plugin) {
                    Some(message) => found.push(mistake("plugin::duplicate-action", message, "this plugin")),
                    None => plugins.own.push(Arc::new(plugin)),
                },
            }
        }
        found.into_result(plugins)
    }

    /// The loaded plugins, the built-in ones first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Loaded>> {
        self.builtin.iter().chain(&self.own)
    }

    /// The loaded plugin that offers an action.
    pub fn offering(&self, action: &str) -> Option<&Arc<Loaded>> {
        self.iter().find(|plugin| plugin.action(action).is_some())
    }

    /// Every action that the script could name, whether its plugin is loaded or not.
    pub fn actions(&self) -> impl Iterator<Item = &str> + Clone {
        let own = self.own.iter().flat_map(|plugin| &plugin.description.actions);
        BUILTIN.iter().flat_map(|plugin| plugin.actions).copied().chain(own.map(|action| action.name.as_str()))
    }

    /// What is wrong with one more plugin of the script, if another one offers the same.
    fn taken(&self, plugin: &Loaded) -> Option<String> {
        plugin.description.actions.iter().map(|action| action.name.as_str()).find_map(|action| {
            let builtin = BUILTIN.iter().find(|other| other.actions.contains(&action)).map(|other| other.name);
            let own = || self.own.iter().find(|other| other.action(action).is_some()).map(|other| other.name());
            let other = builtin.or_else(own)?;
            Some(format!("plugins `{other}` and `{}` both offer the action `{action}`", plugin.name()))
        })
    }
}

/// Where an entry's component comes from; none for a built-in plugin, whose entry says other things.
fn source_of<'a>(
    name: &Spanned<String>,
    entry: &'a PluginEntry,
    source: &Arc<Source>,
) -> Result<Option<&'a Spanned<String>>, Diagnostics> {
    let is_builtin = BUILTIN.iter().any(|plugin| plugin.name == name.value);
    let wrong = |code, message: String, help: &str| {
        Err(Diagnostic::new(code, message).at(source, name.span, "").help(help.to_owned()).into())
    };
    match (&entry.source, is_builtin) {
        (None, true) => Ok(None),
        (Some(path), false) => Ok(Some(path)),
        (None, false) => {
            let message = format!("plugin `{}` has no `source`, and there is no built-in one of that name", name.value);
            wrong("script::missing-key", message, "say where the component is, for example `source: ./mqtt.wasm`")
        }
        (Some(_), true) => {
            let message = format!("`{}` is a built-in plugin and has no `source`", name.value);
            wrong("script::plugin", message, "give your plugin another name")
        }
    }
}
