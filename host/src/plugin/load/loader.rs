//! From compiled code to a plugin whose actions are known. Built-in plugins are part of the program, the script's own
//! come from files; from here on there is no difference between them.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use flate2::read::DeflateDecoder;
use wasmtime::component::{Component, Linker};

use super::identify::{self, ComponentImports};
use super::schema::ParamsSchema;
use crate::plugin::contract::bindings::{ActionDescription, Description, PluginPre};
use crate::plugin::contract::state::StoreData;
use crate::plugin::contract::{link, v0_1_1};
use crate::plugin::instance::engine::PluginEngine;
use crate::plugin::instance::error_text::error_text;
use crate::plugin::instance::worker_plugin::{SharedNames, WorkerPlugin};
use crate::plugin::instance::{ComponentCode, Instance, PluginCode};
use crate::plugin::native::NativeLibrary;
use crate::plugin::policy::PluginPolicy;
use crate::plugin::script_context::ScriptContext;

include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

/// A plugin that is part of the program.
pub struct BuiltinPlugin {
    /// The name of its folder.
    pub name: &'static str,
    /// The actions that it offers, known without compiling it.
    pub actions: &'static [&'static str],
    /// The SHA-256 digest of its bytes.
    pub digest: &'static str,
    /// Its bytes, deflated (RFC 1951).
    pub deflated: &'static [u8],
}

impl BuiltinPlugin {
    /// Inflates its bytes.
    ///
    /// # Errors
    /// They cannot be inflated, which is a bug.
    pub fn component(&self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        DeflateDecoder::new(self.deflated).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// A plugin that is ready to be instantiated.
pub struct LoadedPlugin {
    /// Its policy, from the script.
    pub policy: PluginPolicy,
    /// True when it is part of the program.
    pub is_builtin: bool,
    /// Its own description of itself.
    pub description: Description,
    /// The schemas of its actions' parameters, in the order of the actions.
    schemas: Vec<ParamsSchema>,
    /// True when it can make HTTP exchanges: it imports the capability, or its imports are unknown.
    pub makes_exchanges: bool,
    /// True when it can open sockets, or its imports are unknown.
    pub opens_sockets: bool,
    /// Code that its instances are made from.
    pub code: PluginCode,
    /// True when a trap of it has been logged. Only the first is: many would flood the log.
    pub trap_logged: AtomicBool,
    /// The engine lives as long as the plugin may be called: without its ticker no call would ever exceed its budget.
    _engine: Arc<PluginEngine>,
}

/// Loads plugins into one engine.
pub struct PluginLoader {
    engine: Arc<PluginEngine>,
    linker: Linker<StoreData>,
    script_context: Arc<ScriptContext>,
}

impl PluginLoader {
    /// Creates a loader for one script.
    ///
    /// # Errors
    /// The capabilities do not link, which is a bug.
    pub fn new(engine: Arc<PluginEngine>, script_context: Arc<ScriptContext>) -> wasmtime::Result<Self> {
        let mut linker = Linker::new(engine.inner());
        link::wasi(&mut linker)?;
        link::capabilities(&mut linker)?;
        Ok(Self { engine, linker, script_context })
    }

    /// Links a compiled component and asks it which actions it offers.
    ///
    /// # Errors
    /// A message for the user: unsupported contract version, an import that does not exist, a trap.
    pub fn load(&self, policy: PluginPolicy, is_builtin: bool, component: &Component) -> Result<LoadedPlugin, String> {
        let contract = identify::check_contract(self.engine.inner(), component)?;
        let linked = self.linker.instantiate_pre(component).and_then(PluginPre::new);
        let pre = linked.map_err(|error| error_text(&error))?;
        let code = ComponentCode { pre, speaks_v0_1_1: v0_1_1::applies_to(contract), decodes_itself: contract < 3 };
        self.describe(policy, is_builtin, PluginCode::Component(code))
    }

    /// Asks an opened library which actions it offers.
    ///
    /// # Errors
    /// A message for the user: its description is not valid.
    pub fn load_native(&self, policy: PluginPolicy, library: &Arc<NativeLibrary>) -> Result<LoadedPlugin, String> {
        self.describe(policy, false, PluginCode::Native(Arc::clone(library)))
    }

    fn describe(&self, policy: PluginPolicy, is_builtin: bool, code: PluginCode) -> Result<LoadedPlugin, String> {
        let worker_plugin =
            WorkerPlugin::new(policy.clone(), Arc::clone(&self.script_context), &SharedNames::default());
        let mut instance = Instance::new(&code, worker_plugin)
            .map_err(|error| format!("it failed to start: {}", error_text(&error)))?;
        let description = instance.describe().map_err(|error| format!("`describe` failed: {}", error_text(&error)))?;
        let schemas = check_description(&description)?;
        let (trap_logged, _engine) = (AtomicBool::new(false), Arc::clone(&self.engine));
        let (makes_exchanges, opens_sockets) = match &code {
            PluginCode::Component(code) => {
                let imports = ComponentImports::of(self.engine.inner(), code.pre.instance_pre().component());
                (imports.can_make_exchanges(), imports.can_open_sockets())
            }
            PluginCode::Native(_) => (true, true),
        };
        Ok(LoadedPlugin {
            policy,
            is_builtin,
            description,
            schemas,
            makes_exchanges,
            opens_sockets,
            code,
            trap_logged,
            _engine,
        })
    }
}

impl LoadedPlugin {
    /// Returns the name the script gave it, or the built-in's own.
    pub fn name(&self) -> &str {
        &self.policy.name
    }

    /// Returns `true` for a native library, which runs outside the sandbox.
    pub const fn is_native(&self) -> bool {
        matches!(self.code, PluginCode::Native(_))
    }

    /// Returns the description of an action, if this plugin offers it.
    pub fn action(&self, name: &str) -> Option<&ActionDescription> {
        self.description.actions.iter().find(|action| action.name == name)
    }

    /// Returns the schema of an action's parameters, if this plugin offers it.
    pub fn schema(&self, name: &str) -> Option<&ParamsSchema> {
        let actions = self.description.actions.iter().zip(&self.schemas);
        actions.into_iter().find(|(action, _)| action.name == name).map(|(_, schema)| schema)
    }
}

fn check_description(description: &Description) -> Result<Vec<ParamsSchema>, String> {
    if description.actions.is_empty() {
        return Err("it offers no action".into());
    }
    let mut schemas = Vec::new();
    for action in &description.actions {
        let mut letters = action.name.chars();
        let is_valid_name = letters.next().is_some_and(|first| first.is_ascii_lowercase())
            && letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-.".contains(letter))
            && action.name.len() <= 64;
        if !is_valid_name {
            return Err("it offers an action whose name is not made of lower case letters, digits, `-` and `.`".into());
        }
        let schema = ParamsSchema::parse(&action.params_schema);
        schemas.push(schema.map_err(|why| format!("its schema of the parameters of `{}` {why}", action.name))?);
    }
    Ok(schemas)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_builtin_component_does_not_tell_where_it_was_built() {
        let folder = env!("CARGO_MANIFEST_DIR").trim_end_matches("host");
        for plugin in BUILTIN {
            let bytes = plugin.component().expect("it inflates");
            for path in [folder, "/registry/src/", "/.rustup/", "/rustlib/"] {
                let is_in = bytes.windows(path.len()).any(|window| window == path.as_bytes());
                assert!(!is_in, "`{}` has the path `{path}` in it", plugin.name);
            }
        }
    }
}
