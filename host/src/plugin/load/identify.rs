//! A component by its bytes: its kind, its digest, its imports, and the version of the contract that it speaks.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use crate::diagnostic::io_reason;

/// Maximum size of a component in bytes, whatever its source. One that carries an interpreter has some 20 MiB.
pub(crate) const MAX_COMPONENT_BYTES: u64 = 64 << 20;

/// The package of the contract.
const PACKAGE: &str = "stampede:plugin/";
/// The interface that a component of the contract exports, up to its version.
const CONTRACT: &str = "stampede:plugin/action@";
/// The latest version within 0.1 that this host runs; it runs all up to this one. Versions within 0.1 only add, so a
/// component built for a later one may need what this host lacks.
const LATEST_MINOR: u32 = 3;

/// Reads a component's file.
///
/// # Errors
/// It cannot be read, or is larger than [`MAX_COMPONENT_BYTES`].
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_COMPONENT_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|error| format!("cannot read `{}`: {}", path.display(), io_reason(&error)))?;
    if bytes.len() as u64 > MAX_COMPONENT_BYTES { Err(too_large()) } else { Ok(bytes) }
}

/// Returns the message for a component that is too large.
pub(crate) fn too_large() -> String {
    format!("it is larger than {} MiB", MAX_COMPONENT_BYTES >> 20)
}

/// Checks that bytes begin like a component.
///
/// # Errors
/// They are something else, which the text names.
pub(crate) fn check_kind(bytes: &[u8]) -> Result<(), String> {
    if Engine::detect_precompiled(bytes).is_some() {
        return Err("it is compiled code, which cannot be verified; only components are accepted".into());
    }
    if !bytes.starts_with(b"\0asm") {
        return Err("it is not a WebAssembly file".into());
    }
    if bytes.get(4..8) == Some(&[1, 0, 0, 0]) {
        return Err("it is a core module, not a component; build it for `wasm32-wasip2`".into());
    }
    Ok(())
}

/// Returns the SHA-256 digest of bytes, in lower case.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the version of the contract that a component exports, if it exports any.
pub(crate) fn contract(engine: &Engine, component: &Component) -> Option<String> {
    let kind = component.component_type();
    let exported = kind.exports(engine).filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentInstance(_)));
    let mut versions = exported.filter_map(|(name, _)| name.strip_prefix(CONTRACT).map(str::to_owned));
    versions.next()
}

/// The imports of a component, by the names of the interfaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ComponentImports {
    /// Interfaces of the contract, such as `http`.
    pub capabilities: Vec<String>,
    /// All other interfaces, such as `wasi:cli/environment@0.2.6`.
    pub other: Vec<String>,
}

impl ComponentImports {
    /// Lists the imports of a component, sorted.
    pub(crate) fn of(engine: &Engine, component: &Component) -> Self {
        let mut imports = Self::default();
        for (name, _) in component.component_type().imports(engine) {
            match name.strip_prefix(PACKAGE).and_then(|name| name.split('@').next()) {
                // Types by themselves give a component no access.
                Some("types") => {}
                Some(capability) => imports.capabilities.push(capability.to_owned()),
                None => imports.other.push(name.to_owned()),
            }
        }
        imports.capabilities.sort_unstable();
        imports.other.sort_unstable();
        imports
    }

    /// Returns `true` if it can make HTTP exchanges.
    pub(crate) fn can_make_exchanges(&self) -> bool {
        self.capabilities.iter().any(|capability| ["http", "streams", "transfers"].contains(&capability.as_str()))
    }

    /// Returns `true` if it can open sockets.
    pub(crate) fn can_open_sockets(&self) -> bool {
        self.capabilities.iter().any(|capability| capability == "sockets")
    }
}

/// Checks that a component exports a version of the contract that this host speaks. Returns the version within 0.1.
///
/// # Errors
/// It exports no version, or an unsupported one, which the text names.
pub(crate) fn check_contract(engine: &Engine, component: &Component) -> Result<u32, String> {
    match contract(engine, component) {
        Some(version) => supported_minor(&version).ok_or_else(|| {
            format!("it speaks version {version} of the plugin contract; this host speaks 0.1.0 to 0.1.{LATEST_MINOR}")
        }),
        None => Err("it is a component, but not a plugin: it does not export `stampede:plugin/action`".into()),
    }
}

/// Parses a version within 0.1, if this host supports it.
fn supported_minor(version: &str) -> Option<u32> {
    let addition = version.strip_prefix("0.1.").and_then(|number| number.parse().ok());
    addition.filter(|number: &u32| *number <= LATEST_MINOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_up_to_that_of_the_wit_files_are_supported() {
        let world = include_str!("../../../../wit/world.wit");
        assert!(world.contains(&format!("package stampede:plugin@0.1.{LATEST_MINOR};")));
        for version in ["0.1.0", "0.1.1", "0.1.2", "0.1.3"] {
            assert!(supported_minor(version).is_some(), "{version}");
        }
        for version in ["0.1.4", "0.2.0", "1.1.0", "0.1", "0.1.x", "0.1.0-rc.1", ""] {
            assert!(supported_minor(version).is_none(), "{version}");
        }
    }
}
