//! `plugin inspect`: what a component is, before anybody runs it: what it calls itself, what it offers, and what it asks
//! of the host. It is compiled and asked as for a run, within the usual caps.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::cli::InspectArgs;
use crate::command::plugins::actions;
use crate::command::{print, warn_of_native};
use crate::data::DataSets;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::exit::Exit;
use crate::plugin::instance::engine::Engine;
use crate::plugin::instance::error_text::error_text;
use crate::plugin::load::compile::{self, Caps};
use crate::plugin::load::locate::{self, Imports};
use crate::plugin::load::registry::{Loaded, Registry};
use crate::plugin::load::resolve::native_refused;
use crate::plugin::native::{Library, is_native};
use crate::plugin::policy::Terms;
use crate::plugin::scripting::Scripting;
use crate::template::Environment;
use crate::text::one_line;

/// What is known of a component.
struct Inspected {
    plugin: Loaded,
    contract: String,
    /// Nobody knows what a native library asks for.
    imports: Option<Imports>,
    size: usize,
    sha256: String,
}

/// Prints what the component in a file is.
///
/// # Errors
/// It does not load.
pub fn inspect(args: &InspectArgs) -> Result<Exit, Diagnostics> {
    let inspected = load(&args.file, args.native.allow_native)?;
    let text = if args.json { format!("{:#}\n", inspected.json()) } else { inspected.text() };
    print(text.as_bytes())
}

fn load(file: &Path, allow_native: bool) -> Result<Inspected, Diagnostic> {
    let name = file.display().to_string();
    let refused = |why: String| Diagnostic::new("plugin::load", format!("`{name}` does not load: {why}"));
    let internal = |error: wasmtime::Error| Diagnostic::new("internal::engine", error_text(&error));
    let bytes = locate::read(file).map_err(refused)?;
    let engine = Arc::new(Engine::new().map_err(internal)?);
    let scripting = Scripting {
        data: DataSets::default(),
        environment: Environment::of_process([]),
        base_url: None,
        folder: file.parent().map(Path::to_path_buf).unwrap_or_default(),
        secrets: Arc::default(),
    };
    let registry = Registry::new(Arc::clone(&engine), Arc::new(scripting)).map_err(internal)?;
    let (size, sha256, terms) = (bytes.len(), locate::sha256(&bytes), Terms::new(&name));
    if is_native(&bytes) {
        if !allow_native {
            return Err(native_refused(&name));
        }
        warn_of_native([name.as_str()]);
        let library = Arc::new(Library::open(file).map_err(refused)?);
        let plugin = registry.load_native(terms, &library).map_err(refused)?;
        return Ok(Inspected { plugin, contract: library.contract(), imports: None, size, sha256 });
    }
    let component = compile::stranger(engine.inner(), Some(&name), &bytes, Caps::default());
    let component = component.map_err(|refusal| refused(refusal.message))?;
    let plugin = registry.load((terms, false), &component).map_err(refused)?;
    let contract = locate::contract(engine.inner(), &component).unwrap_or_default();
    Ok(Inspected { plugin, contract, imports: Some(Imports::of(engine.inner(), &component)), size, sha256 })
}

impl Inspected {
    fn text(&self) -> String {
        let description = &self.plugin.description;
        let listed = |names: fn(&Imports) -> &[String]| match self.imports.as_ref().map(names) {
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
            actions(&self.plugin)
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
