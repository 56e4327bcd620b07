//! The plugins that a script needs. The host compiles a component before it can ask it anything, which a first start
//! waits for; so a built-in one is loaded only if a step names one of its actions. The script's own are all loaded: only
//! they know what they offer.

use std::sync::Arc;

use super::lock::Lock;
use super::parallel_map::side_by_side;
use super::registry::{BUILTIN, Loaded, Registry};
use super::resolve::{Own, Policy};
use super::{compile, policy};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::net::Grant;
use crate::plugin::instance::engine::Engine;
use crate::plugin::instance::error_text::error_text;
use crate::plugin::scripting::Scripting;
use crate::script::model::Script;

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
    /// Loads what the script names, as far as the policy lets it, and the built-in plugins with an action that is needed.
    ///
    /// # Errors
    /// All that do not load, and actions that two plugins offer.
    pub fn load(
        script: &Script,
        scripting: &Arc<Scripting>,
        policy: Policy,
        needed: impl Fn(&str) -> bool,
    ) -> Result<Self, Diagnostics> {
        let internal = |error: wasmtime::Error| Diagnostic::new("plugin::engine", error_text(&error));
        let engine = Arc::new(Engine::new().map_err(internal)?);
        let registry = Registry::new(Arc::clone(&engine), Arc::clone(scripting)).map_err(internal)?;
        let mut found = Diagnostics::default();
        let mut plugins = Self::default();
        for plugin in BUILTIN.iter().filter(|plugin| plugin.actions.iter().any(|action| needed(action))) {
            let entry = script.plugins.iter().find(|(name, _)| name.value == plugin.name).map(|(_, entry)| entry);
            let Some(terms) = found.absorb(policy::terms(plugin.name, entry, &script.source)) else { continue };
            let component = compile::trusted(engine.inner(), plugin);
            match component.and_then(|component| registry.load((terms, true), &component)) {
                Ok(loaded) => plugins.builtin.push(Arc::new(loaded)),
                Err(error) => {
                    let message = format!("built-in plugin `{}`: {error}", plugin.name);
                    found.push(Diagnostic::new("plugin::load", message));
                }
            }
        }
        let own: Vec<_> = Own::all(script).filter_map(|own| found.absorb(own.map_err(Diagnostics::from))).collect();
        let lock = if own.is_empty() { Ok(Lock::default()) } else { Lock::read(&scripting.folder) };
        let Some(lock) = found.absorb(lock.map_err(Diagnostics::from)) else { return Err(found) };
        let made = side_by_side(&own, |own| own.made(engine.inner(), &scripting.folder, &lock, policy));
        for (own, made) in own.iter().zip(made) {
            let Some(terms) = found.absorb(own.terms()) else { continue };
            let loaded = made.and_then(|made| made.load(&registry, terms).map_err(|why| own.refused(&why)));
            match loaded {
                Err(mistake) => found.push(mistake),
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

    /// The names of those that no sandbox holds.
    pub fn native(&self) -> impl Iterator<Item = &str> {
        self.own.iter().filter(|plugin| plugin.is_native()).map(|plugin| plugin.name())
    }

    /// The loaded plugin that offers an action.
    pub fn offering(&self, action: &str) -> Option<&Arc<Loaded>> {
        self.iter().find(|plugin| plugin.action(action).is_some())
    }

    /// Whether an action may set variables besides those that its step captures.
    pub fn sets_variables(&self, action: &str) -> bool {
        let offer = self.offering(action).and_then(|plugin| plugin.action(action));
        offer.is_some_and(|action| action.sets_variables)
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
