//! `plugin inspect`: shows a component before it is run: its name and version, its actions, and the capabilities that
//! it imports. It is compiled and asked to describe itself as for a run, within the usual caps.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::cli::InspectArgs;
use crate::command::output::{print, warn_about_native};
use crate::command::plugins::action_lines;
use crate::data::DataSets;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::exit::Exit;
use crate::plugin::instance::engine::PluginEngine;
use crate::plugin::instance::error_text::error_text;
use crate::plugin::load::compile::{self, CompileCaps};
use crate::plugin::load::identify::{self, ComponentImports};
use crate::plugin::load::loader::{LoadedPlugin, PluginLoader};
use crate::plugin::load::resolve::native_not_allowed;
use crate::plugin::native::{NativeLibrary, is_native};
use crate::plugin::policy::PluginPolicy;
use crate::plugin::script_context::ScriptContext;
use crate::template::Environment;
use crate::text::one_line;

/// The properties of a component.
struct Inspection {
    plugin: LoadedPlugin,
    contract: String,
    /// `None` for a native library, which does not declare its imports.
    imports: Option<ComponentImports>,
    size: usize,
    sha256: String,
}

/// Prints the properties of the component in a file.
///
/// # Errors
/// It does not load.
pub(super) fn inspect(args: &InspectArgs) -> Result<Exit, Diagnostics> {
    let inspected = inspect_file(&args.file, args.native.allow_native)?;
    let text = if args.json { format!("{:#}\n", inspected.json()) } else { inspected.text() };
    print(text.as_bytes())
}

fn inspect_file(file: &Path, allow_native: bool) -> Result<Inspection, Diagnostic> {
    let name = file.display().to_string();
    let load_error = |why: String| Diagnostic::new("plugin::load", format!("`{name}` does not load: {why}"));
    let internal = |error: wasmtime::Error| Diagnostic::new("internal::engine", error_text(&error));
    let bytes = identify::read(file).map_err(load_error)?;
    let engine = Arc::new(PluginEngine::new().map_err(internal)?);
    let script_context = ScriptContext {
        data: DataSets::default(),
        environment: Environment::from_process([]),
        base_url: None,
        folder: file.parent().map(Path::to_path_buf).unwrap_or_default(),
        secrets: Arc::default(),
    };
    let loader = PluginLoader::new(Arc::clone(&engine), Arc::new(script_context)).map_err(internal)?;
    let (size, sha256, policy) = (bytes.len(), identify::sha256(&bytes), PluginPolicy::new(&name));
    if is_native(&bytes) {
        if !allow_native {
            return Err(native_not_allowed(&name));
        }
        warn_about_native([name.as_str()]);
        let library = Arc::new(NativeLibrary::open(file).map_err(load_error)?);
        let plugin = loader.load_native(policy, &library).map_err(load_error)?;
        return Ok(Inspection { plugin, contract: library.contract(), imports: None, size, sha256 });
    }
    let component = compile::compile_untrusted(engine.inner(), Some(&name), &bytes, CompileCaps::default());
    let component = component.map_err(|error| load_error(error.message))?;
    let plugin = loader.load(policy, false, &component).map_err(load_error)?;
    let contract = identify::contract(engine.inner(), &component).unwrap_or_default();
    Ok(Inspection { plugin, contract, imports: Some(ComponentImports::of(engine.inner(), &component)), size, sha256 })
}

impl Inspection {
    fn text(&self) -> String {
        let description = &self.plugin.description;
        let listed = |names: fn(&ComponentImports) -> &[String]| match self.imports.as_ref().map(names) {
            None => "unknown: it is native".into(),
            Some([]) => "none".into(),
            Some(names) => names.join(", "),
        };
        format!(
            "{} {}\n  contract       {}\n  size           {} bytes\n  sha256         {}\n  capabilities   {}\n  \
             other imports  {}\n{}",
            one_line(&description.name),
            one_line(&description.version),
            self.contract,
            self.size,
            self.sha256,
            listed(|imports| &imports.capabilities),
            listed(|imports| &imports.other),
            action_lines(&self.plugin)
        )
    }

    fn json(&self) -> Value {
        let description = &self.plugin.description;
        let schema = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        let actions = description.actions.iter().map(
            |action| json!({"name": action.name, "summary": action.summary, "params": schema(&action.params_schema)}),
        );
        json!({
            "name": description.name,
            "version": description.version,
            "contract": self.contract,
            "size": self.size,
            "sha256": self.sha256,
            "capabilities": self.imports.as_ref().map(|imports| &imports.capabilities),
            "other_imports": self.imports.as_ref().map(|imports| &imports.other),
            "actions": actions.collect::<Vec<_>>(),
        })
    }
}
