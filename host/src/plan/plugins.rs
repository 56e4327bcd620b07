//! The plugins that a script needs. The host compiles a component before it can ask it anything, which a first start
//! waits for; so a built-in one is loaded only if a step names one of its actions. The script's own are all loaded: only
//! they know what they offer.

use std::path::Path;
use std::sync::Arc;

use wasmtime::component::Component;

use crate::diagnostic::{Diagnostic, Diagnostics, Source};
use crate::plugin::compile::{self, Caps, Refusal};
use crate::plugin::engine::Engine;
use crate::plugin::locate;
use crate::plugin::registry::{BUILTIN, Loaded, Registry, one_line};
use crate::plugin::side_by_side::side_by_side;
use crate::plugin::state::Scripting;
use crate::script::model::{PluginEntry, Script, Spanned};

use super::build::typed;

/// What is loaded for a script.
#[derive(Default)]
pub struct Plugins {
    /// The built-in ones that are needed.
    builtin: Vec<Arc<Loaded>>,
    /// The script's, none of which offers what another plugin does, loaded or not.
    own: Vec<Arc<Loaded>>,
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
        let registry = Registry::new(Arc::clone(&engine), Arc::clone(scripting)).map_err(internal)?;
        let mut found = Diagnostics::default();
        let mut plugins = Self::default();
        for plugin in BUILTIN.iter().filter(|plugin| plugin.actions.iter().any(|action| needed(action))) {
            let component = compile::trusted(engine.inner(), plugin.component);
            match component.and_then(|component| registry.load(plugin.name, &component)) {
                Ok(loaded) => plugins.builtin.push(Arc::new(loaded)),
                Err(error) => {
                    let message = format!("built-in plugin `{}`: {error}", plugin.name);
                    found.push(Diagnostic::new("plugin::load", message));
                }
            }
        }
        let own: Vec<_> = script.plugins.iter().filter_map(|(name, entry)| Own::of(script, name, entry)).collect();
        let components = side_by_side(&own, |own| own.component(engine.inner(), &scripting.folder));
        for (own, component) in own.iter().zip(components) {
            let loaded = component.and_then(|component| Ok(registry.load(own.name, &component)?));
            match loaded {
                Err(refusal) => found.push(own.refused(refusal)),
                Ok(plugin) => match plugins.taken(&plugin) {
                    Some(message) => found.push(own.mistake("plugin::duplicate-action", message, "this plugin")),
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
            let own = || self.own.iter().find(|other| other.action(action).is_some()).map(|other| &*other.name);
            let other = builtin.or_else(own)?;
            Some(format!("plugins `{other}` and `{}` both offer the action `{action}`", plugin.name))
        })
    }
}

/// A plugin of the script's own, before it is loaded.
struct Own<'a> {
    script: &'a Arc<Source>,
    name: &'a str,
    source: &'a Spanned<String>,
    caps: Caps,
}

impl<'a> Own<'a> {
    /// `None` if the entry is about a built-in plugin.
    fn of(script: &'a Script, name: &'a Spanned<String>, entry: &'a PluginEntry) -> Option<Self> {
        let usual = Caps::default();
        let caps = Caps {
            memory: typed(entry.limits.compile_memory.as_ref()).unwrap_or(usual.memory),
            time: typed(entry.limits.compile_time.as_ref()).unwrap_or(usual.time),
        };
        Some(Self { script: &script.source, name: &name.value, source: entry.source.as_ref()?, caps })
    }

    fn component(&self, engine: &wasmtime::Engine, folder: &Path) -> Result<Component, Refusal> {
        let bytes = locate::read(&folder.join(&self.source.value))?;
        compile::stranger(engine, self.name, &bytes, self.caps)
    }

    fn refused(&self, refusal: Refusal) -> Diagnostic {
        let message = format!("plugin `{}` does not load: {}", self.name, refusal.message);
        let mut mistake = self.mistake("plugin::load", message, "this file");
        mistake.help = refusal.help;
        mistake
    }

    fn mistake(&self, code: &'static str, message: String, label: &str) -> Diagnostic {
        Diagnostic::new(code, message).at(self.script, self.source.span, label)
    }
}
