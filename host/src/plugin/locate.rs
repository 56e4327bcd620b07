//! From a file to compiled code: which contract version a component speaks, and the cache of what was compiled before.
//!
//! The cache holds machine code, so it is trusted like the program itself: it lies in the user's own cache folder, with
//! access for nobody else, under the hash of the component's bytes and of everything in the engine that shapes the
//! code. A precompiled file is never accepted from anywhere else.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

/// The contract this host speaks: the package and the versions of it, as exported by a component.
const CONTRACT: &str = "stampede:plugin/action@";
/// Versions this host runs. Within 0.1 only additions are made.
const VERSION: &str = "0.1.";

/// Names a folder for the cache instead of the customary one; empty means no cache.
pub const CACHE_VARIABLE: &str = "STAMPEDE_CACHE_DIR";

/// Compiles a component, or takes it from the cache.
///
/// # Errors
/// The bytes are no component, or one that does not compile; the text says which.
pub fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, String> {
    if !bytes.starts_with(b"\0asm") {
        return Err("it is not a WebAssembly file".into());
    }
    if bytes.get(4..8) == Some(&[1, 0, 0, 0]) {
        return Err("it is a core module, not a component; build it for `wasm32-wasip2`".into());
    }
    let Some(entry) = cache_folder().map(|folder| folder.join(key(engine, bytes))) else {
        return Component::new(engine, bytes).map_err(|error| plain(&error));
    };
    // SAFETY: the file is the user's own, lies in the user's private cache folder and was written by `store` below from this engine's own
    // output; wasmtime checks its version and settings besides.
    if own_file(&entry)
        && let Ok(component) = unsafe { Component::deserialize_file(engine, &entry) }
    {
        return Ok(component);
    }
    let component = Component::new(engine, bytes).map_err(|error| plain(&error))?;
    if let Err(error) = store(&component, &entry) {
        tracing::warn!("compiled plugins cannot be cached in {}: {error}", entry.display());
    }
    Ok(component)
}

/// Checks that a component exports a version of the contract that this host speaks.
///
/// # Errors
/// It exports none, or another version; the text says which.
pub fn check_contract(engine: &Engine, component: &Component) -> Result<(), String> {
    let kind = component.component_type();
    let exported = kind
        .exports(engine)
        .filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentInstance(_)))
        .find_map(|(name, _)| name.strip_prefix(CONTRACT).map(str::to_owned));
    match exported {
        Some(version) if version.starts_with(VERSION) => Ok(()),
        Some(version) => Err(format!("it speaks version {version} of the plugin contract; this host speaks 0.1")),
        None => Err("it is a component, but no plugin: it does not export `stampede:plugin/action`".into()),
    }
}

/// An error of the engine on one line.
fn plain(error: &wasmtime::Error) -> String {
    format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn key(engine: &Engine, bytes: &[u8]) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut compatibility = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut compatibility);
    let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digest}-{:016x}.cwasm", compatibility.finish())
}

fn cache_folder() -> Option<PathBuf> {
    let folder = match std::env::var_os(CACHE_VARIABLE) {
        Some(named) if named.is_empty() => return None,
        Some(named) => PathBuf::from(named),
        None => etcetera::choose_base_strategy().ok()?.cache_dir().join("stampede-shooter"),
    };
    private_folder(&folder).then_some(folder)
}

/// Makes the folder if need be; `false` unless it is the user's alone.
fn private_folder(folder: &Path) -> bool {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    if builder.create(folder).is_err() {
        return false;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        // Whoever this process is, a file that it makes says so.
        let user = tempfile::tempfile_in(folder).and_then(|file| file.metadata()).map(|file| file.uid()).ok();
        let owned = fs::metadata(folder).is_ok_and(|meta| meta.mode() & 0o022 == 0 && Some(meta.uid()) == user);
        if !owned {
            tracing::warn!("{} is not this user's alone, so compiled plugins are not cached", folder.display());
        }
        owned
    }
    #[cfg(not(unix))]
    true
}

/// Whether an entry is a regular file of the user that the folder belongs to; `false` if there is none.
fn own_file(entry: &Path) -> bool {
    let Ok(file) = fs::symlink_metadata(entry) else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let folder = entry.parent().and_then(|folder| fs::metadata(folder).ok());
        if folder.is_none_or(|folder| folder.uid() != file.uid()) {
            return false;
        }
    }
    file.is_file()
}

/// Writes a temporary file first, and that to the disk, so that nobody ever sees half an entry.
fn store(component: &Component, entry: &Path) -> Result<(), String> {
    let code = component.serialize().map_err(|error| plain(&error))?;
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(entry.parent().unwrap_or(Path::new(".")))?;
        file.write_all(&code)?;
        file.as_file().sync_all()?;
        file.persist(entry)?;
        Ok(())
    };
    write().map_err(|error| error.to_string())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_regular_file_in_a_folder_of_the_users_own() {
        let folder = tempfile::tempdir().unwrap();
        assert!(private_folder(folder.path()));
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "x").unwrap();
        fs::create_dir(at("folder")).unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        for (name, own) in [("file", true), ("folder", false), ("link", false), ("none", false)] {
            assert_eq!(own_file(&at(name)), own, "{name}");
        }
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_no_cache() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(!private_folder(folder.path()));
    }
}
