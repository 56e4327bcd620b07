//! `plugin inspect`: what a component is, before anybody runs it: what it calls itself, what it offers, and what it asks
//! of the host. It is compiled and asked as for a run, within the usual caps.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::command::plugins::actions;
use crate::command::print;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::exit::Exit;
use crate::metrics::interval::one_line;
use crate::plan::data::DataSets;
use crate::plugin::compile::{self, Caps};
use crate::plugin::engine::Engine;
use crate::plugin::locate::{self, Imports};
use crate::plugin::registry::{self, Loaded, Registry};
use crate::plugin::state::Scripting;
use crate::plugin::terms::Terms;
use crate::template::Environment;

/// What is known of a component.
struct Inspected {
    plugin: Loaded,
    contract: String,
    imports: Imports,
    size: usize,
    sha256: String,
}

/// Prints what the component in a file is.
///
/// # Errors
/// It does not load.
pub fn inspect(file: &Path, as_json: bool) -> Result<Exit, Diagnostics> {
    let inspected = load(file)?;
    let text = if as_json { format!("{:#}\n", inspected.json()) } else { inspected.text() };
    print(text.as_bytes())
}

fn load(file: &Path) -> Result<Inspected, Diagnostic> {
    let name = file.display().to_string();
    let refused = |why: String| Diagnostic::new("plugin::load", format!("`{name}` does not load: {why}"));
    let internal = |error: wasmtime::Error| Diagnostic::new("internal::engine", registry::one_line(&error));
    let bytes = locate::read(file).map_err(refused)?;
    let engine = Arc::new(Engine::new().map_err(internal)?);
    let component = compile::stranger(engine.inner(), &name, &bytes, Caps::default());
    let component = component.map_err(|refusal| refused(refusal.message))?;
    let scripting = Scripting {
        data: DataSets::default(),
        environment: Environment::of_process([]),
        base_url: None,
        folder: file.parent().map(Path::to_path_buf).unwrap_or_default(),
    };
    let registry = Registry::new(Arc::clone(&engine), Arc::new(scripting)).map_err(internal)?;
    let plugin = registry.load((Terms::new(&name), false), &component).map_err(refused)?;
    Ok(Inspected {
        plugin,
        contract: locate::contract(engine.inner(), &component).unwrap_or_default(),
        imports: Imports::of(engine.inner(), &component),
        size: bytes.len(),
        sha256: locate::sha256(&bytes),
    })
}

impl Inspected {
    fn text(&self) -> String {
        let Imports { capabilities, other } = &self.imports;
        let description = &self.plugin.description;
        let listed = |names: &[String]| if names.is_empty() { "none".into() } else { names.join(", ") };
        format!(
            "{} {}\n  contract       {}\n  size           {} bytes\n  sha256         {}\n  capabilities   {}\n  \
             other imports  {}\n{}",
            one_line(&description.name),
            one_line(&description.version),
            self.contract,
            self.size,
            self.sha256,
            listed(capabilities),
            listed(other),
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
            "capabilities": self.imports.capabilities,
            "other_imports": self.imports.other,
            "actions": actions.collect::<Vec<_>>(),
        })
    }
}
