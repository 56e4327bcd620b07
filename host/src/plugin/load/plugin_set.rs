//! The plugins that a script needs. A component must be compiled before it can be asked for its actions, and a first
//! start waits for that. So a built-in plugin is loaded only if a step names one of its actions. The script's own
//! plugins are all loaded, because their actions are not known beforehand.

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
use crate::plugin::script_context::ScriptContext;
use crate::script::model::Script;

/// The plugins loaded for a script.
#[derive(Default)]
pub(crate) struct PluginSet {
    /// Built-in plugins that are needed.
    builtin: Vec<Arc<LoadedPlugin>>,
    /// The script's plugins. None offers an action of another plugin, loaded or not.
    user_plugins: Vec<Arc<LoadedPlugin>>,
    /// Hosts that the built-in plugins may reach besides those that the steps name.
    pub allowed_hosts: Vec<Grant>,
}

impl PluginSet {
    /// Loads the plugins that the script names, as far as the options allow, and the built-in plugins with an action
    /// that is needed.
    ///
    /// # Errors
    /// All plugins that do not load, and actions that two plugins offer.
    pub(crate) fn load(
        script: &Script,
        script_context: &Arc<ScriptContext>,
        options: PluginLoadOptions,
        needed: impl Fn(&str) -> bool,
    ) -> Result<Self, Diagnostics> {
        let internal = |error: wasmtime::Error| Diagnostic::new("plugin::engine", error_text(&error));
        let engine = Arc::new(PluginEngine::new().map_err(internal)?);
        let loader = PluginLoader::new(Arc::clone(&engine), Arc::clone(script_context)).map_err(internal)?;
        let mut diagnostics = Diagnostics::default();
        let mut plugins = Self::default();
        for plugin in BUILTIN.iter().filter(|plugin| plugin.actions.iter().any(|action| needed(action))) {
            let entry = script.plugins.iter().find(|(name, _)| name.value == plugin.name).map(|(_, entry)| entry);
            let Some(policy) = diagnostics.absorb(policy::plugin_policy(plugin.name, entry, &script.source)) else {
                continue;
            };
            let component = compile::compile_builtin(engine.inner(), plugin);
            match component.and_then(|component| loader.load(policy, true, &component)) {
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
            parallel_map(&user_plugins, |own| own.artifact(engine.inner(), &script_context.folder, &lock, options));
        for (own, artifact) in user_plugins.iter().zip(artifacts) {
            let Some(policy) = diagnostics.absorb(own.policy()) else { continue };
            let loaded =
                artifact.and_then(|artifact| artifact.load(&loader, policy).map_err(|why| own.load_error(&why)));
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

    /// Iterates over the loaded plugins, the built-in ones first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<LoadedPlugin>> {
        self.builtin.iter().chain(&self.user_plugins)
    }

    /// Iterates over the names of native plugins, which run outside the sandbox.
    pub(crate) fn native_names(&self) -> impl Iterator<Item = &str> {
        self.user_plugins.iter().filter(|plugin| plugin.is_native()).map(|plugin| plugin.name())
    }

    /// Returns the loaded plugin that offers an action.
    pub(crate) fn find_by_action(&self, action: &str) -> Option<&Arc<LoadedPlugin>> {
        self.iter().find(|plugin| plugin.action(action).is_some())
    }

    /// Returns `true` if an action may set variables besides those that its step captures.
    pub(crate) fn sets_variables(&self, action: &str) -> bool {
        let offer = self.find_by_action(action).and_then(|plugin| plugin.action(action));
        offer.is_some_and(|action| action.sets_variables)
    }

    /// Iterates over every action that the script could name, whether its plugin is loaded or not.
    pub(crate) fn known_actions(&self) -> impl Iterator<Item = &str> + Clone {
        let own = self.user_plugins.iter().flat_map(|plugin| &plugin.description.actions);
        BUILTIN.iter().flat_map(|plugin| plugin.actions).copied().chain(own.map(|action| action.name.as_str()))
    }

    /// Returns the message for a plugin that offers an action of another plugin.
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
