//! The plugins that a script needs. The host compiles a component before it can ask it anything, which a first start
//! waits for; so a built-in one is loaded only if a step names one of its actions. The script's own are all loaded: only
//! they know what they offer.

use std::sync::Arc;

use super::loader::{BUILTIN, LoadedPlugin, PluginLoader};
use super::lock_file::LockFile;
use super::parallel_map::parallel_map;
use super::resolve::{PluginLoadOptions, UserPlugin};
use super::{compile, policy};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::net::Grant;
use crate::plugin::instance::engine::PluginEngine;
use crate::plugin::instance::error_text::error_text;
use crate::plugin::scripting::ScriptContext;
use crate::script::model::Script;

/// What is loaded for a script.
#[derive(Default)]
pub struct PluginSet {
    /// The built-in ones that are needed.
    builtin: Vec<Arc<LoadedPlugin>>,
    /// The script's, none of which offers what another plugin does, loaded or not.
    user_plugins: Vec<Arc<LoadedPlugin>>,
    /// Hosts that the built-in ones may reach whatever the steps name.
    pub allowed_hosts: Vec<Grant>,
}

impl PluginSet {
    /// Loads what the script names, as far as the policy lets it, and the built-in plugins with an action that is needed.
    ///
    /// # Errors
    /// All that do not load, and actions that two plugins offer.
    pub fn load(
        script: &Script,
        script_context: &Arc<ScriptContext>,
        policy: PluginLoadOptions,
        needed: impl Fn(&str) -> bool,
    ) -> Result<Self, Diagnostics> {
        let internal = |error: wasmtime::Error| Diagnostic::new("plugin::engine", error_text(&error));
        let engine = Arc::new(PluginEngine::new().map_err(internal)?);
        let registry = PluginLoader::new(Arc::clone(&engine), Arc::clone(script_context)).map_err(internal)?;
        let mut diagnostics = Diagnostics::default();
        let mut plugins = Self::default();
        for plugin in BUILTIN.iter().filter(|plugin| plugin.actions.iter().any(|action| needed(action))) {
            let entry = script.plugins.iter().find(|(name, _)| name.value == plugin.name).map(|(_, entry)| entry);
            let Some(terms) = diagnostics.absorb(policy::plugin_policy(plugin.name, entry, &script.source)) else {
                continue;
            };
            let component = compile::compile_builtin(engine.inner(), plugin);
            match component.and_then(|component| registry.load((terms, true), &component)) {
                Ok(loaded) => plugins.builtin.push(Arc::new(loaded)),
                Err(error) => {
                    let message = format!("built-in plugin `{}`: {error}", plugin.name);
                    diagnostics.push(Diagnostic::new("plugin::load", message));
                }
            }
        }
        let user_plugins: Vec<_> =
            UserPlugin::all(script).filter_map(|own| diagnostics.absorb(own.map_err(Diagnostics::from))).collect();
        let lock =
            if user_plugins.is_empty() { Ok(LockFile::default()) } else { LockFile::read(&script_context.folder) };
        let Some(lock) = diagnostics.absorb(lock.map_err(Diagnostics::from)) else { return Err(diagnostics) };
        let artifacts =
            parallel_map(&user_plugins, |own| own.artifact(engine.inner(), &script_context.folder, &lock, policy));
        for (own, made) in user_plugins.iter().zip(artifacts) {
            let Some(terms) = diagnostics.absorb(own.policy()) else { continue };
            let loaded = made.and_then(|made| made.load(&registry, terms).map_err(|why| own.load_error(&why)));
            match loaded {
                Err(diagnostic) => diagnostics.push(diagnostic),
                Ok(plugin) => match plugins.action_conflict(&plugin) {
                    Some(message) => {
                        diagnostics.push(own.diagnostic("plugin::duplicate-action", message, "this plugin"))
                    }
                    None => plugins.user_plugins.push(Arc::new(plugin)),
                },
            }
        }
        diagnostics.into_result(plugins)
    }

    /// The loaded plugins, the built-in ones first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<LoadedPlugin>> {
        self.builtin.iter().chain(&self.user_plugins)
    }

    /// The names of those that no sandbox holds.
    pub fn native_names(&self) -> impl Iterator<Item = &str> {
        self.user_plugins.iter().filter(|plugin| plugin.is_native()).map(|plugin| plugin.name())
    }

    /// The loaded plugin that offers an action.
    pub fn find_by_action(&self, action: &str) -> Option<&Arc<LoadedPlugin>> {
        self.iter().find(|plugin| plugin.action(action).is_some())
    }

    /// Whether an action may set variables besides those that its step captures.
    pub fn sets_variables(&self, action: &str) -> bool {
        let offer = self.find_by_action(action).and_then(|plugin| plugin.action(action));
        offer.is_some_and(|action| action.sets_variables)
    }

    /// Every action that the script could name, whether its plugin is loaded or not.
    pub fn known_actions(&self) -> impl Iterator<Item = &str> + Clone {
        let own = self.user_plugins.iter().flat_map(|plugin| &plugin.description.actions);
        BUILTIN.iter().flat_map(|plugin| plugin.actions).copied().chain(own.map(|action| action.name.as_str()))
    }

    /// What is wrong with one more plugin of the script, if another one offers the same.
    fn action_conflict(&self, plugin: &LoadedPlugin) -> Option<String> {
        plugin.description.actions.iter().map(|action| action.name.as_str()).find_map(|action| {
            let builtin = BUILTIN.iter().find(|other| other.actions.contains(&action)).map(|other| other.name);
            let own =
                || self.user_plugins.iter().find(|other| other.action(action).is_some()).map(|other| other.name());
            let other = builtin.or_else(own)?;
            Some(format!("plugins `{other}` and `{}` both offer the action `{action}`", plugin.name()))
        })
    }
}
