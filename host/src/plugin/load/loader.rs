//! All plugins of a run and the actions they offer. Built-in ones come out of the program itself, the script's own from
//! files; from here on there is no difference between them.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use flate2::read::DeflateDecoder;
use wasmtime::component::{Component, Linker};

use super::identify::{self, ComponentImports};
use super::schema::ParamsSchema;
use crate::plugin::contract::bindings::{ActionDescription, Description, PluginPre};
use crate::plugin::contract::link;
use crate::plugin::contract::state::StoreData;
use crate::plugin::instance::engine::PluginEngine;
use crate::plugin::instance::error_text::error_text;
use crate::plugin::instance::worker_plugin::{SharedNames, WorkerPlugin};
use crate::plugin::instance::{Instance, PluginCode};
use crate::plugin::native::NativeLibrary;
use crate::plugin::policy::PluginPolicy;
use crate::plugin::scripting::ScriptContext;

/// The first contract, within 0.1, whose operations on sockets are handed over once.
const FIRST_TAKE_ONCE_MINOR: u32 = 2;

include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

/// A plugin inside the program.
pub struct BuiltinPlugin {
    /// The name of its folder.
    pub name: &'static str,
    /// What it offers, known without compiling it.
    pub actions: &'static [&'static str],
    /// The SHA-256 digest of its bytes.
    pub digest: &'static str,
    /// Its bytes, deflated (RFC 1951).
    pub deflated: &'static [u8],
}

impl BuiltinPlugin {
    /// Its bytes.
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
    /// What the script says it may do.
    pub policy: PluginPolicy,
    /// Whether it came out of the program itself.
    pub is_builtin: bool,
    /// What it says it is.
    pub description: Description,
    /// The schemas of its actions' parameters, in the order of the actions.
    schemas: Vec<ParamsSchema>,
    /// Whether it can make HTTP exchanges: it asks for the capability, or nobody knows what it asks for.
    pub makes_exchanges: bool,
    /// What its instances are made from.
    pub code: PluginCode,
    /// Whether a trap of it has been logged. The first says it all; a storm would drown it.
    pub trap_logged: AtomicBool,
    /// Lives as long as the plugin may be called: without its ticker no call would ever be over its budget.
    _engine: Arc<PluginEngine>,
}

/// Loads plugins into one engine.
pub struct PluginLoader {
    engine: Arc<PluginEngine>,
    linker: Linker<StoreData>,
    scripting: Arc<ScriptContext>,
}

impl PluginLoader {
    /// A registry for one script.
    ///
    /// # Errors
    /// The capabilities do not link, which is a bug.
    pub fn new(engine: Arc<PluginEngine>, scripting: Arc<ScriptContext>) -> wasmtime::Result<Self> {
        let mut linker = Linker::new(engine.inner());
        link::wasi(&mut linker)?;
        link::capabilities(&mut linker)?;
        Ok(Self { engine, linker, scripting })
    }

    /// Asks a compiled plugin what it offers.
    ///
    /// # Errors
    /// A message for the user: another contract version, an import that is not granted, a trap.
    pub fn load(
        &self,
        (mut terms, is_builtin): (PluginPolicy, bool),
        component: &Component,
    ) -> Result<LoadedPlugin, String> {
        let contract = identify::check_contract(self.engine.inner(), component)?;
        terms.takes_once = contract >= FIRST_TAKE_ONCE_MINOR;
        let linked = self.linker.instantiate_pre(component).and_then(PluginPre::new);
        let pre = linked.map_err(|error| link_error(&ComponentImports::of(self.engine.inner(), component), &error))?;
        self.describe(terms, is_builtin, PluginCode::Component(pre))
    }

    /// Asks an opened library what it offers.
    ///
    /// # Errors
    /// A message for the user: what it says of itself is not as it should be.
    pub fn load_native(&self, terms: PluginPolicy, library: &Arc<NativeLibrary>) -> Result<LoadedPlugin, String> {
        self.describe(terms, false, PluginCode::Native(Arc::clone(library)))
    }

    fn describe(&self, terms: PluginPolicy, is_builtin: bool, code: PluginCode) -> Result<LoadedPlugin, String> {
        let family = WorkerPlugin::new(terms.clone(), Arc::clone(&self.scripting), &SharedNames::default());
        let mut instance =
            Instance::new(&code, family).map_err(|error| format!("it failed to start: {}", error_text(&error)))?;
        let description = instance.describe().map_err(|error| format!("`describe` failed: {}", error_text(&error)))?;
        let schemas = check_description(&description)?;
        let (trap_logged, _engine) = (AtomicBool::new(false), Arc::clone(&self.engine));
        let makes_exchanges = match &code {
            PluginCode::Component(pre) => {
                ComponentImports::of(self.engine.inner(), pre.instance_pre().component()).can_make_exchanges()
            }
            PluginCode::Native(_) => true,
        };
        Ok(LoadedPlugin {
            policy: terms,
            is_builtin,
            description,
            schemas,
            makes_exchanges,
            code,
            trap_logged,
            _engine,
        })
    }
}

impl LoadedPlugin {
    /// The name the script gave it, or the built-in's own.
    pub fn name(&self) -> &str {
        &self.policy.name
    }

    /// Whether it is a native library, which no sandbox holds.
    pub const fn is_native(&self) -> bool {
        matches!(self.code, PluginCode::Native(_))
    }

    /// The description of an action, if this plugin offers it.
    pub fn action(&self, name: &str) -> Option<&ActionDescription> {
        self.description.actions.iter().find(|action| action.name == name)
    }

    /// The schema of an action's parameters, if this plugin offers it.
    pub fn schema(&self, name: &str) -> Option<&ParamsSchema> {
        let actions = self.description.actions.iter().zip(&self.schemas);
        actions.into_iter().find(|(action, _)| action.name == name).map(|(_, schema)| schema)
    }
}

/// Why a component cannot be linked. What a standard library brings in with its own network is told in plain words.
fn link_error(imports: &ComponentImports, error: &wasmtime::Error) -> String {
    match imports.other.iter().find(|name| name.starts_with("wasi:sockets/")) {
        Some(name) => format!(
            "it goes to the network by itself (`{name}`); a plugin does so through the contract's `http` and `sockets` alone"
        ),
        None => error_text(error),
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
