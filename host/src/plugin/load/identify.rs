//! What a component is by its bytes: whether it is one at all, its digest, and which version of the contract it speaks.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use crate::diagnostic::io_reason;

/// Most bytes of a component, wherever it comes from. One that carries an interpreter has some 20 MiB.
pub const MAX_COMPONENT_BYTES: u64 = 64 << 20;

/// The package of the contract.
const PACKAGE: &str = "stampede:plugin/";
/// The contract this host speaks: the package and the versions of it, as exported by a component.
const CONTRACT: &str = "stampede:plugin/action@";
/// Versions this host runs: of 0.1 all up to this. Within 0.1 only additions are made, so a component of a later one may
/// ask for what is not here.
const LATEST_MINOR: u32 = 2;

/// Reads a component's file.
///
/// # Errors
/// It cannot be read, or is larger than any component.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_COMPONENT_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|error| format!("cannot read `{}`: {}", path.display(), io_reason(&error)))?;
    if bytes.len() as u64 > MAX_COMPONENT_BYTES { Err(too_large()) } else { Ok(bytes) }
}

/// What is said of a component that is too large.
pub fn too_large() -> String {
    format!("it is larger than {} MiB", MAX_COMPONENT_BYTES >> 20)
}

/// Checks that bytes begin as a component does.
///
/// # Errors
/// They are something else; the text says what.
pub fn check_kind(bytes: &[u8]) -> Result<(), String> {
    if Engine::detect_precompiled(bytes).is_some() {
        return Err("it is compiled code, which nobody can check; only components are accepted".into());
    }
    if !bytes.starts_with(b"\0asm") {
        return Err("it is not a WebAssembly file".into());
    }
    if bytes.get(4..8) == Some(&[1, 0, 0, 0]) {
        return Err("it is a core module, not a component; build it for `wasm32-wasip2`".into());
    }
    Ok(())
}

/// The SHA-256 digest of bytes, in lower case.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The version of the contract that a component exports, if it exports any.
pub fn contract(engine: &Engine, component: &Component) -> Option<String> {
    let kind = component.component_type();
    let exported = kind.exports(engine).filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentInstance(_)));
    let mut versions = exported.filter_map(|(name, _)| name.strip_prefix(CONTRACT).map(str::to_owned));
    versions.next()
}

/// What a component asks of the host, by the names of the interfaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComponentImports {
    /// Of the contract, such as `http`.
    pub capabilities: Vec<String>,
    /// All others, such as `wasi:cli/environment@0.2.6`.
    pub other: Vec<String>,
}

impl ComponentImports {
    /// Those of a component, in order.
    pub fn of(engine: &Engine, component: &Component) -> Self {
        let mut imports = Self::default();
        for (name, _) in component.component_type().imports(engine) {
            match name.strip_prefix(PACKAGE).and_then(|name| name.split('@').next()) {
                // Types alone let a component do nothing.
                Some("types") => {}
                Some(capability) => imports.capabilities.push(capability.to_owned()),
                None => imports.other.push(name.to_owned()),
            }
        }
        imports.capabilities.sort_unstable();
        imports.other.sort_unstable();
        imports
    }

    /// Whether it can make HTTP exchanges.
    pub fn can_make_exchanges(&self) -> bool {
        self.capabilities.iter().any(|capability| ["http", "streams"].contains(&capability.as_str()))
    }
}

/// Checks that a component exports a version of the contract that this host speaks, and says which within 0.1.
///
/// # Errors
/// It exports none, or another version; the text says which.
pub fn check_contract(engine: &Engine, component: &Component) -> Result<u32, String> {
    match contract(engine, component) {
        Some(version) => supported_minor(&version).ok_or_else(|| {
            format!("it speaks version {version} of the plugin contract; this host speaks 0.1.0 to 0.1.{LATEST_MINOR}")
        }),
        None => Err("it is a component, but no plugin: it does not export `stampede:plugin/action`".into()),
    }
}

/// Which version within 0.1 that is, if it is spoken here.
fn supported_minor(version: &str) -> Option<u32> {
    let addition = version.strip_prefix("0.1.").and_then(|number| number.parse().ok());
    addition.filter(|number: &u32| *number <= LATEST_MINOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_up_to_that_of_the_wit_files_are_spoken() {
        let world = include_str!("../../../../wit/world.wit");
        assert!(world.contains(&format!("package stampede:plugin@0.1.{LATEST_MINOR};")));
        for version in ["0.1.0", "0.1.1", "0.1.2"] {
            assert!(supported_minor(version).is_some(), "{version}");
        }
        for version in ["0.1.3", "0.2.0", "1.1.0", "0.1", "0.1.x", "0.1.0-rc.1", ""] {
            assert!(supported_minor(version).is_none(), "{version}");
        }
    }
}
